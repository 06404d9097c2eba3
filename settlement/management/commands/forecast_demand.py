"""``forecast_demand``: the monthly forecasts that are missing, up to the month after the last close."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from products.record.clock import now
from settlement.oversight.forecasts import forecasts_catch_up


class Command(BaseCommand):
    help = "Forecast charged volume from each closed month that has no forecast yet. Again makes nothing new."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{forecasts_catch_up(at=now())} outlooks made")
