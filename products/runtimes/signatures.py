"""Signed requests: HTTP Message Signatures (RFC 9421) with Ed25519, over a Content-Digest (RFC 9530). Exactly what we send.

``signed_headers`` is the sender's side; an operator's side is docs/specs/remote_service.py, which shares no code with this.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

LABEL = "gongshu"
LASTS_SECONDS = 60  # an operator refuses a request older than this


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key behind a function, and the ``kid`` under which its public half is published at /v1/keys."""

    key_id: str
    sign: Callable[[bytes], bytes] = field(repr=False)


def request_key(signing_key: str) -> Ed25519PrivateKey:
    """The key that signs requests to operators' services; derived for this use alone (HKDF, RFC 5869)."""
    seed = HKDF(SHA256(), 32, salt=None, info=b"gongshu:remote:v1").derive(signing_key.encode())
    return Ed25519PrivateKey.from_private_bytes(seed)


def jwk(key: Ed25519PublicKey) -> dict[str, str]:
    """The public key as a JWK (RFC 8037); its ``kid`` is the thumbprint (RFC 7638)."""
    x = _base64url(key.public_bytes(Encoding.Raw, PublicFormat.Raw))
    thumbprint = sha256(f'{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}'.encode()).digest()
    return {"crv": "Ed25519", "kty": "OKP", "x": x, "kid": _base64url(thumbprint), "use": "sig", "alg": "EdDSA"}


def signer(signing_key: str) -> Signer:
    key = request_key(signing_key)
    return Signer(jwk(key.public_key())["kid"], key.sign)


def signed_headers(
    *, signer: Signer, method: str, url: str, body: bytes, headers: Mapping[str, str], created: int
) -> dict[str, str]:
    """``headers`` (lower-case names, all of them signed) with Content-Digest, Signature-Input and Signature.

    ``url`` is the whole target URI; ``created`` is in Unix seconds.
    """
    digest = base64.b64encode(sha256(body).digest()).decode()
    sent = {**headers, "content-digest": f"sha-256=:{digest}:"}
    components = [("@method", method), ("@target-uri", url), *sent.items()]
    parameters = f';created={created};expires={created + LASTS_SECONDS};keyid="{signer.key_id}";alg="ed25519"'
    covered = covered_of([name for name, _value in components]) + parameters
    signature = base64.b64encode(signer.sign(signature_base(components, covered))).decode()
    return {**sent, "signature-input": f"{LABEL}={covered}", "signature": f"{LABEL}=:{signature}:"}


def covered_of(names: Sequence[str]) -> str:
    return "(" + " ".join(f'"{name}"' for name in names) + ")"


def signature_base(components: Sequence[tuple[str, str]], covered: str) -> bytes:
    """RFC 9421 section 2.5: a line a component, then the parameters; no newline at the end."""
    lines = [f'"{name}": {value}' for name, value in components]
    return "\n".join([*lines, f'"@signature-params": {covered}']).encode("ascii")


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
