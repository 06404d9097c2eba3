"""Keyed digests of a verification product: what makes its table worthless without the product key.

Every digest is HMAC-SHA-256 under a key derived from the product key for one product and one role, over length-prefixed
parts; a field's digest is bound to its subject and its name, so equal values in different rows differ.
"""

from __future__ import annotations

import hmac
import unicodedata
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

SIZE = 32
MIN_KEY_BYTES = 32
NORMALISATIONS = ("text", "code", "digits")


def normalise(value: str, kind: str) -> str:
    """NFKC, trimmed, inner spaces collapsed. ``code``: no spaces, upper case. ``digits``: only 0-9 stays.

    The operator's table and the caller's claim go through the same function, so that full-width letters, case and
    spaces are not differences.
    """
    text = " ".join(unicodedata.normalize("NFKC", value).split())
    if kind == "code":
        return text.replace(" ", "").upper()
    if kind == "digits":
        return "".join(character for character in text if character in "0123456789")
    return text


class Digester:
    """Digests for one product. ``key`` is the product key, at least 32 bytes."""

    def __init__(self, key: bytes, product_code: str) -> None:
        if len(key) < MIN_KEY_BYTES:
            raise ValueError("a product key has at least 32 bytes")
        self._subject_key = _mac(key, b"gongshu:subject:v1", product_code.encode())
        self._field_key = _mac(key, b"gongshu:field:v1", product_code.encode())

    def subject(self, subject: str) -> bytes:
        return _mac(self._subject_key, subject.encode())

    def value(self, subject: str, name: str, value: str) -> bytes:
        return _mac(self._field_key, b"value", subject.encode(), name.encode(), value.encode())

    def absent(self, subject: str, name: str) -> bytes:
        """Stands for "the table holds no value here"; without the key it looks like any other value."""
        return _mac(self._field_key, b"absent", subject.encode(), name.encode())


def _mac(key: bytes, *parts: bytes) -> bytes:
    # Each part carries its length: ("ab", "c") and ("a", "bc") must not meet.
    message = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return hmac.digest(key, message, sha256)


def normalised(config: Mapping[str, Any], name: str, value: str) -> str:
    """A field's value, normalised as the config says (``fields.{name}.normalise``, default ``text``)."""
    return normalise(value, config["fields"][name].get("normalise", "text"))
