"""Calls with a sandbox key: any product, made-up data, never metered."""

from __future__ import annotations

from market.gateway.admission import take_rate
from market.gateway.call import Call
from market.gateway.http import MOST_BYTES, Response, encode
from market.gateway.problems import Problem
from market.gateway.resources import Resources
from market.gateway.running import check_input, load
from market.gateway.stopped import refuse_if_stopped
from settlement.entitlements.access import Access

SANDBOX_PER_MINUTE = 60


async def answer(held: Resources, call: Call, access: Access) -> Response:
    """Any product, made-up data: the input is checked, the release's sample is answered, nothing is metered."""
    call.kind = "sandbox"
    product = await held.products.get(call.code) if len(call.code) <= 60 else None
    if product is None:
        raise Problem("product-unknown")
    call.product_id = product["product_id"]
    refuse_if_stopped(product["stop_kind"], product["stop_since"], product["stop_reason"])
    refuse_if_stopped(access.stop_kind, access.stop_since, access.stop_reason)
    if product["state"] != "listed" or product["release_id"] is None:
        raise Problem("product-suspended")
    take_rate(held, call, access.key_id, SANDBOX_PER_MINUTE)
    body, _raw = await call.request.json(MOST_BYTES)
    loaded, release = await load(held, product["release_id"])
    check_input(call, loaded, body)
    return Response(200, encode({"data": release["sample_output"], "sandbox": True, "receipt": None}))
