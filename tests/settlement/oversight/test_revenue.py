"""The permitted-revenue account: closed and running months, what counts and what does not, warnings, assessments."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from pricing.models import PermittedRevenue, RevenueWarning
from pricing.revenue.assessments import (
    AssessmentOutOfOrder,
    AssessmentUnchanged,
    AssessorConfirms,
    PeriodNotOver,
    assessment_confirm,
    assessment_make,
)
from pricing.revenue.permitted import permitted_revenue_agree, permitted_revenue_determine
from pricing.revenue.permitted_refusals import FiguresOutdated, NotAssessed
from pricing.revenue.permitted_work import deducted
from products.models import AuditEntry, Case, Notice
from products.organisations.selectors import RoleMissing
from products.record.calendar import calendar_load
from settlement.billing.models import BillingMonth, Charge, Invoice
from settlement.billing.services import close_month
from settlement.oversight.assessing import MonthsNotClosed, assess, closed_revenue
from settlement.oversight.revenue import account, accounts, revenue_by_month
from settlement.oversight.warnings import warn, warning_note
from tests.pricing.revenue.operation import MILLION, drafted, make_filing, opened
from tests.settlement.books import NOVEMBER, OCTOBER, component, document, make_books, merchant_right, moment
from tests.settlement.oversight.operations import permit

pytestmark = pytest.mark.django_db
TODAY = date(2026, 10, 20)
DECEMBER = date(2026, 12, 1)


@pytest.fixture
def books(db):
    return make_books()


@pytest.fixture
def year(cast, books):
    """A maximum of 1 000.00 for 2026, of an operation in the regulator's region."""
    own = books.stall.authorisation
    own.region, own.operating_since = "330200", date(2024, 11, 1)
    own.save()
    return permit(cast, books, 1_000_00)


def test_the_running_month_is_rated_as_the_close_will_rate_it_and_nothing_is_written(books, year):
    books.use("1060", "2026-10-05 12:00")
    found = account(permitted_revenue=year, today=TODAY)
    assert (found.closed_minor, found.running_minor, found.percent) == (0, 500_00, Decimal("50.0"))  # 530.00 less 6 % VAT
    assert not Charge.objects.exists() and not Invoice.objects.exists()
    books.close()
    closed = account(permitted_revenue=year, today=date(2026, 11, 4))
    assert (closed.closed_minor, closed.running_minor) == (500_00, 0)
    assert [(row.month.month, row.state, row.net_minor) for row in closed.months][8:] == [
        (9, "closed", 0),
        (10, "closed", 500_00),
        (11, "running", 0),
        (12, "ahead", 0),
    ]


def test_revenue_stands_by_month_and_by_product(books, year):
    books.use("106", "2026-09-05 12:00")
    books.use("212", "2026-10-05 12:00")
    found = account(permitted_revenue=year, today=TODAY)
    assert [row.so_far_minor for row in found.months][7:10] == [0, 50_00, 150_00]
    (row,) = found.products
    assert (row.product, row.net_minor, row.by_month) == (books.stall.product, 150_00, {date(2026, 9, 1): 50_00, OCTOBER: 100_00})
    months = revenue_by_month(
        authorisation=books.stall.authorisation, from_date=date(2026, 1, 1), to_date=date(2027, 1, 1), today=TODAY
    )
    assert months == {date(2026, 9, 1): 50_00, OCTOBER: 100_00}


def test_a_fixed_fee_of_the_running_month_counts_by_the_days_that_have_passed(books, year):
    flat = {"code": "base", "label": "基础费", "basis": "periods", "model": "flat", "period": "month", "price": "328.60"}
    books.price(document(flat))
    found = account(permitted_revenue=year, today=TODAY)
    by_month = {row.month: row.net_minor for row in found.months}
    assert by_month[OCTOBER] == 200_00  # 310.00 net a month, 20 of its 31 days


def test_late_use_of_a_closed_month_counts_in_its_own_month(books, year):
    books.use("106")
    books.close()
    books.use("106", "2026-10-31 23:00", received="2026-11-05 10:00")
    found = account(permitted_revenue=year, today=date(2026, 11, 6))
    assert (found.closed_minor, found.running_minor) == (50_00, 50_00)
    assert {row.month: row.net_minor for row in found.months}[OCTOBER] == 100_00


