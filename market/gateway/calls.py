"""The call: key → entitlement → runtime → usage event committed → answer with its receipt.

A 2xx is answered only after the commit. Everything else is a ``Problem``, costs nothing and is kept as a refusal.
"""

from __future__ import annotations

import re
import time

from django.utils import translation

from market.gateway import consent, sandbox, signing
from market.gateway.admission import check_balance, take_rates
from market.gateway.authentication import authenticate
from market.gateway.call import Call
from market.gateway.continuing import continuing
from market.gateway.http import MOST_BYTES, Request, Response, problem_response
from market.gateway.metering import first_answer, meter
from market.gateway.problems import Problem
from market.gateway.resources import Resources
from market.gateway.running import run
from market.gateway.stopped import refuse_if_stopped
from products.record.clock import now
from settlement.entitlements.access import Access
from settlement.metering.journal import NewRefusal

_PURPOSE = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+){0,9}\Z")
_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,120}\Z")


async def answer(held: Resources, request: Request, code: str) -> Response:
    """``POST /v1/products/{code}``."""
    began = time.perf_counter()
    call = Call(request, code, now())
    reason = ""
    try:
        response = await _serve(held, call)
    except Problem as problem:
        reason = problem.code
        with translation.override(request.language):
            response = problem_response(problem)
        _keep_refusal(held, call, problem)
    if call.headers:
        response.headers = call.headers | response.headers
    seconds = time.perf_counter() - began
    held.metrics.answered(call.kind, response.status, reason, seconds)
    if held.call_log is not None:
        held.call_log.say(
            at=call.at,
            kind=call.kind,
            product=code if call.product_id is not None else "",
            status=response.status,
            reason=reason,
            receipt=call.receipt,
            milliseconds=round(seconds * 1000, 3),
        )
    return response


async def _serve(held: Resources, call: Call) -> Response:
    access = call.access = await authenticate(held, call.request, call.at, scope="calls")
    if access.mode == "test":
        return await sandbox.answer(held, call, access)
    if access.mode != "live":
        raise Problem("key-mode")
    await _check_product(held, call, access)
    refuse_if_stopped(access.stop_kind, access.stop_since, access.stop_reason)
    _check_purpose(call, access)
    refusal = access.refusal(call.purpose, call.at)
    if refusal is not None:
        raise Problem(refusal)
    call.purpose = call.purpose or access.purposes[0]  # type: ignore[index]  # a database constraint: at least one
    await take_rates(held, call, access)
    body, raw = await call.request.json(MOST_BYTES)
    call.consent = await consent.named(held, call, access, body)
    digest = signing.request_digest(call.code, call.purpose, raw)
    name = call.request.header(b"idempotency-key")
    if name:
        if not _IDEMPOTENCY_KEY.match(name):
            raise Problem("header-refused", header="Idempotency-Key")
        first = await first_answer(held, access, name, digest, call.at)
        if first is not None:
            return first
    await check_balance(held, access)  # like the quota, after the first answer: a repeat asks for nothing more
    paid: Access | None = None
    if access.quota_limit is not None and (access.quota_used or 0) >= access.quota_limit:
        paid = await continuing(held, call, access)  # or refuse before the run
    result = await run(held, call, access, body)
    return await meter(held, call, access, result, name=name, digest=digest, paid=paid)


async def _check_product(held: Resources, call: Call, access: Access) -> None:
    if access.product == call.code:
        call.product_id = access.product_id
        return
    product = await held.products.get(call.code) if len(call.code) <= 60 else None
    if product is None:
        raise Problem("product-unknown")
    call.product_id = product["product_id"]
    raise Problem("product-not-covered", product=access.product)


def _check_purpose(call: Call, access: Access) -> None:
    stated = call.request.header(b"purpose")
    if stated and (len(stated) > 80 or not _PURPOSE.match(stated)):
        raise Problem("header-refused", header="Purpose")
    call.purpose = stated


def _keep_refusal(held: Resources, call: Call, problem: Problem) -> None:
    if call.kind == "sandbox":
        return
    access = call.access
    held.journal.refuse(
        NewRefusal(
            at=call.at,
            status=problem.status,
            reason=problem.code,
            purpose=call.purpose,
            key_id=access.key_id if access else None,
            entitlement_id=access.entitlement_id if access else None,
            product_id=call.product_id,
        )
    )
