"""``serve``: the site and the gateway in one server on one port, for trials and small installations."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from market import server


class Command(BaseCommand):
    help = "Serve the site and the gateway on one port. Ctrl-C stops it: calls that wait are committed and answered first."

    def add_arguments(self, parser: CommandParser) -> None:
        server.add_arguments(parser, port=8000)

    def handle(self, *, host: str, port: int, workers: int, **options: Any) -> None:
        server.serve(server.BOTH, host=host, port=port, workers=workers)
