"""Signed short-lived links to a report: who holds one may fetch that one document until it ends, and nothing else."""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import msgspec
from django.utils.translation import gettext_lazy as _

from products.record.refusals import Refused

PATH = "/v1/deliveries/"
_TAG = 16


class LinkRefused(Refused):
    """The link was not made here, was changed, or is past its end (``facts['is_expired']``)."""

    code = "link_refused"


class Delivery(msgspec.Struct, array_like=True, frozen=True):
    """What a link opens: one release's document, until ``expires`` (Unix seconds)."""

    product_code: str
    version: int
    expires: int

    @property
    def expires_at(self) -> datetime:
        return datetime.fromtimestamp(self.expires, tz=UTC)


@dataclass(frozen=True, slots=True)
class Link:
    token: str
    expires_at: datetime

    @property
    def path(self) -> str:
        return PATH + self.token


def link_sign(*, key: bytes, product_code: str, version: int, at: datetime, lasts: timedelta) -> Link:
    """A link valid from now for ``lasts``; URL-safe, no secret inside."""
    delivery = Delivery(product_code, version, int((at + lasts).timestamp()))
    payload = msgspec.msgpack.encode(delivery)
    token = base64.urlsafe_b64encode(payload + _tag(key, payload)).rstrip(b"=").decode()
    return Link(token, delivery.expires_at)


def link_verify(*, key: bytes, token: str, at: datetime) -> Delivery:
    """What the token opens. Raises ``LinkRefused``."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    payload, tag = raw[:-_TAG], raw[-_TAG:]
    if not payload or not hmac.compare_digest(tag, _tag(key, payload)):
        raise LinkRefused(_("This link is not valid. Call the product again for a new one."), is_expired=False)
    delivery = msgspec.msgpack.decode(payload, type=Delivery)
    if at.timestamp() >= delivery.expires:
        raise LinkRefused(_("This link has ended. Call the product again for a new one."), is_expired=True)
    return delivery


def _tag(key: bytes, payload: bytes) -> bytes:
    return hmac.digest(key, b"gongshu:delivery:v1" + payload, sha256)[:_TAG]
