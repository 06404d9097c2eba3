"""Bundles: plans of one operator that are sold together for a purpose and scenario, each part under its own cap.

A bundle is an offer beside the single plans, never instead of them: a product that could be bought in a bundle only would be tied
to the rest of it (scenario 44). Each part has its own tariff and is proven by itself, so what the whole costs cannot hide a
part above its cap (scenario 36).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pricing.selectors import PriceGap, plan_gaps
from pricing.tariffs.clauses import forbidden_clauses
from pricing.tariffs.models import Bundle, Plan, Tariff
from pricing.tariffs.selectors import charged_classes, tariff_in_force
from pricing.tariffs.services import TARIFF_ROLES, ClauseForbidden, plan_open, tariff_file
from products.catalogue.models import DataProduct, ProductState
from products.organisations.models import Organisation, User
from products.organisations.selectors import require_role
from products.record import audit
from products.record.clock import business_date
from products.record.notices import define, notify
from products.record.refusals import Refused
from products.registry.models import Purpose, Scenario
from products.registry.purposes import covers

LEAST_PARTS = 2
define(
    "bundle.opened",
    subject=gettext_lazy("Bundle on sale: %(bundle)s"),
    text=gettext_lazy("%(operator)s sells %(products)s together as %(bundle)s. Each part has its own tariff."),
)


class BundleRefused(Refused):
    code = "bundle_refused"


class BundleNotReady(Refused):
    """The bundle may not go on sale; ``gaps`` says all that is missing."""

    code = "bundle_not_ready"

    def __init__(self, gaps: Sequence[PriceGap]) -> None:
        self.gaps = tuple(gaps)
        super().__init__(_("This bundle may not go on sale yet."), gaps=[gap.code for gap in gaps])


class BundlePartRefused(Refused):
    """A part's tariff was refused, so nothing was filed. ``part`` is its plan, ``refused`` why."""

    code = "bundle_part_refused"

    def __init__(self, part: Plan, refused: Refused) -> None:
        self.part, self.refused = part, refused
        super().__init__(_("%(product)s: %(why)s") % {"product": part.product.name, "why": refused}, field=refused.field)


@dataclass(frozen=True)
class BundlePart:
    """A part with its price on a date; ``own`` are the product's plans that are sold without the bundle then."""

    plan: Plan
    tariff: Tariff | None
    own: tuple[Plan, ...]


@transaction.atomic
def bundle_draft(
    *,
    operator: Organisation,
    code: str,
    name: str,
    purpose: str,
    scenario: str,
    user: User,
    at: datetime,
    name_en: str = "",
    description: str = "",
    description_en: str = "",
) -> Bundle:
    """A bundle without parts. Raises BundleRefused, ClauseForbidden, RoleMissing."""
    require_role(user, operator, *TARIFF_ROLES)
    if not charged_classes([purpose]) or not Purpose.objects.filter(code=purpose).exists():
        raise BundleRefused(_("A bundle serves one industrial or sector purpose; free purposes go by a grant."), field="purpose")
    if not Scenario.objects.filter(code=scenario).exists():
        raise BundleRefused(_("There is no such scenario."), field="scenario")
    if Bundle.objects.filter(code=code).exists():
        raise BundleRefused(_("There is a bundle with this code already."), field="code")
    found = forbidden_clauses(name, name_en, description, description_en)
    if found:
        raise ClauseForbidden(found, "description")
    bundle = Bundle.objects.create(
        operator=operator,
        code=code,
        name=name,
        name_en=name_en,
        description=description,
        description_en=description_en,
        purpose=purpose,
        scenario=scenario,
        made_by=user,
        made_at=at,
    )
    _record("drafted", bundle, user, at, {"code": code, "purpose": purpose, "scenario": scenario})
    return bundle


@transaction.atomic
def bundle_part_add(*, bundle: Bundle, product: DataProduct, user: User, at: datetime, term_months: int = 12) -> Plan:
    """Let a product be a part: a plan of it that is sold in the bundle only. Raises BundleRefused, RoleMissing."""
    bundle = _draft(bundle, user)
    if product.operator_id != bundle.operator_id:
        raise BundleRefused(_("A bundle holds products of one operator."), field="product")
    if bundle.plans.filter(product=product).exists():
        raise BundleRefused(_("This product is a part already."), field="product")
    if not any(covers(own, bundle.purpose) for own in product.purposes) or bundle.scenario not in product.scenarios:
        raise BundleRefused(_("This product is not offered for the bundle's purpose and scenario."), field="product")
    plan = plan_open(
        product=product,
        code=f"b-{bundle.code}"[:40],
        name=bundle.name,
        name_en=bundle.name_en,
        purposes=[bundle.purpose],
        term_months=term_months,
        bundle=bundle,
        user=user,
        at=at,
    )
    _record("part_added", bundle, user, at, {"product": product.code, "plan": plan.pk})
    return plan


@transaction.atomic
def bundle_part_remove(*, bundle: Bundle, plan: Plan, user: User, at: datetime) -> None:
    """Take out a part that was never priced. Raises BundleRefused, RoleMissing."""
    bundle = _draft(bundle, user)
    if plan.bundle_id != bundle.pk or plan.tariffs.exists():
        raise BundleRefused(_("This part has a tariff on file and stays. Make another bundle without it."))
    product = plan.product
    plan.delete()
    _record("part_removed", bundle, user, at, {"product": product.code})


