"""``usage_archive 2024-10`` or ``usage_archive --due``: moves closed months of usage events to Parquet files."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from products.record.clock import now
from products.record.refusals import Refused
from settlement.management.commands.close_period import month_of
from settlement.metering import partitions


class Command(BaseCommand):
    help = (
        "Move a closed month of usage events (or with --due all that are old enough) to a Parquet file, proven before it leaves."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("month", nargs="?", help="for example 2024-10")
        which.add_argument("--due", action="store_true", help="every closed month that is older than the rule set keeps here")

    def handle(self, *args: Any, month: str | None, due: bool, **options: Any) -> None:
        months = partitions.due_months(at=now()) if due else [month_of(month or "")]
        for each in months:
            try:
                kept = partitions.month_archive(month=each, at=now())
            except Refused as refused:
                raise CommandError(f"{refused.code}: {refused}") from refused
            self.stdout.write(f"{each:%Y-%m} archived: {kept.events} events in {kept.file_name}, {kept.size} bytes")
            self.stdout.write(f"sha256 {kept.sha256}")
        if not months:
            self.stdout.write("no month is due")
