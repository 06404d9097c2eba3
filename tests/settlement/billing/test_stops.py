"""Time fees of stopped days are credited to the fen (domain.md scenario 72): how a close cuts them out, and who agrees with it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection

from products.models import User
from settlement.billing.models import Charge
from settlement.billing.selectors import steps_of
from settlement.billing.stopped import days_of, merged
from settlement.entitlements.models import EmergencyStop
from settlement.verify.run import mismatches
from settlement.whatif.history import load
from settlement.whatif.scope import Scope
from tests.settlement.books import NOVEMBER, OCTOBER, Books, component, document, moment

pytestmark = pytest.mark.django_db


def flat(price: str, period: str, **more):
    return {
        "code": "base",
        "label": "基础技术服务费",
        "basis": "periods",
        "model": "flat",
        "period": period,
        "price": price,
        **more,
    }


def stop(books: Books, start: str, end: str | None, kind: str = "product") -> EmergencyStop:
    stall = books.stall
    target = (
        {"product": stall.product}
        if kind == "product"
        else {"organisation": stall.operator if kind == "operator" else stall.buyer}
    )
    facts = {"reason": "file", "public_reason": "答复内容有误", "started_by": stall.user, "started_for": stall.authority}
    if end is not None:
        other, _new = User.objects.get_or_create(email="other@stall.example")
        facts |= {"lift_asked_by": stall.user, "lifted_by": other, "lifted_at": moment(end), "outcome": "recovery"}
    return EmergencyStop.objects.create(kind=kind, started_at=moment(start), **target, **facts)


def base_by_part(month: date = OCTOBER) -> list[tuple[str, str, str, str]]:
    """(from, to, gross, payable) of the base fee of each charge."""
    found = []
    for charge in Charge.objects.filter(month=month).order_by("service_month", "from_date"):
        for line in charge.quote["lines"]:
            if line["component"] == "base":
                found.append((f"{charge.from_date:%m-%d}", f"{charge.to_date:%m-%d}", line["gross"], line["payable"]))
    return found


def check(books: Books) -> None:
    """What was closed is what verify recomputes, and what the what-if bench replays."""
    assert list(mismatches()) == []
    scope = Scope(
        operator_id=books.stall.operator.pk, sector="", from_month=OCTOBER, to_month=date(2026, 12, 1), with_running=True
    )
    assert load(scope=scope, at=moment("2026-12-10 09:00")).mismatches() == []


def test_scenario_72_the_days_that_a_stop_touches_cost_no_time_fee(books):
    books.price(document(component(), flat("310.00", "month")))
    stop(books, "2026-10-10 14:00", "2026-10-12 09:00")
    books.use("100", "2026-10-05 12:00")
    books.use("10", "2026-10-10 08:00")
    books.use("50", "2026-10-20 12:00")
    books.close()
    assert base_by_part() == [
        ("10-01", "10-10", "90.00", "90.00"),
        ("10-10", "10-13", "30.00", "0.00"),
        ("10-13", "11-01", "190.00", "190.00"),
    ]
    units = [
        next(x["units"] for x in c.quote["lines"] if x["component"] == "calls") for c in Charge.objects.order_by("from_date")
    ]
    assert units == ["100", "10", "50"], "calls are charged with the days on which they were made"
    assert books.invoice().total == Decimal("280.00") + Decimal("80.00")
    check(books)


def test_scenario_72_the_line_says_which_days_and_why(books):
    books.price(document(component(), flat("310.00", "month")))
    stop(books, "2026-10-10 14:00", "2026-10-12 09:00")
    books.close()
    _first, cut, _last = (steps_of(charge) for charge in Charge.objects.order_by("from_date"))
    assert "2026-10-10" in cut["base"][0] and "2026-10-12" in cut["base"][0] and "答复内容有误" in cut["base"][0]
    assert "0.00" in cut["base"][-1]


def test_scenario_72_a_stop_over_a_month_end_is_credited_in_both_months(books):
    books.price(document(component(), flat("310.00", "month")))
    stop(books, "2026-10-30 20:00", "2026-11-02 10:00")
    books.close()
    books.close(NOVEMBER, "2026-12-04 09:00")
    assert books.invoice().total == Decimal("290.00")
    # 310.00 less round(310.00 × 2 ÷ 30) = 20.67
    assert books.invoice(NOVEMBER).total == Decimal("289.33")
    assert base_by_part(NOVEMBER) == [("11-01", "11-03", "20.67", "0.00"), ("11-03", "12-01", "289.33", "289.33")]
    check(books)


def test_scenario_72_two_stops_on_one_day_are_one_day(books):
    books.price(document(component(), flat("310.00", "month")))
    stop(books, "2026-10-10 09:00", "2026-10-10 10:00")
    stop(books, "2026-10-10 15:00", "2026-10-10 16:00")
    stop(books, "2026-10-10 15:30", "2026-10-10 18:00", kind="operator")
    books.close()
    assert books.invoice().total == Decimal("300.00")
    check(books)


def test_scenario_72_an_annual_plan_gives_back_its_days_of_the_year(books):
    books.price(document(component(), flat("12000.00", "year")))
    stop(books, "2026-10-10 14:00", "2026-10-12 09:00")
    books.close()
    # Year from 2026-06-22, 365 days: days 101 to 132 are October, 110 to 113 are stopped.
    # round(12000 × 132 ÷ 365) − round(12000 × 101 ÷ 365) = 4339.73 − 3320.55; less 3715.07 − 3616.44 = 98.63
    assert books.invoice().total == Decimal("1019.18") - Decimal("98.63")
    check(books)


def test_a_stop_that_still_holds_when_the_month_closes_reaches_to_its_end(books):
    books.price(document(component(), flat("310.00", "month")))
    held = stop(books, "2026-10-25 10:00", None, kind="operator")
    books.close()
    assert books.invoice().total == Decimal("240.00")
    other = User.objects.create(email="other@stall.example")
    EmergencyStop.objects.filter(pk=held.pk).update(
        lift_asked_by=books.stall.user, outcome="recovery", lifted_by=other, lifted_at=moment("2026-11-05 10:00")
    )
    check(books)


def test_a_month_that_is_stopped_whole_costs_only_the_calls_that_were_made_before(books):
    books.price(document(component(), flat("310.00", "month")))
    books.use("4", "2026-10-01 07:00")
    stop(books, "2026-10-01 08:00", "2026-11-01 00:00")
    books.close()
    assert books.invoice().total == Decimal("2.00")
    books.close(NOVEMBER, "2026-12-04 09:00")
    assert books.invoice(NOVEMBER).total == Decimal("310.00"), "lifted on the stroke of midnight: the new day is not touched"
    check(books)


def test_a_stop_of_the_buyer_or_of_a_plan_without_time_fees_changes_no_bill(books):
    books.price(document(component(), flat("310.00", "month")))
    stop(books, "2026-10-10 14:00", "2026-10-12 09:00", kind="buyer")
    pure = books.sell(plan=books.plan("pure", document(component())), code="E-pure")
    stop(books, "2026-10-20 14:00", "2026-10-21 09:00")
    books.use("6", "2026-10-20 10:00", pure)
    books.use("6", "2026-10-25 10:00", pure)
    books.close()
    assert books.invoice().total == Decimal("310.00") - Decimal("20.00") + Decimal("6.00")
    assert Charge.objects.filter(entitlement=pure).count() == 1
    check(books)


def test_discounts_counters_and_late_use_go_on_across_the_parts(books):
    tiers = [{"up_to": "100", "unit_price": "1.00"}, {"up_to": None, "unit_price": "0.50"}]
    discounts = [{"reason": "key_scenario", "percent": "30", "components": ["base", "calls"]}]
    books.price(document(component(model="graduated", tiers=tiers), flat("310.00", "month"), discounts=discounts))
    held = books.stall.entitlement
    held.discounts = ["key_scenario"]
    held.save()
    stop(books, "2026-10-10 14:00", "2026-10-12 09:00")
    books.use("80", "2026-10-05 12:00")
    books.use("60", "2026-10-20 12:00")
    books.close()
    # 70 % of 280.00, and of 100 × 1.00 + 40 × 0.50
    assert books.invoice().total == Decimal("196.00") + Decimal("84.00")
    books.use("10", "2026-10-10 09:00", received="2026-11-05 10:00")
    books.close(NOVEMBER, "2026-12-04 09:00")
    late = Charge.objects.filter(month=NOVEMBER, service_month=OCTOBER)
    # Counted where they were made, between the 80 and the 60: the ten cost 10 × 1.00, and the 60 lose as many at the first price.
    assert [(f"{c.from_date:%m-%d}", c.total) for c in late.order_by("from_date")] == [
        ("10-10", Decimal("7.00")),
        ("10-13", Decimal("-3.50")),
    ]
    check(books)


def test_a_yearly_counter_and_its_anniversary_are_cut_beside_the_stops(books):
    held = books.stall.entitlement
    held.anchor_date = date(2025, 10, 15)
    held.save()
    yearly = component(
        model="graduated",
        counts_over="year",
        tiers=[{"up_to": "10", "unit_price": "2.00"}, {"up_to": None, "unit_price": "1.00"}],
    )
    books.price(document(yearly, flat("3650.00", "year")))
    stop(books, "2026-10-10 14:00", "2026-10-12 09:00")
    stop(books, "2026-10-20 14:00", "2026-10-20 15:00")
    for day in (5, 11, 14, 16, 20, 25):
        books.use("8", f"2026-10-{day:02d} 07:00")
    books.close()
    # Five parts: 1, 10, 13, 15 (the year begins anew), 20, 21; 24 calls in each year: 10 × 2.00 + 14 × 1.00
    assert [f"{c.from_date:%d}" for c in Charge.objects.order_by("from_date")] == ["01", "10", "13", "15", "20", "21"]
    assert books.invoice().total == Decimal("68.00") + 27 * Decimal("10.00")
    check(books)


def test_an_entitlement_that_ends_in_the_month_is_cut_within_its_days(books):
    books.price(document(component(), flat("310.00", "month")))
    held = books.stall.entitlement
    held.valid_to = moment("2026-10-21 12:00")
    held.save()
    stop(books, "2026-10-19 14:00", "2026-10-20 09:00")
    books.use("2", "2026-10-21 11:00")
    books.use("3", "2026-10-18 11:00")
    books.close()
    assert books.invoice().total == Decimal("180.00") + Decimal("2.50")
    check(books)


def test_verify_finds_a_bill_that_does_not_follow_the_stops(books):
    books.price(document(component(), flat("310.00", "month")))
    stop(books, "2026-10-10 14:00", "2026-10-12 09:00")
    books.close()
    with connection.cursor() as cursor:  # as an edit in the database would
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE settlement_emergencystop SET lifted_at = lifted_at + interval '1 day'")
        cursor.execute("SET session_replication_role = origin")
    found = [wrong.text for _check, wrong in mismatches() if wrong.table == "settlement_charge"]
    assert any("emergency stops of 2026-10-13" in text for text in found)


def test_days_are_whole_and_runs_do_not_touch():
    until = date(2026, 11, 1)
    assert days_of(moment("2026-10-10 23:59"), moment("2026-10-11 00:00"), until) == (date(2026, 10, 10), date(2026, 10, 11))
    assert days_of(moment("2026-10-10 00:00"), moment("2026-10-10 00:00"), until) == (date(2026, 10, 10), date(2026, 10, 11))
    assert days_of(moment("2026-10-10 00:00"), moment("2026-10-11 00:01"), until) == (date(2026, 10, 10), date(2026, 10, 12))
    assert days_of(moment("2026-10-10 09:00"), None, until) == (date(2026, 10, 10), until)
    a, b, c, d = (date(2026, 10, n) for n in (1, 3, 5, 9))
    assert merged([(c, d), (a, b), (b, c)]) == [(a, d)] and merged([(c, d), (a, b)]) == [(a, b), (c, d)]
