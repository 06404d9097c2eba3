"""A stall with a determined permitted revenue, for tests of the account: use is priced at 0.50 with VAT inside."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.backends.postgresql.psycopg_any import DateRange

from pricing.revenue.models import PermittedRevenue
from tests.factories.cast import Cast
from tests.pricing.revenue.operation import SOURCE, YIELD
from tests.settlement.books import FILED, Books


@dataclass
class Watched:
    """Books whose operation is watched: ``books.use(...)`` earns, ``own`` is the maximum."""

    books: Books
    cast: Cast
    own: PermittedRevenue


def permit(
    cast: Cast, books: Books, amount_minor: int, *, start: date = date(2026, 1, 1), end: date = date(2027, 1, 1), **more: Any
) -> PermittedRevenue:
    """A permitted revenue as determined, of exactly so many fen; the way there has its own tests."""
    values: dict[str, Any] = {
        "authorisation": books.stall.authorisation,
        "regulator": cast.regulator.organisation,
        "data_bureau": cast.data_bureau.organisation,
        "period": DateRange(start, end),
        "rules": {"revenue_warning_percents": {"value": [90, 100]}, "over_recovery_interest": {"value": "0"}},
        "cost_minor": amount_minor,
        "treasury_yield": YIELD,
        "treasury_source": SOURCE,
        "profit_rate": "0",
        "profit_minor": 0,
        "income_tax_rate": "0.25",
        "tax_minor": 0,
        "year_minor": amount_minor,
        "prorated_minor": amount_minor + more.get("deduction_minor", 0),
        "amount_minor": amount_minor,
        "state": "determined",
        "drafted_by": cast.regulator.owner,
        "drafted_at": FILED,
        "agreed_by": cast.data_bureau.owner,
        "agreed_at": FILED,
        "determined_by": cast.regulator.decider,
        "determined_at": FILED,
    }
    return PermittedRevenue.objects.create(**values | more)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+08:00")
