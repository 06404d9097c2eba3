"""Calls with a sandbox key: any product, made-up data, never metered, marked in every answer.

Two headers let a caller's side be built for what a live key meets one day: ``Sandbox-Problem: quota-used-up`` answers that
problem as the live call would, ``Sandbox-Delay: 2`` answers after two seconds.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any

from market.gateway import consent
from market.gateway.admission import take_key_rate
from market.gateway.call import Call
from market.gateway.http import MOST_BYTES, Response, encode
from market.gateway.problems import CATALOGUE, Problem
from market.gateway.resources import Resources
from market.gateway.running import check_input, load
from market.gateway.stopped import refuse_if_stopped
from products.runtimes.made_up import made_up
from settlement.entitlements.access import Access

SANDBOX_PER_MINUTE = 60
MOST_DELAY = 10.0
HEADERS = {"gongshu-sandbox": "1"}
_DELAY = re.compile(r"[0-9]{1,2}(\.[0-9]{1,3})?\Z")
_EXAMPLE = "00000000-0000-7000-8000-000000000000"
_RECEIPT = {"id": _EXAMPLE, "url": f"/v1/receipts/{_EXAMPLE}"}

# Problems of other addresses than the call's.
NOT_OF_A_CALL = frozenset({"receipt-unknown", "link-unknown", "link-expired", "receipt-archived", "query-refused"})
# What the live answer carries besides type, title and status.
MEMBERS: dict[str, dict[str, Any]] = {
    "product-not-covered": {"product": "another-product"},
    "idempotency-conflict": {"receipt": _RECEIPT},
    "idempotency-forgotten": {"receipt": _RECEIPT},
    "body-too-large": {"limit": MOST_BYTES},
    "input-refused": {"errors": [{"pointer": "/sandbox", "message": "an example"}]},
    "header-refused": {"header": "Purpose"},
    "quota-used-up": {"limit": 1000},
}
RETRY_AFTER = {"rate-limit": "30", "quota-used-up": "86400", "subject-limit": "3600", "runtime-busy": "5"}


async def answer(held: Resources, call: Call, access: Access) -> Response:
    """Any product, made-up data: the input is checked, an answer is made up, nothing is metered."""
    call.kind = "sandbox"
    try:
        body = await _answer(held, call, access)
    except Problem as problem:
        problem.extra["sandbox"] = True
        problem.headers |= HEADERS
        raise
    return Response(200, encode({"data": body, "sandbox": True, "receipt": None}), headers=dict(HEADERS))


async def _answer(held: Resources, call: Call, access: Access) -> Any:
    product = await held.products.get(call.code) if len(call.code) <= 60 else None
    if product is None:
        raise Problem("product-unknown")
    call.product_id = product["product_id"]
    refuse_if_stopped(product["stop_kind"], product["stop_since"], product["stop_reason"])
    refuse_if_stopped(access.stop_kind, access.stop_since, access.stop_reason)
    if product["state"] != "listed" or product["release_id"] is None:
        raise Problem("product-suspended")
    await take_key_rate(held, call, access, SANDBOX_PER_MINUTE)
    await _as_asked(call)
    body, _raw = await call.request.json(MOST_BYTES)
    if product["needs_consent"]:
        consent.stated(call, body)  # a wrong one is told here too; none is needed, since nobody is asked about
    loaded, release = await load(held, product["release_id"])
    check_input(call, loaded, body)
    return made_up(type=release["type"], sample=release["sample_output"], body=body)


async def _as_asked(call: Call) -> None:
    """Wait as long as ``Sandbox-Delay`` says, then raise the problem that ``Sandbox-Problem`` names."""
    delay = call.request.header(b"sandbox-delay")
    if delay:
        if not _DELAY.match(delay) or float(delay) > MOST_DELAY:
            raise Problem("header-refused", header="Sandbox-Delay")
        await asyncio.sleep(float(delay))
    code = call.request.header(b"sandbox-problem")
    if code:
        raise _problem(code)


def _problem(code: str) -> Problem:
    if code not in CATALOGUE or code in NOT_OF_A_CALL:
        known = sorted(set(CATALOGUE) - NOT_OF_A_CALL)
        return Problem("header-refused", header="Sandbox-Problem", known=known)
    headers = {"retry-after": RETRY_AFTER[code]} if code in RETRY_AFTER else {}
    if code == "method-not-allowed":
        headers["allow"] = "POST"
    return Problem(code, headers=headers, **MEMBERS.get(code, {}))
