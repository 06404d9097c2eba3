"""Receipts of metered calls, the key that proves them, and the delivery of reports."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote

from django.utils import translation
from psycopg.rows import dict_row

from market.gateway import signing
from market.gateway.authentication import authenticate
from market.gateway.http import Request, Response, encode
from market.gateway.problems import Problem
from market.gateway.resources import Resources, spec_of
from market.gateway.stopped import refuse_if_stopped
from products.record.clock import now
from products.runtimes import report
from products.runtimes.links import LinkRefused, link_verify
from settlement.metering.receipts import ReceiptArchived, Steps, identifier_of, steps
from settlement.sql import query


async def receipt(held: Resources, request: Request, text: str) -> Response:
    """``GET /v1/receipts/{id}``, for the buyer's organisation and the operator."""
    access = await authenticate(held, request, now(), scope="receipts")
    identifier = identifier_of(text)
    if identifier is None:
        raise Problem("receipt-unknown")
    try:
        facts = await _run(held, steps(identifier, organisation_id=access.organisation_id))
    except ReceiptArchived as refused:
        with translation.override(request.language):
            raise Problem("receipt-archived", str(refused)) from refused
    if facts is None:
        raise Problem("receipt-unknown")
    return Response(200, encode(signing.signed(facts)))


async def _run(held: Resources, run: Steps) -> dict[str, Any] | None:
    """The queries of the steps over one connection of the gateway's."""
    async with held.pool.connection() as connection:
        cursor = connection.cursor(row_factory=dict_row)
        try:
            ask = next(run)
            while True:
                await cursor.execute(query(ask.name), ask.parameters)
                ask = run.send(await cursor.fetchall())
        except StopIteration as finished:
            return finished.value


def keys() -> Response:
    """``GET /v1/keys``: the public keys of receipts and of requests to operators' services, as a JSON Web Key Set."""
    return Response(200, encode({"keys": [signing.public_jwk(), signing.remote_jwk()]}), "application/jwk-set+json")


async def delivery(held: Resources, token: str) -> Response:
    """``GET /v1/deliveries/{token}``: the document behind a signed link, always as an attachment."""
    try:
        opened = link_verify(key=signing.link_key(), token=token, at=now())
    except LinkRefused as refused:
        raise Problem("link-expired" if refused.facts["is_expired"] else "link-unknown") from refused
    row = await held.row("release_document", code=opened.product_code, version=opened.version)
    if row is None:
        raise Problem("link-unknown")
    refuse_if_stopped(row["stop_kind"], row["stop_since"], row["stop_reason"])
    if row["state"] != "listed":
        raise Problem("product-suspended")
    document = await asyncio.to_thread(report.document, spec_of(row))  # it hashes the whole document
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(document.filename)}"}
    return Response(200, document.body, document.content_type, headers)
