"""``receipts_seal``: seal every hour of receipts that is over; the worker does it each minute."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from products.record.clock import now
from settlement.metering.sealing import SealingBusy, seal


class Command(BaseCommand):
    help = "Seal the receipts of every hour that has been over for a minute; prints hour, size, root and chain of each."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            trees = seal(at=now())
        except SealingBusy as busy:
            raise CommandError("a close or a long recording holds the billing months; run it again in a moment") from busy
        for tree in trees:
            self.stdout.write(f"{tree.hour:%Y-%m-%dT%H:%M:%SZ} {tree.size} {tree.root.hex()} {tree.chain.hex()}")
        self.stdout.write(f"sealed {len(trees)}")
