"""A lower cap reaches every running tariff: a successor cut to the cap, from the cap's first day (scenario 37)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _

from pricing.documents import parse_tariff
from pricing.revenue.selectors import cap_versions
from pricing.tariffs import versions
from pricing.tariffs.models import Plan, Tariff
from pricing.tariffs.rules import BasisWithoutCap, clamp
from pricing.tariffs.sanity import fall_of
from pricing.tariffs.selectors import charged_classes, tariffs_from
from products.catalogue.models import DataProduct
from products.organisations.models import User
from products.record import audit
from products.record.refusals import Refused


class CapLeavesBasisOpen(Refused):
    code = "cap_leaves_basis_open"


def clamp_running_tariffs(*, product: DataProduct, start: date, user: User, reason: str, at: datetime) -> tuple[Tariff, ...]:
    """Successors for the product's tariffs that break the caps from ``start`` on; needs the caps' rows and their lock.

    Raises CapLeavesBasisOpen where a running tariff charges a basis that the new caps do not name.
    """
    found: list[Tariff] = []
    for plan in Plan.objects.filter(product=product).order_by("id"):
        for tariff in tariffs_from(plan=plan, from_date=start):
            document = _within_caps(tariff, plan, start)
            if document != tariff.document:
                found.append(_replace(tariff, document, start, user, reason, at))
    return tuple(found)


def _within_caps(tariff: Tariff, plan: Plan, start: date) -> dict[str, Any]:
    first = max(start, tariff.period.lower)
    document = tariff.document
    for purpose_class in charged_classes(plan.purposes):
        for version in cap_versions(
            product=plan.product, purpose_class=purpose_class, from_date=first, to_date=tariff.period.upper
        ):
            try:
                document = clamp(document, version.document)
            except BasisWithoutCap as open_basis:
                message = _("The tariff of plan “%(plan)s” charges %(basis)s, which these caps do not name. Add a cap for it.")
                values = {"plan": plan.name, "basis": open_basis.violation.basis}
                raise CapLeavesBasisOpen(message % values, field="caps") from open_basis
    return document


def _replace(tariff: Tariff, document: dict[str, Any], start: date, user: User, reason: str, at: datetime) -> Tariff:
    """The cut successor on the rest of the tariff's dates. One that has not begun is taken back instead of ended."""
    first, until = max(start, tariff.period.lower), tariff.period.upper
    if tariff.period.lower < start:
        versions.end(tariff, start, at)
    else:
        Tariff.objects.filter(pk=tariff.pk).update(state=Tariff.State.WITHDRAWN, decision_reason=reason)
    successor = versions.write(
        plan=tariff.plan,
        document=document,
        from_date=first,
        to_date=until,
        state="accepted",
        user=user,
        reason=reason,
        at=at,
        clamped_from=tariff,
        may_fall=fall_of(parse_tariff(document)) is not None,
    )
    facts = {"plan": tariff.plan_id, "from": first, "cut": tariff.pk, "document": document}
    audit.record(
        action="tariff.clamped",
        obj=successor,
        actor=user,
        organisation=tariff.plan.product.operator,
        at=at,
        reason=reason,
        facts=facts,
    )
    return successor
