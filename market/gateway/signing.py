"""Keys derived from SIGNING_KEY, one a use (HKDF, RFC 5869): receipts, delivery links, kept answers, request digests."""

from __future__ import annotations

import base64
import hmac
from functools import cache
from hashlib import sha256
from typing import Any

import msgspec
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

from products.runtimes.signatures import jwk, request_key

canonical = msgspec.json.Encoder(order="deterministic").encode


def derived(use: str) -> bytes:
    """32 bytes for one use; another use cannot be computed from it."""
    return HKDF(SHA256(), 32, salt=None, info=f"gongshu:{use}:v1".encode()).derive(settings.SIGNING_KEY.encode())


@cache
def receipt_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(derived("receipt"))


@cache
def link_key() -> bytes:
    return derived("delivery")


@cache
def _request_mac() -> hmac.HMAC:
    """HMAC-SHA-256 with its key taken in; copied for each request, which is cheaper than to take it in each time."""
    return hmac.new(derived("request"), digestmod=sha256)


@cache
def _vault() -> Fernet:
    return Fernet(base64.urlsafe_b64encode(derived("answer")))


def request_digest(product: str, purpose: str, body: bytes) -> bytes:
    """What the database keeps of a request: a keyed digest, so that a dump does not let anyone guess what was asked."""
    mac = _request_mac().copy()
    mac.update(b"\0".join((product.encode(), purpose.encode(), body)))
    return mac.digest()


def seal(answer: bytes) -> bytes:
    return _vault().encrypt(answer)


def unseal(sealed: bytes) -> bytes | None:
    """The kept answer; None where SIGNING_KEY has changed since."""
    try:
        return _vault().decrypt(sealed)
    except InvalidToken:
        return None


@cache
def public_jwk() -> dict[str, str]:
    """The receipts' public key (RFC 8037); its ``kid`` is the thumbprint (RFC 7638)."""
    raw = receipt_key().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    jwk = {"crv": "Ed25519", "kty": "OKP", "x": _base64(raw)}
    return jwk | {"kid": _base64(sha256(canonical(jwk)).digest()), "use": "sig", "alg": "EdDSA"}


@cache
def remote_jwk() -> dict[str, str]:
    """The public half of the key that signs requests to operators' own services."""
    return jwk(request_key(settings.SIGNING_KEY).public_key())


def signed(facts: dict[str, Any]) -> dict[str, Any]:
    """The facts with ``kid`` and ``signature``: Ed25519 over the JSON of all other members, keys sorted, no spaces, UTF-8."""
    named = facts | {"kid": public_jwk()["kid"]}
    return named | {"signature": _base64(receipt_key().sign(canonical(named)))}


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