@transaction.atomic
def bundle_file(
    *,
    bundle: Bundle,
    documents: Mapping[int, dict[str, Any]],
    from_date: date,
    reason: str,
    user: User,
    at: datetime,
    may_fall: Collection[int] = (),
) -> list[Tariff]:
    """File the tariffs of all parts together, by plan id: every one or none. ``may_fall`` as in ``tariff_file``.

    Raises BundlePartRefused with the part and its refusal (PriceAboveCap, …), BundleRefused, RoleMissing.
    """
    require_role(user, bundle.operator, *TARIFF_ROLES)
    parts = list(bundle.plans.select_related("product__operator").order_by("id"))
    if not parts or set(documents) != {plan.pk for plan in parts}:
        raise BundleRefused(_("The tariffs of a bundle are filed together: one for each part."))
    filed = []
    for plan in parts:
        named: dict[str, Any] = {"from_date": from_date, "reason": reason, "user": user, "at": at}
        try:
            filed.append(tariff_file(plan=plan, document=documents[plan.pk], may_fall=plan.pk in may_fall, **named))
        except Refused as refused:
            raise BundlePartRefused(plan, refused) from refused
    _record("filed", bundle, user, at, {"tariffs": [tariff.pk for tariff in filed], "from": from_date}, reason)
    return filed


@transaction.atomic
def bundle_open(*, bundle: Bundle, user: User, at: datetime) -> Bundle:
    """Put a bundle on sale. Raises BundleNotReady with every gap, BundleRefused, RoleMissing."""
    bundle = _draft(bundle, user)
    gaps = bundle_gaps(bundle=bundle, on=business_date(at))
    if gaps:
        raise BundleNotReady(gaps)
    Bundle.objects.filter(pk=bundle.pk).update(state=Bundle.State.OPEN)
    bundle.refresh_from_db()
    parts = list(bundle.plans.select_related("product").order_by("id"))
    cases = Tariff.objects.filter(plan__in=parts).exclude(case=None).select_related("case__handler").order_by("id")
    facts = {
        "bundle": bundle.name,
        "operator": bundle.operator.name,
        "products": "、".join(part.product.name for part in parts),
    }
    for office in {tariff.case.handler for tariff in cases if tariff.case}:
        notify(kind="bundle.opened", organisation=office, facts=facts, url=f"/bundles/{bundle.code}/", at=at)
    _record("opened", bundle, user, at, {"parts": [part.product.code for part in parts]})
    return bundle


@transaction.atomic
def bundle_close(*, bundle: Bundle, user: User, reason: str, at: datetime) -> Bundle:
    """Sell a bundle no longer; what was bought goes on. Raises BundleRefused, RoleMissing."""
    require_role(user, bundle.operator, *TARIFF_ROLES)
    if not Bundle.objects.filter(pk=bundle.pk, state=Bundle.State.OPEN).update(state=Bundle.State.CLOSED):
        raise BundleRefused(_("Only a bundle that is on sale can be closed."))
    bundle.plans.update(state=Plan.State.CLOSED)
    bundle.refresh_from_db()
    _record("closed", bundle, user, at, reason=reason)
    return bundle


def bundle_parts(*, bundle: Bundle, on: date) -> list[BundlePart]:
    """The parts in order, with their prices on a date and the plans of their products that are sold alone for the purpose."""
    plans = list(bundle.plans.select_related("product__operator", "product__authorisation").order_by("id"))
    single = Plan.objects.filter(product__in=[plan.product_id for plan in plans], bundle=None, state=Plan.State.OPEN)
    own: dict[int, list[Plan]] = {}
    for plan in single.order_by("id"):
        if any(covers(right, bundle.purpose) for right in plan.purposes) and tariff_in_force(plan=plan, on=on):
            own.setdefault(plan.product_id, []).append(plan)
    return [BundlePart(plan, tariff_in_force(plan=plan, on=on), tuple(own.get(plan.product_id, ()))) for plan in plans]


def bundle_gaps(*, bundle: Bundle, on: date) -> list[PriceGap]:
    """All that keeps a bundle from being sold on a date; empty where nothing does."""
    parts = bundle_parts(bundle=bundle, on=on)
    gaps: list[PriceGap] = []
    if len(parts) < LEAST_PARTS:
        gaps.append(PriceGap("too_few_parts", _("A bundle has two parts or more.")))
    for part in parts:
        product = part.plan.product
        named = {"product": product.name}
        if product.state != ProductState.LISTED:
            gaps.append(PriceGap("part_not_listed", _("%(product)s is not in the shop.") % named))
        if part.tariff is None:
            gaps.append(PriceGap("part_not_priced", _("%(product)s has no tariff of this bundle in force.") % named))
        else:
            gaps += plan_gaps(plan=part.plan, document=part.tariff.document, on=on)
        if not part.own:
            message = _(
                "%(product)s has no plan of its own on sale for this purpose: it could be had in the bundle only, "
                "which ties it to the rest. Open one first."
            )
            gaps.append(PriceGap("bundle_ties", message % named))
    return gaps


def bundles_of_product(*, product: DataProduct) -> list[Bundle]:
    """The bundles on sale that a product is a part of."""
    found = Bundle.objects.filter(plans__product=product, plans__state=Plan.State.OPEN, state=Bundle.State.OPEN)
    return list(found.distinct().order_by("id"))


def _draft(bundle: Bundle, user: User) -> Bundle:
    bundle = Bundle.objects.select_for_update(of=("self",)).select_related("operator").get(pk=bundle.pk)
    require_role(user, bundle.operator, *TARIFF_ROLES)
    if bundle.state != Bundle.State.DRAFT:
        raise BundleRefused(_("This bundle is on sale or was closed; it does not change any more."))
    return bundle


def _record(act: str, bundle: Bundle, user: User, at: datetime, facts: dict[str, Any] | None = None, reason: str = "") -> None:
    audit.record(
        action=f"bundle.{act}", obj=bundle, actor=user, organisation=bundle.operator, at=at, reason=reason, facts=facts or {}
    )
