"""The one way out: an HTTPS request to an operator's service, at an address that was checked a moment before.

httpcore behind a backend of ours: the name is resolved here, every address of it is judged, and the connection goes to the
judged one, while certificate and SNI are the name's. So no second look-up can lead elsewhere. No redirect is followed, no proxy
of the environment is used, nothing is unpacked, and the answer is read up to a limit. Only this module imports httpcore.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import httpcore

from products.runtimes import addresses
from products.runtimes.addresses import Network
from products.runtimes.egress import Egress, EgressRefused, Resolve

CONNECT_SECONDS = 3.0
KEPT_SECONDS = 15.0
MOST_ADDRESSES = 4


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class PinnedBackend(httpcore.AsyncNetworkBackend):
    """Connects to a name's address only after all its addresses were found public, and to exactly that one."""

    def __init__(self, resolve: Resolve, test_networks: Sequence[Network]) -> None:
        self._resolve, self._test_networks = resolve, test_networks
        self._plain = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            async with asyncio.timeout(timeout):
                found = await self._resolve(host, port)
        except TimeoutError:
            raise httpcore.ConnectTimeout from None
        except OSError:
            raise EgressRefused("name") from None
        checked = addresses.all_public(found, self._test_networks)
        if not checked:
            raise EgressRefused("address")
        for address in checked[:-1][: MOST_ADDRESSES - 1]:
            with contextlib.suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return await self._plain.connect_tcp(address, port, timeout, local_address, socket_options)
        return await self._plain.connect_tcp(checked[-1], port, timeout, local_address, socket_options)

    async def connect_unix_socket(self, *arguments: object, **more: object) -> httpcore.AsyncNetworkStream:
        raise EgressRefused("address")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def tls_context(ca_file: str = "") -> ssl.SSLContext:
    """The system's certificate authorities, and those of ``ca_file`` besides; the name is always checked."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file:
        context.load_verify_locations(cafile=ca_file)
    return context


class Client:
    """Connections to one service, of one event loop. ``await close()`` at the end."""

    def __init__(self, egress: Egress, *, connections: int) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls_context(egress.ca_file),
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=KEPT_SECONDS,
            retries=0,
            network_backend=PinnedBackend(egress.resolve, egress.test_networks),
        )

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, *, seconds: float, most_bytes: int) -> Answer:
        """The answer to one POST, whatever its status. Raises ``EgressRefused`` or ``TimeoutError`` (connect, read or whole)."""
        timeouts = {"connect": min(CONNECT_SECONDS, seconds), "read": seconds, "write": seconds, "pool": seconds}
        try:
            # One limit over all: a peer that sends a byte now and then never runs into the limit of a read.
            async with asyncio.timeout(seconds):
                sent = [*headers.items(), ("content-length", str(len(body))), ("accept-encoding", "identity")]
                request = self._pool.stream("POST", url, headers=sent, content=body, extensions={"timeout": timeouts})
                async with request as response:
                    return await _read(response, most_bytes)
        except (httpcore.TimeoutException, TimeoutError):
            raise TimeoutError from None
        except (httpcore.ConnectError, ssl.SSLError) as error:
            raise EgressRefused("certificate" if _is_certificate(error) else "connect") from None
        except (httpcore.NetworkError, httpcore.ProtocolError):
            raise EgressRefused("closed") from None

    async def close(self) -> None:
        await self._pool.aclose()


async def _read(response: httpcore.Response, most_bytes: int) -> Answer:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
    declared = headers.get("content-length", "0")
    parts, size = [], int(declared) if declared.isdigit() else 0
    if size > most_bytes:
        raise EgressRefused("too-large")
    size = 0
    async for part in response.aiter_stream():
        size += len(part)
        if size > most_bytes:
            raise EgressRefused("too-large")
        parts.append(part)
    return Answer(response.status, headers, b"".join(parts))


def _is_certificate(error: BaseException | None) -> bool:
    """Whether the connection broke on TLS: somewhere down the chain of causes stands an SSL error."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False
