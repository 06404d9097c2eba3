"""``trace ID``: from a receipt, invoice line or payout, the whole chain down to the registered resource."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from products.record.refusals import Refused
from settlement.trace import trace


class Command(BaseCommand):
    help = "The chain of a receipt id, invoice number, invoice line (number/position or id) or payout number."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = trace(options["id"])
        except Refused as refused:
            raise CommandError(str(refused)) from refused
        for line in found.lines():
            self.stdout.write(line)
