"""Which addresses and host names an operator's service may have: the public internet, and nothing that is ours or near us."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

HTTPS_PORT = 443
FIRST_FREE_PORT = 1024  # below it only 443: a mail or database server must not be spoken to

# Unicast IPv6 as far as it is assigned; what embeds an IPv4 address (6to4, Teredo, NAT64) is left out as a whole.
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
_NEVER = [
    ipaddress.ip_network(text)
    for text in (
        "168.63.129.16/32",  # a cloud's host agent on an address that looks public
        "192.88.99.0/24",  # 6to4 relays
        "2001::/23",  # Teredo, ORCHID and other protocol assignments
        "2001:db8::/32",
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
        "5f00::/16",  # segment routing
    )
]
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)\Z")
_LOCAL_ENDINGS = ("local", "localhost", "localdomain", "internal", "intranet", "lan", "home", "corp", "arpa", "onion")


def networks(text: str) -> tuple[Network, ...]:
    """Networks of a comma-separated list. Raises ``ValueError``."""
    return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())


def is_public(address: Address, test_networks: Sequence[Network] = ()) -> bool:
    """Whether a service may be called at the address; an IPv4 address within an IPv6 one is judged as what it is."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped, test_networks)
        if address.scope_id is not None:
            return False
    if any(address in network for network in test_networks):
        return True
    if isinstance(address, ipaddress.IPv6Address) and address not in _GLOBAL_V6:
        return False
    forbidden = address.is_multicast or address.is_reserved or any(address in network for network in _NEVER)
    return address.is_global and not forbidden


def all_public(found: Iterable[str], test_networks: Sequence[Network] = ()) -> list[str]:
    """The addresses to connect to, each once; none where *any* of a name's addresses is not public.

    All must be: a name that answers one public and one private address is a name to be wary of, whichever comes first.
    """
    texts = list(dict.fromkeys(found))
    return texts if all(is_public(ipaddress.ip_address(text), test_networks) for text in texts) else []


def is_host_name(host: str, *, for_tests: bool = False) -> bool:
    """Whether ``host`` is a name in the public DNS, in lower case and A-labels; never an address, never a local name."""
    if for_tests and host == "localhost":
        return True
    labels = host.split(".")
    if len(host) > 253 or len(labels) < 2 or not all(_LABEL.match(label) for label in labels):
        return False
    return not labels[-1].isdecimal() and labels[-1] not in _LOCAL_ENDINGS


def is_port(port: int) -> bool:
    return port == HTTPS_PORT or FIRST_FREE_PORT <= port <= 65535
