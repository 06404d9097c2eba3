"""The clock of a case: scenarios 3 to 5 and 80 of domain.md."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from django.utils import translation

from products.record import calendar, cases
from products.record.cases import CaseNotOpen, CaseNotWaiting, DaysLeft, days_left


def noon(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}T12:00:00+08:00")


@pytest.fixture
def file(cast):
    def opened(day, limit):
        return cases.open_case(
            kind="registration.review",
            obj=("thing", "1"),
            applicant=cast.operator.organisation,
            handler=cast.registry.organisation,
            limit_days=limit,
            at=noon(day),
            actor=cast.registry.owner,
        )

    return opened


def test_a_review_accepted_on_15_september_is_due_on_19_october(file):
    case = file("2026-09-15", 20)
    assert days_left(case=case, today=date(2026, 9, 15)) == DaysLeft("open", days=20, used=0, due=date(2026, 10, 19))
    assert days_left(case=case, today=date(2026, 10, 19)).days == 0
    late = days_left(case=case, today=date(2026, 10, 20))
    assert late.days == -1
    assert late.is_late


def test_publicity_over_the_spring_festival_ends_on_2_march(file):
    assert days_left(case=file("2026-02-10", 10), today=date(2026, 2, 10)).due == date(2026, 3, 2)


def test_the_clock_stands_at_day_8_while_corrections_are_awaited(file, cast):
    case = file("2026-09-15", 20)
    stopped = calendar.add_working_days(date(2026, 9, 15), 8)
    cases.ask_corrections(case=case, actor=cast.registry.owner, at=noon(stopped.isoformat()), note="缺少承诺书")
    resumed = calendar.add_working_days(stopped, 6)
    waiting = days_left(case=case, today=resumed)
    assert (waiting.used, waiting.days, waiting.due) == (8, 12, None)
    cases.resume(case=case, actor=cast.operator.owner, at=noon(resumed.isoformat()))
    running = days_left(case=case, today=resumed)
    assert running.used == 8
    assert running.due == calendar.add_working_days(resumed, 12)


def test_a_limit_in_a_year_not_loaded_is_not_computable_and_the_filing_goes_on(file, cast, clock):
    case = file("2026-12-20", 20)
    left = days_left(case=case, today=date(2026, 12, 20))
    assert left.missing_year == 2027
    with translation.override("en"):
        assert str(left) == "not computable: 2027 not loaded"
    cases.ask_corrections(case=case, actor=cast.registry.owner, at=noon("2027-01-05"), note="?")
    cases.resume(case=case, actor=cast.operator.owner, at=noon("2027-01-07"))
    calendar.calendar_load(year=2027, days=[(date(2027, 1, 1), False, "")], source="x", user=cast.platform.owner, at=clock.now)
    assert days_left(case=case, today=date(2027, 1, 8)).used == 9 + 2 + 1  # 21–31 December, 4–5 January, 8 January


def test_a_closed_case_stays_closed(file, cast):
    case = file("2026-09-15", 20)
    cases.close(case=case, outcome="accepted", actor=cast.registry.owner, at=noon("2026-09-16"))
    assert days_left(case=case, today=date(2026, 12, 1)) == DaysLeft("closed", used=1)
    with pytest.raises(CaseNotOpen):
        cases.close(case=case, outcome="refused", actor=cast.registry.owner, at=noon("2026-09-17"))
    with pytest.raises(CaseNotOpen):
        cases.ask_corrections(case=case, actor=cast.registry.owner, at=noon("2026-09-17"), note="x")
    with pytest.raises(CaseNotWaiting):
        cases.resume(case=case, actor=cast.registry.owner, at=noon("2026-09-17"))


def test_the_file_says_who_did_what(file, cast):
    case = file("2026-09-15", 20)
    cases.note(case=case, actor=cast.registry.owner, at=noon("2026-09-16"), note="电话核实")
    assert list(case.events.order_by("id").values_list("kind", "note")) == [("opened", ""), ("note", "电话核实")]
