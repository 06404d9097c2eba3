"""The shape of keys: ``gs_live_``, ``gs_test_`` or ``gs_op_``, 24 random characters, 6 of checksum.

The checksum (CRC32 of everything before it, base 62) lets the gateway refuse a typo without asking the database, and lets leak
scanners tell a real key from a random string. What a key may be cut to (scopes, networks) is read here too. Pure: no database, no
clock.
"""

from __future__ import annotations

import re
import secrets
import string
import zlib
from collections.abc import Iterable
from hashlib import sha256
from ipaddress import ip_network

from django.utils.translation import gettext_lazy as _

from products.record.refusals import Refused

ALPHABET = string.digits + string.ascii_letters
RANDOM_CHARACTERS = 24  # 142 bits
CHECKSUM_CHARACTERS = 6  # 62**6 > 2**32
MODES = ("live", "test", "op")
SCOPES = {"live": ("calls", "receipts"), "test": ("calls", "receipts"), "op": ("usage", "receipts")}  # what each may be cut to
MOST_NETWORKS = 20
_SHAPE = re.compile(r"gs_(live|test|op)_[0-9A-Za-z]{28,}\Z")


class ScopeUnknown(Refused):
    """A scope that keys of this mode do not have."""

    code = "key_scope_unknown"


class NetworkWrong(Refused):
    """Not a network in CIDR notation, or too many of them."""

    code = "key_network_wrong"


def read_scopes(mode: str, asked: Iterable[str]) -> list[str]:
    """The scopes in their order; none where all that the mode has are asked for. Raises ``ScopeUnknown``."""
    named = set(asked)
    if named - set(SCOPES[mode]):
        raise ScopeUnknown(_("A key of this kind has no such scope."), field="scopes")
    return [] if named == set(SCOPES[mode]) else [scope for scope in SCOPES[mode] if scope in named]


def read_networks(asked: Iterable[str]) -> list[str]:
    """Networks as CIDR, IPv4 and IPv6, each once; a single address is a network of one. Raises ``NetworkWrong``."""
    found: dict[str, None] = {}
    for text in asked:
        try:
            found[str(ip_network(text.strip()))] = None
        except ValueError:
            raise NetworkWrong(
                _("“%(text)s” is not a network: write 203.0.113.0/24, 2001:db8::/48 or a single address.") % {"text": text[:60]},
                field="networks",
            ) from None
    if len(found) > MOST_NETWORKS:
        raise NetworkWrong(_("At most %(most)s networks.") % {"most": MOST_NETWORKS}, field="networks")
    return list(found)


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
    for _place in range(CHECKSUM_CHARACTERS):
        number, rest = divmod(number, 62)
        characters.append(ALPHABET[rest])
    return "".join(reversed(characters))