@pytest.mark.parametrize("regime", ["market", "free"])
def test_scenario_46_market_priced_and_free_products_are_outside_the_account(books, year, regime):
    books.use("106")
    product = books.stall.product
    product.regime = regime
    product.save()
    assert account(permitted_revenue=year, today=TODAY).revenue_minor == 0


def test_scenario_46_what_a_merchant_earns_is_not_its_source_operators_permitted_revenue(books, year):
    merchant = merchant_right(books)
    books.use("106")
    for day in ("2026-10-05 12:00", "2026-11-05 12:00"):
        books.use("1060", day, merchant)
    books.close()
    found = account(permitted_revenue=year, today=date(2026, 11, 6))
    assert (found.closed_minor, found.running_minor) == (50_00, 0)
    assert [row.product for row in found.products] == [books.stall.product]
    span = {"from_date": date(2026, 1, 1), "to_date": date(2027, 1, 1), "today": date(2026, 11, 6)}
    assert revenue_by_month(authorisation=books.stall.authorisation, **span) == {OCTOBER: 50_00}


def test_free_use_is_never_revenue(books, year):
    grant = books.grant()
    books.use("50", entitlement=grant, is_free=True)
    assert account(permitted_revenue=year, today=TODAY).revenue_minor == 0


def test_another_operation_is_another_account(cast, books, year):
    other = make_books(2)
    other.use("530")
    books.use("106")
    second = permit(cast, other, 2_000_00)
    found = accounts(permitted_revenues=[second, year], today=TODAY)
    assert [each.revenue_minor for each in found] == [250_00, 50_00]


def test_a_month_that_cannot_be_rated_is_said_and_the_closed_ones_stand(books, year):
    books.use("106")
    books.close()
    books.use({"unknown": "1"}, "2026-11-05 12:00")
    found = account(permitted_revenue=year, today=date(2026, 11, 6))
    assert found.closed_minor == 50_00 and "unknown" in found.problem and found.crossing is None


