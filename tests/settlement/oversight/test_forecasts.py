"""Forecasts from usage: made once for a closed month, kept, held against what came; free use and late news stay out."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from pricing.estimation.months import months_from
from products.record.models import AuditEntry
from settlement.billing.models import BillingMonth
from settlement.oversight import forecasts
from settlement.oversight.models import ChargedVolume, DemandForecast, DemandOutlook
from tests.settlement.books import Books, make_books, moment

pytestmark = pytest.mark.django_db
JANUARY, OCTOBER = date(2026, 1, 1), date(2026, 10, 1)
NOW = moment("2026-11-04 10:00")
USED = (100, 60, 120, 130, 135, 150, 140, 160, 170)


@pytest.fixture
def books(db) -> Books:
    """Nine months of use from January to September 2026, and their months closed."""
    books = make_books()
    for month, units in zip(months_from(JANUARY, 9), USED, strict=True):
        books.use(str(units), f"{month:%Y-%m}-12 12:00")
    close(months_from(JANUARY, 9))
    return books


def close(these: list[date]) -> None:
    for month in these:
        BillingMonth.objects.update_or_create(month=month, defaults={"state": "closed", "closed_at": NOW})


def test_units_are_counted_by_product_component_and_month(books):
    product = books.stall.product
    assert forecasts.monthly_units(before=date(2026, 4, 1)) == {
        (product.pk, "calls"): {month: Decimal(units) for month, units in zip(months_from(JANUARY, 3), USED, strict=False)}
    }


def test_free_use_is_no_demand(books):
    books.use("5000", "2026-09-20 12:00", books.grant())
    assert forecasts.monthly_units(before=OCTOBER)[books.stall.product.pk, "calls"][date(2026, 9, 1)] == 170


def test_use_that_was_told_late_is_not_known_before(books):
    books.use("5000", "2026-09-20 12:00", received="2026-11-03 12:00")
    key = books.stall.product.pk, "calls"
    assert forecasts.monthly_units(before=OCTOBER)[key][date(2026, 9, 1)] == 170
    assert forecasts.monthly_units(before=date(2026, 12, 1))[key][date(2026, 9, 1)] == 5170


def test_the_job_makes_each_closed_month_once(books):
    assert forecasts.latest_made_from() == OCTOBER
    assert forecasts.forecasts_catch_up(at=NOW) == 7  # from April, when three months were known, to October
    assert forecasts.forecasts_catch_up(at=NOW) == 0
    assert set(DemandForecast.objects.filter(made_from=OCTOBER).values_list("month", flat=True)) == set(months_from(OCTOBER, 12))
    assert ChargedVolume.objects.count() == 9
    assert AuditEntry.objects.filter(action="demand.forecast_made").count() == 7


def test_the_command_says_what_it_made(books):
    out = StringIO()
    call_command("forecast_demand", stdout=out)
    assert out.getvalue().strip() == "7 outlooks made"


@pytest.mark.parametrize("table", ["demandforecast", "demandoutlook", "chargedvolume"])
def test_what_was_kept_never_changes(books, table):
    forecasts.forecasts_make(made_from=OCTOBER, at=NOW)
    for change in (f"UPDATE settlement_{table} SET component = 'x'", f"DELETE FROM settlement_{table}"):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(change)


def test_forecasts_are_held_against_what_came(books):
    forecasts.forecasts_catch_up(at=NOW)
    product = books.stall.product
    found = forecasts.came(product_ids=[product.pk])[product.pk, "calls"]
    assert [(one.month, one.units) for one in found] == [
        (month, Decimal(units)) for month, units in zip(months_from(date(2026, 4, 1), 6), USED[3:], strict=True)
    ]
    assert [one.baseline for one in found] == [Decimal(units) for units in USED[2:8]]  # naive: less than a year is known
    summed = forecasts.record_of(found)
    assert summed.months == 6
    assert summed.baseline_error == Decimal(10 + 5 + 15 + 10 + 20 + 10) / 6
    assert summed.within == sum(one.low <= one.units <= one.high for one in found)
    assert forecasts.record_of([]) is None


def test_the_expected_year_is_the_last_that_was_kept(books):
    product = books.stall.product
    before = forecasts.expected_year(product=product, component="calls", on=OCTOBER)
    assert (before.reason, before.middle, before.made_from) == ("too_little_data", None, None)
    forecasts.forecasts_catch_up(at=NOW)
    early = forecasts.expected_year(product=product, component="calls", on=date(2026, 4, 15))
    assert (early.reason, early.middle, early.made_from) == ("too_little_data", None, date(2026, 4, 1))
    year = forecasts.expected_year(product=product, component="calls", on=date(2026, 11, 10))
    assert year.made_from == OCTOBER
    assert 1000 < year.low < year.middle < year.high < 4000
    assert forecasts.expected_year(product=product, component="records", on=OCTOBER).reason == "too_little_data"


def test_a_month_without_use_in_between_counts_as_none(db):
    books = make_books()
    for month in (1, 2, 4, 5, 7):
        books.use("10", f"2026-0{month}-12 12:00")
    close(months_from(JANUARY, 7))
    forecasts.forecasts_make(made_from=date(2026, 8, 1), at=NOW)
    assert [volume.units for volume in forecasts.volumes(product=books.stall.product, component="calls")] == [
        10,
        10,
        0,
        10,
        10,
        0,
        10,
    ]


def test_two_months_of_use_are_too_little(db):
    books = make_books()
    for month in (8, 9):
        books.use("10", f"2026-0{month}-12 12:00")
    close(months_from(JANUARY, 9))
    forecasts.forecasts_make(made_from=OCTOBER, at=NOW)
    outlook = DemandOutlook.objects.get()
    assert (outlook.method, outlook.reason, outlook.year_middle) == ("too_little_data", "too_little_data", None)
    assert forecasts.months_ahead(outlook=outlook) == []
