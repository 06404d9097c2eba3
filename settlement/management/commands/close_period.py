"""``close_period 2026-10``: rates, invoices, posts and splits a month; again gives the same."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from products.record.clock import now
from products.record.refusals import Refused
from settlement.billing.services import close_month


def month_of(text: str) -> date:
    """2026-10 as its first day."""
    year, _, month = text.partition("-")
    try:
        return date(int(year), int(month), 1)
    except ValueError as error:
        raise CommandError(f"{text}: a month such as 2026-10 is expected") from error


class Command(BaseCommand):
    help = "Close a billing month: charges, invoices, ledger, shares. Closing again gives the same."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("month", help="for example 2026-10")
        parser.add_argument("--force", action="store_true", help="do not wait for the days of grace; the month says so")

    def handle(self, *args: Any, month: str, force: bool, **options: Any) -> None:
        try:
            closed = close_month(month=month_of(month), at=now(), force=force)
        except Refused as refused:
            raise CommandError(f"{refused.code}: {refused}") from refused
        self.stdout.write(f"{closed.month.month:%Y-%m} closed at {closed.month.closed_at:%Y-%m-%dT%H:%M:%S%z}")
        self.stdout.write(f"charges {closed.charges}, invoices {closed.invoices}")
        self.stdout.write(f"digest {closed.month.digest}")
