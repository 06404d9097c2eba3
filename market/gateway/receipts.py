"""Receipts of metered calls, the key that proves them, and the delivery of reports."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

from market.gateway import signing
from market.gateway.authentication import authenticate
from market.gateway.http import Request, Response, encode
from market.gateway.problems import Problem
from market.gateway.resources import Resources, spec_of
from market.gateway.stopped import refuse_if_stopped
from products.record.clock import BUSINESS_ZONE, now
from products.runtimes import report
from products.runtimes.links import LinkRefused, link_verify
from settlement.entitlements.access import list_price
from settlement.metering.rules import month_of_id


async def receipt(held: Resources, request: Request, text: str) -> Response:
    """``GET /v1/receipts/{id}``, for the buyer's organisation and the operator."""
    access = await authenticate(held, request, now(), scope="receipts")
    row = None
    try:
        identifier = UUID(text)
        if identifier.version == 7:
            row = await held.row("receipt", month=month_of_id(identifier), id=identifier)
    except (ValueError, OverflowError, OSError):
        pass
    if row is None or access.organisation_id not in (row["organisation_id"], row["operator_id"]):
        raise Problem("receipt-unknown")
    return Response(200, encode(signing.signed(_facts(row))))


def keys() -> Response:
    """``GET /v1/keys``: the public key of receipts, as a JSON Web Key Set."""
    return Response(200, encode({"keys": [signing.public_jwk()]}), "application/jwk-set+json")


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
    document = report.document(spec_of(row))
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(document.filename)}"}
    return Response(200, document.body, document.content_type, headers)


def _facts(row: dict[str, Any]) -> dict[str, Any]:
    """What a receipt says, in this order; all members but ``signature`` are signed."""
    priced = list_price(row["tariff"], row["units"])
    return {
        "id": str(row["id"]),
        "time": _moment(row["event_time"]),
        "received": _moment(row["received_at"]),
        "book_month": f"{row['book_month']:%Y-%m}",
        "product": row["product"],
        "release": row["release"],
        "release_digest": row["release_digest"],
        "entitlement": row["entitlement"],
        "buyer": row["buyer"],
        "operator": row["operator"],
        "purpose": row["purpose"],
        "units": row["units"],
        "free": row["is_free"],
        "plan": row["plan"],
        "tariff_version": row["tariff_version"],
        "tariff_digest": row["tariff_digest"],
        "list_price": priced,
        "request_digest": bytes(row["request_digest"]).hex(),
        "source": row["source"],
        "event_id": row["event_id"],
        "corrects": str(row["corrects"]) if row["corrects"] else None,
    }


def _moment(value: datetime) -> str:
    return value.replace(tzinfo=value.tzinfo or UTC).astimezone(BUSINESS_ZONE).isoformat()
