"""The shape of keys: ``gs_live_``, ``gs_test_`` or ``gs_op_``, 24 random characters, 6 of checksum.

The checksum (CRC32 of everything before it, base 62) lets the gateway refuse a typo without asking the database, and lets leak
scanners tell a real key from a random string. Pure: no database, no clock.
"""

from __future__ import annotations

import re
import secrets
import string
import zlib
from hashlib import sha256

ALPHABET = string.digits + string.ascii_letters
RANDOM_CHARACTERS = 24  # 142 bits
CHECKSUM_CHARACTERS = 6  # 62**6 > 2**32
MODES = ("live", "test", "op")
SCOPES = {"live": ("calls", "receipts"), "test": ("calls", "receipts"), "op": ("usage", "receipts")}  # what each may be cut to
_SHAPE = re.compile(r"gs_(live|test|op)_[0-9A-Za-z]{28,}\Z")


def make(mode: str) -> str:
    """A new key of the mode."""
    if mode not in MODES:
        raise ValueError(mode)
    front = f"gs_{mode}_" + "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_CHARACTERS))
    return front + checksum(front)


def mode_of(text: str) -> str | None:
    """The mode of a well-formed key; None where prefix, length, characters or checksum are wrong."""
    found = _SHAPE.match(text)
    if found is None or checksum(text[:-CHECKSUM_CHARACTERS]) != text[-CHECKSUM_CHARACTERS:]:
        return None
    return found[1]


def digest(text: str) -> bytes:
    """What the database keeps instead of the key: SHA-256 of all of it (32 bytes)."""
    return sha256(text.encode("ascii")).digest()


def hint(text: str) -> str:
    """The first characters, enough to recognise a key in a list."""
    return text[:12] + "…"


def checksum(front: str) -> str:
    """CRC32 of the key's front, in six characters of base 62."""
    number = zlib.crc32(front.encode("ascii"))
    characters = []
    for _ in range(CHECKSUM_CHARACTERS):
        number, rest = divmod(number, 62)
        characters.append(ALPHABET[rest])
    return "".join(reversed(characters))
