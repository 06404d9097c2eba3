"""Usage that operators report: what is accepted, what is not and why; files of it."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from products.models import User
from settlement.entitlements.models import EmergencyStop
from settlement.metering.models import UsageEvent
from settlement.metering.reports import REASONS, report_usage
from tests.settlement.books import make_books
from tests.settlement.stall import START, Stall, make_stall


@pytest.fixture
def stall(db) -> Stall:
    return make_stall()


def cloud_event(stall: Stall, identifier: str = "1", data=None, **changes):
    event = {
        "specversion": "1.0",
        "id": identifier,
        "source": f"/operators/{stall.operator.slug}/meter",
        "type": "cn.gongshu.usage.v1",
        "subject": stall.entitlement.code,
        "time": "2026-10-19T09:00:00+08:00",
        "data": {"purpose": "industry.finance.pre_loan", "units": {"calls": "3"}, **(data or {})},
    }
    return event | changes


def report(stall: Stall, *events, operator: Stall | None = None):
    operator = operator or stall
    return report_usage(events=events, operator_id=operator.operator.pk, at=START)


def test_report_is_accepted_once_and_a_duplicate_after_that(stall):
    first, again = report(stall, cloud_event(stall), cloud_event(stall))
    assert (first.status, again.status) == ("accepted", "duplicate") and first.receipt == again.receipt
    row = UsageEvent.objects.get()
    assert (row.source, row.event_id, row.units, row.entitlement_id) == (
        "/operators/port-data-1/meter",
        "1",
        {"calls": "3"},
        stall.entitlement.pk,
    )
    (other,) = report(stall, cloud_event(stall, data={"units": {"calls": "4"}}))
    assert (other.status, other.reason) == ("rejected", "conflict")


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("malformed", {"specversion": "0.3"}),
        ("malformed", {"type": "com.example"}),
        ("malformed", {"id": ""}),
        ("malformed", {"id": 7}),
        ("malformed", {"time": "yesterday"}),
        ("malformed", {"time": "2026-10-19T09:00:00"}),
        ("malformed", {"time": "2026-13-19T09:00:00+08:00"}),
        ("malformed", {"data": []}),
        ("malformed", {"data": {"purpose": "industry.finance.pre_loan", "units": {}}}),
        ("malformed", {"data": {"units": {"calls": "1"}}}),
        ("units", {"data": {"purpose": "industry.finance.pre_loan", "units": {"calls": 1}}}),
        ("units", {"data": {"purpose": "industry.finance.pre_loan", "units": {"calls": "-1"}}}),
        ("units", {"data": {"purpose": "industry.finance.pre_loan", "units": {"calls": "0.1234567"}}}),
        ("units", {"data": {"purpose": "industry.finance.pre_loan", "units": {"calls": "1e3"}}}),
        ("units", {"data": {"purpose": "industry.finance.pre_loan", "units": {"bytes": "1"}}}),
        ("purpose", {"data": {"purpose": "industry.finance.post_loan", "units": {"calls": "1"}}}),
        ("malformed", {"data": {"purpose": "industry.finance.pre_loan." + "x" * 60, "units": {"calls": "1"}}}),
        ("malformed", {"data": {"purpose": "industry.finance.pre_loan.\0", "units": {"calls": "1"}}}),
        ("malformed", {"data": {"purpose": "industry.finance.pre_loan.A b", "units": {"calls": "1"}}}),
        ("units", {"data": {"purpose": "industry.finance.pre_loan", "units": {"calls": "1000000000000.000001"}}}),
        ("source", {"source": "/operators/somebody-else/meter"}),
        ("source", {"source": "/operators/port-data-1x/meter"}),
        ("entitlement", {"subject": "E0000"}),
        ("future", {"time": "2026-10-20T10:02:00+08:00"}),
        ("validity", {"time": "2026-01-19T09:00:00+08:00"}),
    ],
)
def test_report_that_breaks_a_rule_is_rejected_with_its_reason(stall, reason, changes):
    good, bad = report(stall, cloud_event(stall, "good"), cloud_event(stall, "bad") | changes)
    assert (good.status, bad.status, bad.reason) == ("accepted", "rejected", reason)
    assert reason in REASONS and bad.as_dict()["message"]
    assert UsageEvent.objects.count() == 1


@pytest.mark.parametrize("component", ["c" * 61, "cal\0", "", "two words"])
def test_component_that_no_column_holds_is_rejected_under_a_grant_and_the_others_are_recorded(db, component):
    books = make_books()
    code = books.grant().code
    data = {"purpose": "welfare.education"}
    events = [
        cloud_event(books.stall, f"{len(name)}", subject=code, data=data | {"units": {name: "1"}})
        for name in (component, "calls")
    ]
    wrong, right = report(books.stall, *events)
    assert (wrong.status, wrong.reason, right.status) == ("rejected", "units", "accepted")


def test_report_that_is_no_object_is_rejected(stall):
    assert [(a.status, a.id, a.reason) for a in report(stall, None, 7)] == [("rejected", None, "malformed")] * 2


def test_operator_cannot_report_use_of_anothers_entitlement(stall):
    other = make_stall(2)
    (answer,) = report(stall, cloud_event(stall, source="/operators/port-data-2/meter"), operator=other)
    assert answer.reason == "other_operator"


def test_report_within_the_clock_skew_is_accepted_and_before_the_end_of_an_entitlement(stall):
    stall.entitlement.ended_at = START - timedelta(days=1)
    stall.entitlement.save()
    before, after = report(stall, cloud_event(stall, "1"), cloud_event(stall, "2", time="2026-10-20T09:00:00Z"))
    assert after.reason == "future"
    (after,) = report(stall, cloud_event(stall, "3", time=(START - timedelta(hours=1)).isoformat()))
    assert (before.status, after.reason) == ("accepted", "validity")


def test_report_over_the_quota_is_rejected(stall):
    stall.limit(stall.entitlement, 4)
    assert [a.status or a.reason for a in report(stall, cloud_event(stall, "1"), cloud_event(stall, "2"))] == [
        "accepted",
        "rejected",
    ]


def test_import_prints_counts_and_reasons_and_may_be_run_again(stall, tmp_path, capsys):
    file = tmp_path / "usage.jsonl"
    lines = [json.dumps(cloud_event(stall, str(n))) for n in range(5)]
    file.write_text("\n".join([*lines, "", "{broken", json.dumps(cloud_event(stall, "x", subject="E0"))]), encoding="utf-8")
    call_command("import_usage", str(file))
    out = capsys.readouterr()
    assert out.out.splitlines() == ["accepted 5", "duplicate 0", "rejected 2"]
    assert "line 7, id -: malformed" in out.err and "line 8, id x: entitlement" in out.err
    call_command("import_usage", str(file))
    assert capsys.readouterr().out.splitlines() == ["accepted 0", "duplicate 5", "rejected 2"]


def test_import_of_a_missing_file_says_so(db, tmp_path):
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_usage", str(tmp_path / "none"))


@pytest.mark.parametrize("kind", ["product", "operator", "buyer"])
def test_scenario_72_use_of_the_time_of_a_stop_is_refused_and_what_was_before_or_after_is_not(stall, kind):
    target = (
        {"product": stall.product}
        if kind == "product"
        else {"organisation": stall.operator if kind == "operator" else stall.buyer}
    )
    times = {"started_at": START - timedelta(hours=3), "lifted_at": START - timedelta(hours=1)}
    lifted = {"lift_asked_by": stall.user, "lifted_by": User.objects.create(email="b@stall.example"), "outcome": "recovery"}
    facts = {"kind": kind, "reason": "r", "public_reason": "p", "started_by": stall.user, "started_for": stall.authority}
    EmergencyStop.objects.create(**target, **times, **lifted, **facts)
    moments = [times["started_at"] - timedelta(seconds=1), times["started_at"], times["lifted_at"] - timedelta(seconds=1)]
    moments.append(times["lifted_at"])
    events = [cloud_event(stall, str(n), time=moment.isoformat()) for n, moment in enumerate(moments)]
    answers = report(stall, *events)
    assert [(a.status, a.reason) for a in answers] == [
        ("accepted", ""),
        ("rejected", "stopped"),
        ("rejected", "stopped"),
        ("accepted", ""),
    ]
