"""What it takes to call an operator's own service: the allow-list, our signature, and how names become addresses."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from django.conf import settings

from products.runtimes import addresses
from products.runtimes.addresses import Network
from products.runtimes.signatures import Signer, signer

Allows = Callable[[str, str, int], bool | Awaitable[bool]]
Resolve = Callable[[str, int], Awaitable[list[str]]]


class EgressRefused(Exception):
    """The request did not come to an answer: ``kind`` is a word for metrics and logs, never a text of the other side."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


async def system_resolve(host: str, port: int) -> list[str]:
    """Every address of a name, by the system's resolver. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(sockaddr[0]) for _family, _type, _protocol, _name, sockaddr in found]


@dataclass(frozen=True, slots=True, kw_only=True)
class Egress:
    """What a remote runtime needs to go out. ``allows(product code, host, port)`` reads the allow-list, at once or awaited."""

    allows: Allows
    signer: Signer
    test_networks: Sequence[Network] = ()
    ca_file: str = ""
    resolve: Resolve = system_resolve


def egress(*, allows: Allows) -> Egress:
    """The way out as the settings make it."""
    return Egress(
        allows=allows,
        signer=signer(settings.SIGNING_KEY),
        test_networks=addresses.networks(settings.GONGSHU_EGRESS_TEST_NETWORKS),
        ca_file=settings.GONGSHU_EGRESS_CA_FILE,
    )
