"""The demo's chapter on the permitted revenue can be told by people of those roles."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from market.demo.permitted import YEAR, determine_maximum, report_year
from pricing.revenue.standing import permitted_revenue_on
from tests.pricing.revenue.operation import make_filing, make_operation

pytestmark = pytest.mark.django_db


def test_the_maximum_of_the_demo_is_determined_by_its_people(cast, clock):
    operation = make_operation(cast, clock.now)
    make_filing(cast, operation, clock.now)
    told = SimpleNamespace(
        bodies={
            "jiangshu": cast.operator.organisation,
            "regulator": cast.regulator.organisation,
            "authority": cast.authority.organisation,
        },
        people={
            "regulator_checker": cast.regulator.owner,
            "regulator": cast.regulator.decider,
            "data_bureau": cast.data_bureau.reviewer,
            "authority": cast.authority.owner,
        },
        of=lambda body: cast.operator.owner,
    )
    own = determine_maximum(told)  # type: ignore[arg-type]
    assert (own.state, own.amount_minor) == ("determined", 8_835_200_00)
    assert permitted_revenue_on(authorisation=operation, on=YEAR[1]) == own
    report_year(told)  # type: ignore[arg-type]
    assert operation.operation_reports.get().year == 2025
