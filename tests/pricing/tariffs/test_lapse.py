"""A filed tariff that nobody returned in time stands, and its case ends."""

from datetime import date, timedelta

import pytest

from pricing.tariffs.lapse import tariffs_stand
from products.models import AuditEntry
from tests.pricing.market import caps, filed, make_plan, make_product, per_call, published

pytestmark = pytest.mark.django_db


def test_a_tariff_stands_after_its_days_and_not_before(cast, clock):
    product = make_product(cast, clock.now)
    today = date(2026, 10, 20)
    published(cast, product, caps(("calls", "0.50"), start=today), clock.now)
    tariff = filed(cast, make_plan(cast, product, clock.now), per_call("0.45"), today, clock.now)
    assert tariffs_stand(at=clock.now + timedelta(days=7)) == []
    assert tariffs_stand(at=clock.now + timedelta(days=8)) == [tariff]
    tariff.refresh_from_db()
    assert (tariff.state, tariff.decided_by, tariff.case.state, tariff.case.outcome) == ("accepted", None, "closed", "stood")
    assert AuditEntry.objects.filter(action="tariff.stood").count() == 1
    assert tariffs_stand(at=clock.now + timedelta(days=9)) == []
