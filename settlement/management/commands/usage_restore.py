"""``usage_restore 2024-10``: brings an archived month of usage events back into the database."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from products.record.clock import now
from products.record.refusals import Refused
from settlement.management.commands.close_period import month_of
from settlement.metering import partitions


class Command(BaseCommand):
    help = "Bring an archived month of usage events back from its file, each event proven; the file stays."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("month", help="for example 2024-10")

    def handle(self, *args: Any, month: str, **options: Any) -> None:
        try:
            events = partitions.month_restore(month=month_of(month), at=now())
        except Refused as refused:
            raise CommandError(f"{refused.code}: {refused}") from refused
        self.stdout.write(f"{month} restored: {events} events")
