"""Annual reports and the move from trial to formal prices."""

from datetime import date, datetime

import pytest
from django.db import IntegrityError, transaction

from pricing.models import OperationReport
from pricing.revenue.reports import (
    ReportRefused,
    ask_for_formal_prices,
    operation_report_file,
    report_deadline,
    reports_due,
)
from pricing.revenue.standing import on_trial
from products.models import AuditEntry, Case, Notice
from products.organisations.selectors import RoleMissing
from tests.factories.offers import make_product
from tests.pricing.revenue.operation import determined, make_operation

pytestmark = pytest.mark.django_db


def moment(text):
    return datetime.fromisoformat(f"{text}+08:00")


@pytest.fixture
def operation(cast, clock):
    return make_operation(cast, clock.now)


def test_scenario_25_when_the_first_full_year_completes_the_move_is_asked_for_once(cast, clock, operation):
    product = make_product(cast, clock.now, "on-trial", authorisation=operation)
    make_product(cast, clock.now, "free-one", authorisation=operation, regime="free")
    assert ask_for_formal_prices(at=moment("2025-12-31 23:00")) == []
    (case,) = ask_for_formal_prices(at=moment("2026-01-01 01:30"))
    assert (case.kind, case.handler, case.applicant) == ("trial_to_formal", cast.regulator.organisation, operation.operator)
    assert case.limit_days == 60
    told = Notice.objects.filter(kind="trial_to_formal.due")
    assert set(told.values_list("organisation__kind", flat=True)) == {"operator", "price_regulator", "authorising_body"}
    assert told.first().facts["products"] == product.name
    assert list(on_trial(operation)) == [product]
    assert ask_for_formal_prices(at=moment("2026-01-02 01:30")) == []


def test_the_move_is_not_asked_of_operations_that_have_a_maximum(cast, clock, operation):
    determined(cast, operation, clock.now)
    assert ask_for_formal_prices(at=clock.now) == []


def test_a_determination_closes_what_was_asked_for(cast, clock, operation):
    ask_for_formal_prices(at=clock.now)
    determined(cast, operation, clock.now)
    assert Case.objects.get(kind="trial_to_formal").outcome == "formal"


def test_the_report_is_due_on_31_march_and_overdue_after(cast, clock, operation):
    assert report_deadline(authorisation=operation, year=2025) == date(2026, 3, 31)
    found = reports_due(authorisations=[operation], today=date(2026, 3, 31))
    assert [(due.year, due.is_overdue(date(2026, 3, 31))) for due in found] == [(2025, False)]  # no rule asked for 2024
    assert reports_due(authorisations=[operation], today=date(2026, 4, 1))[0].is_overdue(date(2026, 4, 1))


def test_the_operator_files_once_a_year_and_three_bodies_are_told(cast, clock, operation):
    given = {"authorisation": operation, "year": 2025, "user": cast.operator.owner, "at": clock.now}
    for changes, field in (({"year": 2026}, "year"), ({"year": 2023}, "year"), ({"summary": " "}, "summary")):
        with pytest.raises(ReportRefused) as refused:
            operation_report_file(**{**given, "summary": "全年运行平稳。", **changes})
        assert refused.value.field == field
    with pytest.raises(RoleMissing):
        operation_report_file(**{**given, "summary": "…", "user": cast.buyer.owner})
    report = operation_report_file(**given, summary="全年运行平稳。")
    with pytest.raises(ReportRefused):
        operation_report_file(**given, summary="又一份")
    told = Notice.objects.filter(kind="operation_report.filed")
    assert set(told.values_list("organisation__kind", flat=True)) == {"price_regulator", "data_bureau", "authorising_body"}
    assert AuditEntry.objects.filter(action="operation_report.filed").count() == 1
    due = reports_due(authorisations=[operation], today=clock.now.date())
    assert due[0].report == report and not due[0].is_overdue(clock.now.date())
    with pytest.raises(IntegrityError), transaction.atomic():
        OperationReport.objects.update(summary="…")