def test_accounts_cost_the_same_number_of_queries_for_one_and_for_three(cast, books, year, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    books.use("106")
    own = [year]
    with CaptureQueriesContext(connection) as one:
        accounts(permitted_revenues=own, today=TODAY)
    for serial in (2, 3):
        other = make_books(serial)
        other.use("106")
        own.append(permit(cast, other, 1_000_00))
    own = list(PermittedRevenue.objects.order_by("id"))
    with django_assert_num_queries(len(one)):
        accounts(permitted_revenues=own, today=TODAY)


def test_the_crossing_day_is_forecast_with_its_interval(books, year):
    for month in ("06", "07", "08", "09"):
        books.use("318", f"2026-{month}-28 12:00")  # 150.00 a month
    books.use("212", "2026-10-05 12:00")
    found = account(permitted_revenue=year, today=TODAY).crossing
    assert found.low <= found.middle <= date(2026, 12, 31)
    assert found.share_low <= found.share_middle <= found.share_high


def test_scenario_30_at_90_and_100_per_cent_three_bodies_are_warned_once_and_sales_go_on(cast, books, year, clock):
    year.authorisation.operator.memberships.create(user=cast.operator.owner, roles=["owner"], created_at=clock.now)
    for month in ("07", "08", "09"):
        books.use("636", f"2026-{month}-28 12:00")  # 300.00 each
    found = warn(at=clock.now)
    assert [(warning.percent, warning.revenue_minor) for warning in found] == [(90, 900_00)]
    assert warn(at=clock.move(days=1)) == []
    books.use("318", "2026-10-21 12:00")
    assert [warning.percent for warning in warn(at=clock.move(days=1))] == [100]
    told = Notice.objects.filter(kind="revenue_warning.reached")
    assert set(told.values_list("organisation__kind", flat=True)) == {"operator", "price_regulator", "data_bureau"}
    assert AuditEntry.objects.filter(action="revenue_warning.reached").count() == 2
    books.use("1", "2026-10-22 12:00")  # not blocked
    shown = account(permitted_revenue=year, today=clock.now.date())
    assert shown.reached == [100, 90] and shown.over_minor > 0 and shown.suggested_cut == Decimal(100)
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        RevenueWarning.objects.update(percent=50)


def test_both_marks_are_told_where_both_are_passed_between_two_runs(books, year, clock):
    books.use("2200", "2026-10-05 12:00")
    assert [warning.percent for warning in warn(at=clock.now)] == [90, 100]


def test_a_price_cut_is_suggested_before_the_maximum_is_passed(books, year):
    for month in ("06", "07", "08", "09"):
        books.use("424", f"2026-{month}-28 12:00")  # 200.00 each
    books.use("200", "2026-10-10 12:00")
    found = account(permitted_revenue=year, today=TODAY)
    assert found.left_minor > 0 and 0 < found.suggested_cut < 100


def test_the_case_of_a_warning_is_closed_with_what_follows(cast, books, year, clock):
    books.use("1908")
    (warning,) = warn(at=clock.now)
    with pytest.raises(RoleMissing):
        warning_note(warning=warning, note="降价", user=cast.operator.owner, at=clock.now)
    warning_note(warning=warning, note="已建议下调价格", user=cast.regulator.owner, at=clock.now)
    assert Case.objects.get(kind="revenue_warning").outcome == "noted"


def close_the_year(books):
    for month, day in ((OCTOBER, "2026-11-04"), (NOVEMBER, "2026-12-04"), (DECEMBER, "2027-01-04")):
        close_month(month=month, at=moment(f"{day} 09:00"))


def test_an_assessment_waits_for_the_end_and_for_closed_months(cast, books, year, clock):
    books.use("106")
    with pytest.raises(MonthsNotClosed):
        assess(permitted_revenue=year, user=cast.regulator.owner, at=moment("2027-01-10 09:00"))
    revenue = closed_revenue(year)
    with pytest.raises(PeriodNotOver):
        assessment_make(permitted_revenue=year, revenue=revenue, user=cast.regulator.owner, at=moment("2026-12-31 23:00"))


@pytest.fixture
def assessed(cast, books, year):
    """2026 with 1 600.00 earned of 1 000.00: 600.00 above."""
    books.use("3392")
    close_the_year(books)
    at = moment("2027-01-10 09:00")
    made = assess(permitted_revenue=year, user=cast.regulator.owner, at=at)
    return assessment_confirm(assessment=made, user=cast.regulator.decider, at=at)


def test_scenario_26_what_was_earned_above_is_carried_and_the_next_maximum_falls_by_exactly_that(cast, books, year, assessed):
    assert (assessed.revenue_minor, assessed.excess_minor, assessed.carry_minor) == (1_600_00, 600_00, 600_00)
    year.refresh_from_db()
    assert year.state == "closed" and assessed.document.is_public
    filing = make_filing(cast, books.stall.authorisation, moment("2027-01-12 09:00"), admitted=8 * MILLION)
    new = {"from_date": date(2027, 1, 1), "last_date": date(2027, 12, 31)}
    own = drafted(cast, books.stall.authorisation, moment("2027-01-12 09:00"), filing, **new)
    assert (own.deducts, own.deduction_minor) == (assessed, 600_00)
    assert own.amount_minor == 8_835_200_00 - 600_00


def test_a_draft_from_before_the_assessment_is_worked_out_anew(cast, books, year):
    books.use("3392")
    close_the_year(books)
    at = moment("2027-01-10 09:00")
    calendar_load(year=2027, days=[(date(2027, 1, 1), False, "元旦")], source="made up", user=None, at=at)
    filing = make_filing(cast, books.stall.authorisation, at)
    new = {"from_date": date(2027, 1, 1), "last_date": date(2027, 12, 31)}
    own = opened(cast, books.stall.authorisation, at, filing, **new)
    permitted_revenue_agree(permitted_revenue=own, user=cast.data_bureau.reviewer, at=at)
    determine = {"permitted_revenue": own, "user": cast.regulator.decider, "at": moment("2027-03-10 09:00")}
    with pytest.raises(NotAssessed):
        permitted_revenue_determine(**determine)
    made = assess(permitted_revenue=year, user=cast.regulator.owner, at=at)
    assessment_confirm(assessment=made, user=cast.regulator.decider, at=at)
    with pytest.raises(FiguresOutdated):
        permitted_revenue_determine(**determine)


def test_scenario_27_what_was_not_earned_is_shown_as_a_policy_option_only(cast, books, year):
    books.use("1992.8")
    close_the_year(books)
    made = assess(permitted_revenue=year, user=cast.regulator.owner, at=moment("2027-01-10 09:00"))
    assert (made.revenue_minor, made.carry_minor, made.shortfall_minor) == (940_00, 0, 60_00)


def test_scenario_28_an_excess_above_the_next_maximum_is_carried_further(cast, books, year, clock):
    year = permit(cast, books, 0, start=date(2027, 1, 1), end=date(2028, 1, 1), deduction_minor=500_00, carry_on_minor=100_00)
    BillingMonth.objects.create(month=date(2027, 12, 1), state="closed", closed_at=clock.now)
    made = assess(permitted_revenue=year, user=cast.regulator.owner, at=moment("2028-01-10 09:00"))
    assert (made.excess_minor, made.facts["carry_on_minor"]) == (0, 100_00)
    assert made.carry_minor == 100_00


def test_who_assesses_does_not_confirm_and_only_the_regulator_does_either(cast, books, year):
    close_the_year(books)
    at = moment("2027-01-10 09:00")
    for person in (cast.operator.owner, cast.authority.owner, cast.data_bureau.owner, cast.stranger):
        with pytest.raises(RoleMissing):
            assess(permitted_revenue=year, user=person, at=at)
    made = assess(permitted_revenue=year, user=cast.regulator.owner, at=at)
    assert deducted(books.stall.authorisation, date(2027, 1, 1)) is None, "not confirmed, not deducted"
    with pytest.raises(AssessorConfirms):
        assessment_confirm(assessment=made, user=cast.regulator.owner, at=at)
    with pytest.raises(RoleMissing):
        assessment_confirm(assessment=made, user=cast.data_bureau.owner, at=at)
    with pytest.raises(AssessmentOutOfOrder):
        assess(permitted_revenue=year, user=cast.regulator.decider, at=at)
    with pytest.raises(IntegrityError, match="by_two_people"), transaction.atomic():
        type(made).objects.filter(pk=made.pk).update(confirmed_by=made.made_by, confirmed_at=at)


def test_late_use_billed_after_the_end_restates_the_assessment_in_a_new_row(cast, books, year, assessed):
    with pytest.raises(AssessmentUnchanged):
        assess(permitted_revenue=year, user=cast.regulator.owner, at=moment("2027-01-11 09:00"))
    books.use("212", "2026-12-31 23:00", received="2027-01-11 10:00")
    close_month(month=date(2027, 1, 1), at=moment("2027-02-04 09:00"))
    at = moment("2027-02-05 09:00")
    again = assess(permitted_revenue=year, user=cast.regulator.owner, at=at)
    assert (again.restates, again.revenue_minor, again.carry_minor) == (assessed, 1_700_00, 700_00)
    assert deducted(books.stall.authorisation, date(2027, 1, 1)) == assessed, "the confirmed one holds"
    assessment_confirm(assessment=again, user=cast.regulator.decider, at=at)
    assert deducted(books.stall.authorisation, date(2027, 1, 1)) == again
    with pytest.raises(IntegrityError, match="keeps_its_content"), transaction.atomic():
        type(again).objects.filter(pk=assessed.pk).update(carry_minor=0)


def test_a_restatement_after_the_deduction_corrects_the_carry_of_the_next_period(cast, books, year, assessed):
    second = permit(cast, books, 1_000_00, start=date(2027, 1, 1), end=date(2028, 1, 1), deduction_minor=600_00, deducts=assessed)
    books.use("212", "2026-12-31 23:00", received="2027-01-11 10:00")
    close_month(month=date(2027, 1, 1), at=moment("2027-02-04 09:00"))
    again = assess(permitted_revenue=year, user=cast.regulator.owner, at=moment("2027-02-05 09:00"))
    assessment_confirm(assessment=again, user=cast.regulator.decider, at=moment("2027-02-05 10:00"))
    BillingMonth.objects.create(month=date(2027, 12, 1), state="closed", closed_at=moment("2028-01-04 09:00"))
    made = assess(permitted_revenue=second, user=cast.regulator.owner, at=moment("2028-01-10 09:00"))
    assert (made.facts["correction_minor"], made.excess_minor, made.carry_minor) == (100_00, 0, 100_00)


def test_components_of_a_month_are_not_double_counted_where_a_tariff_changes_inside_it(books, year):
    books.price(document(component(unit_price="0.40")), from_date=date(2026, 10, 11))
    books.use("106", "2026-10-05 12:00")
    books.use("265", "2026-10-12 12:00")
    assert account(permitted_revenue=year, today=TODAY).revenue_minor == 150_00
