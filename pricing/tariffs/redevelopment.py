"""Re-development by an affiliate of the operator: flagged to the price regulator, decided with a reason (scenario 45)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pricing import parameters
from pricing.bodies import region_of, regulator_of
from products.catalogue.models import DataProduct, ProductState
from products.catalogue.redevelopment import AFFILIATE_CASE, INDEPENDENT, SAME_CONTROL, affiliate_case, affiliated_bases
from products.organisations.models import User
from products.organisations.selectors import require_role
from products.record import audit, cases
from products.record.clock import business_date
from products.record.models import Case
from products.record.notices import define, notify
from products.record.refusals import Refused

DECIDERS = ("decider", "pricing")
OUTCOMES = (INDEPENDENT, SAME_CONTROL)
define(
    "redevelopment.flagged",
    subject=gettext_lazy("An affiliate re-develops: %(product)s"),
    text=gettext_lazy("%(seller)s, under the same control as %(operator)s, sells %(product)s, which is built on %(base)s."),
)
define(
    "redevelopment.decided",
    subject=gettext_lazy("Decided: %(product)s"),
    text=gettext_lazy("The price regulator decided about %(product)s, which is built on an affiliate's product: %(reason)s"),
)


class RedevelopmentNotOpen(Refused):
    code = "redevelopment_not_open"


class RedevelopmentReasonMissing(Refused):
    code = "redevelopment_reason_missing"


@transaction.atomic
def affiliate_flag(*, product: DataProduct, user: User | None, at: datetime) -> Case | None:
    """Open a case where an affiliate of an operator sells what is built on the operator's product; once a product.

    The regulator is that of the product it is built on. Returns the case, None where there is nothing to look at.
    """
    held = affiliate_case(product)
    bases = affiliated_bases(product)
    if held is not None or not bases:
        return held
    base = bases[0]
    limit = parameters.days(name="supply_refusal_review_working_days", on=business_date(at), region=region_of(base))
    office = regulator_of(base)
    case = cases.open_case(
        kind=AFFILIATE_CASE, obj=product, applicant=product.operator, handler=office, limit_days=limit, at=at, actor=user
    )
    facts = {
        "product": product.name,
        "seller": product.operator.name,
        "operator": base.operator.name,
        "base": base.name,
    }
    notify(kind="redevelopment.flagged", organisation=office, facts=facts, url=f"/console/regulator/affiliates/{case.pk}/", at=at)
    audit.record(action="redevelopment.flagged", obj=product, actor=user, organisation=product.operator, at=at, facts=facts)
    return case


@transaction.atomic
def affiliate_decide(*, case: Case, outcome: str, reason: str, user: User, at: datetime) -> Case:
    """``independent``: the market price stands; ``same_control``: it does not, and a product on sale is suspended.

    Raises RedevelopmentNotOpen, RedevelopmentReasonMissing, RoleMissing.
    """
    require_role(user, case.handler, *DECIDERS)
    if not reason.strip():
        raise RedevelopmentReasonMissing(_("A decision needs its reason; it is public."), field="reason")
    if outcome not in OUTCOMES or case.kind != AFFILIATE_CASE:
        raise RedevelopmentNotOpen(_("Decide whether the seller is independent or under the operator's control."))
    product = DataProduct.objects.select_for_update().get(pk=case.object_id)
    cases.close(case=case, outcome=outcome, actor=user, at=at, note=reason.strip())
    if outcome == SAME_CONTROL:
        on_sale = DataProduct.objects.filter(pk=product.pk, state=ProductState.LISTED)
        on_sale.update(state=ProductState.SUSPENDED, state_reason=reason.strip()[:300])
    facts = {"product": product.name, "reason": reason.strip()}
    url = f"/console/operator/products/{product.code}/"
    notify(kind="redevelopment.decided", organisation=product.operator, facts=facts, url=url, at=at)
    audit.record(
        action="redevelopment.decided",
        obj=product,
        actor=user,
        organisation=product.operator,
        at=at,
        reason=reason.strip(),
        facts={"outcome": outcome, "case": case.pk},
    )
    return case
