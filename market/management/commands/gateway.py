"""``gateway``: the calls alone, without the site; start as many as you like behind any load balancer."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from market import server


class Command(BaseCommand):
    help = "Serve the gateway alone: /v1/, /problems/, /healthz, /readyz, /metrics. It holds no state of its own."

    def add_arguments(self, parser: CommandParser) -> None:
        server.add_arguments(parser, port=8100)

    def handle(self, *, host: str, port: int, workers: int, **options: Any) -> None:
        server.serve(server.GATEWAY, host=host, port=port, workers=workers)
