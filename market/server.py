"""One server (granian) for each kind of process: the gateway, the site, or both on one port."""

from __future__ import annotations

import os

from django.core.management.base import CommandParser

BOTH = "market.asgi:application"
GATEWAY = "market.gateway.asgi:application"
WEB = "market.web:application"
CALLS_AT_ONCE = 1024


def add_arguments(parser: CommandParser, *, port: int) -> None:
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=port)
    parser.add_argument("--workers", type=int, default=1, help="processes on this port; more of them use more cores")


def serve(application: str, *, host: str, port: int, workers: int, is_factory: bool = False) -> None:
    """Serve until SIGTERM or Ctrl-C; calls that wait are committed and answered first.

    The event loop is uvloop where it is installed. One Rust thread a worker does the network; what it hands over waits at most
    ``CALLS_AT_ONCE`` deep, then it stops reading, so that a flood waits in the sockets and not in memory.
    """
    os.environ["GONGSHU_SERVER"] = "1"  # read by the settings of the workers: they keep their connections
    from granian import Granian
    from granian.constants import HTTPModes, Interfaces, RuntimeModes
    from granian.log import LogLevels

    Granian(
        application,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        factory=is_factory,
        workers=workers,
        http=HTTPModes.http1,
        websockets=False,
        runtime_mode=RuntimeModes.mt,
        backpressure=CALLS_AT_ONCE,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=15,
    ).serve()
