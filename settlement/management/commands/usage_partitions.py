"""``usage_partitions``: makes the partitions that next months need and lists all, archived months too."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from products.record.clock import now
from settlement.metering import partitions
from settlement.metering.models import ArchivedMonth


class Command(BaseCommand):
    help = "Make the partitions of this and the next three months, and of months whose events have none; list all."

    def handle(self, *args: Any, **options: Any) -> None:
        made = partitions.partitions_make(at=now())
        for month, moved in made.items():
            self.stdout.write(f"{month:%Y-%m} made, {moved} events moved there")
        due = set(partitions.due_months(at=now()))
        for found in partitions.partitions():
            note = ", may be archived" if found.month in due else ""
            self.stdout.write(f"{found.month:%Y-%m} about {found.events} events, {found.size} bytes{note}")
        for kept in ArchivedMonth.objects.order_by("event_month"):
            self.stdout.write(f"{kept.event_month:%Y-%m} archived: {kept.events} events in {kept.file_name}, {kept.size} bytes")
