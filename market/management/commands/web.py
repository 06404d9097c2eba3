"""``web``: the site alone, without the calls."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from market import server


class Command(BaseCommand):
    help = "Serve the site alone: the shop, the consoles, the public pages; /healthz and /readyz."

    def add_arguments(self, parser: CommandParser) -> None:
        server.add_arguments(parser, port=8200)

    def handle(self, *, host: str, port: int, workers: int, **options: Any) -> None:
        server.serve(server.WEB, host=host, port=port, workers=workers)
