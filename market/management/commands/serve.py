"""``serve``: the site and the gateway in one server (granian)."""

from __future__ import annotations

import os
from typing import Any

from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    help = "Serve the site and the gateway. Ctrl-C stops it: calls that wait are committed and answered first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--workers", type=int, default=1, help="processes; more of them use more cores")

    def handle(self, *args: Any, **options: Any) -> None:
        os.environ["GONGSHU_SERVER"] = "1"  # read by the settings of the workers: they keep their connections
        from granian import Granian
        from granian.constants import Interfaces
        from granian.log import LogLevels

        Granian(
            "market.asgi:application",
            address=options["host"],
            port=options["port"],
            interface=Interfaces.ASGI,
            workers=options["workers"],
            websockets=False,
            backpressure=1024,
            log_level=LogLevels.warning,
            respawn_failed_workers=True,
            workers_kill_timeout=15,
        ).serve()
