"""A filed tariff that nobody returned within its days stands: its case ends by itself (design.md section 4)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from pricing.tariffs.models import Tariff
from products.record import audit, cases
from products.record.calendar import load
from products.record.clock import business_date
from products.record.models import CaseState


@transaction.atomic
def tariffs_stand(*, at: datetime) -> list[Tariff]:
    """Accept every filed tariff whose days have passed; nobody is named as having noted it. Returns them."""
    today, calendar = business_date(at), load()
    waiting = Tariff.objects.select_for_update(of=("self",)).filter(state=Tariff.State.FILED, case__state=CaseState.OPEN)
    stood = []
    for tariff in waiting.select_related("case", "plan__product__operator").order_by("id"):
        assert tariff.case is not None
        if not cases.days_left(case=tariff.case, today=today, calendar=calendar).is_late:
            continue
        tariff.state, tariff.decided_at = Tariff.State.ACCEPTED, at
        tariff.save(update_fields=["state", "decided_at"])
        cases.close(case=tariff.case, outcome="stood", actor=None, at=at)
        audit.record(action="tariff.stood", obj=tariff, organisation=tariff.plan.product.operator, at=at)
        stood.append(tariff)
    return stood
