"""Where a request comes from, and whether a key is accepted from there."""

from __future__ import annotations

from collections.abc import MutableMapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

Address = IPv4Address | IPv6Address


def client_address(scope: MutableMapping[str, Any], proxies: int) -> Address | None:
    """The caller's address; None where it cannot be known.

    It is the connection's, or with ``proxies`` trusted proxies in front, the one that the outermost of them saw: each appends to
    ``X-Forwarded-For`` whom it was called by, so that many entries are true, counted from the right, and what is left of them is
    the caller's own word and is not believed.
    """
    client = scope.get("client")
    chain = [client[0]] if client else []
    if proxies > 0:
        named = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
        chain = [part.strip() for part in b",".join(named).decode("latin-1").split(",") if part.strip()] + chain
    return _address(chain[max(0, len(chain) - 1 - max(0, proxies))]) if chain else None


def is_inside(address: Address | None, networks: tuple[str, ...]) -> bool:
    """Whether the address is in one of the networks (CIDR); an unknown address is in none."""
    if address is None:
        return False
    return any(address.version == network.version and address in network for network in _networks(networks))


@lru_cache(maxsize=4096)
def _networks(networks: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(ip_network(text) for text in networks)


@lru_cache(maxsize=4096)
def _address(text: str) -> Address | None:
    """An address as it is written, with or without port and brackets; a mapped one is the IPv4 address that it stands for."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found
