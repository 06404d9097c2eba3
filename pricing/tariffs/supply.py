"""Refusals to supply: an operator will not sell a product to an organisation, with ground and reason (domain.md R51).

The organisation learns the reason and may complain; the price regulator may order the refusal lifted. Each step is recorded, none
is edited. What runs already is not touched: stopping that is a suspension, with rules of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pricing import parameters
from pricing.bodies import region_of, regulator_of
from pricing.tariffs.models import SupplyRefusal
from products.catalogue.models import DataProduct
from products.organisations.models import Organisation, User
from products.organisations.selectors import require_role
from products.record import audit, cases
from products.record.clock import business_date
from products.record.notices import define, notify
from products.record.refusals import Refused

CASE = "supply_refusal"
OPERATOR_ROLES = ("owner", "publisher", "pricing")
BUYER_ROLES = ("owner", "buyer")
REGULATOR_ROLES = ("pricing", "reviewer", "decider")
SHORTEST_REASON = 10

define(
    "supply.refused",
    subject=gettext_lazy("%(operator)s refuses to supply %(product)s"),
    text=gettext_lazy(
        "%(operator)s refuses to supply %(product)s (%(ground)s): %(reason)s You may complain to the price regulator here."
    ),
)
define(
    "supply.complaint",
    subject=gettext_lazy("Complaint about a refusal to supply: %(product)s"),
    text=gettext_lazy("%(organisation)s complains that %(operator)s refuses to supply %(product)s: %(reason)s"),
)
define(
    "supply.lifted",
    subject=gettext_lazy("Refusal lifted: %(product)s"),
    text=gettext_lazy("The refusal to supply %(product)s to %(organisation)s is lifted: %(reason)s"),
)
define(
    "supply.stands",
    subject=gettext_lazy("Refusal stands: %(product)s"),
    text=gettext_lazy("The price regulator lets the refusal to supply %(product)s to %(organisation)s stand: %(reason)s"),
)


class SupplyRefused(Refused):
    """The operator refuses this organisation the product; the message has the reason and the way to complain."""

    code = "supply_refused"


class RefusalReasonMissing(Refused):
    code = "supply_refusal_reason_missing"


class RefusalGroundUnknown(Refused):
    code = "supply_refusal_ground_unknown"


class RefusedAlready(Refused):
    code = "supply_refused_already"


class RefusalNotOpen(Refused):
    code = "supply_refusal_not_open"


class ComplaintOpenAlready(Refused):
    code = "supply_complaint_open_already"


class NoComplaint(Refused):
    code = "supply_no_complaint"


@transaction.atomic
def supply_refuse(
    *, product: DataProduct, organisation: Organisation, ground: str, reason: str, user: User, at: datetime
) -> SupplyRefusal:
    """Refuse an organisation the product from now on. The organisation is told at once, with the reason.

    Raises RefusalReasonMissing, RefusalGroundUnknown, RefusedAlready, RoleMissing.
    """
    require_role(user, product.operator, *OPERATOR_ROLES)
    if ground not in SupplyRefusal.Ground.values:
        raise RefusalGroundUnknown(_("Choose one of the grounds."), field="ground")
    if len(reason.strip()) < SHORTEST_REASON:
        raise RefusalReasonMissing(_("Say why, in a sentence that the organisation can act on."), field="reason")
    if organisation.pk == product.operator_id:
        raise RefusalGroundUnknown(_("An operator does not refuse itself."), field="organisation")
    DataProduct.objects.select_for_update(no_key=True).get(pk=product.pk)
    if open_refusal(product=product, organisation=organisation) is not None:
        raise RefusedAlready(_("This organisation is refused this product already."), field="organisation")
    refusal = SupplyRefusal.objects.create(
        product=product, organisation=organisation, ground=ground, reason=reason.strip(), refused_by=user, refused_at=at
    )
    _tell("refused", refusal, organisation, BUYER_ROLES, reason, f"/console/buyer/refusals/{refusal.pk}/", at)
    _record("refused", refusal, user, at, reason, {"organisation": organisation.uscc, "ground": ground})
    return refusal


def open_refusal(*, product: DataProduct, organisation: Organisation) -> SupplyRefusal | None:
    """The refusal that holds now."""
    return SupplyRefusal.objects.filter(product=product, organisation=organisation, lifted_at=None).first()


def supply_check(*, products: Iterable[DataProduct], organisation: Organisation) -> None:
    """Raise SupplyRefused, with the reason and the way to complain, where one of the products is refused; one query."""
    named = {product.pk: product for product in products}
    found = (
        SupplyRefusal.objects.filter(product__in=list(named), organisation=organisation, lifted_at=None).order_by("id").first()
    )
    if found is None:
        return
    product = named[found.product_id]
    message = _(
        "%(operator)s refuses to supply %(product)s to your organisation (%(ground)s): %(reason)s You can complain to the price "
        "regulator: in your console under “Refusals to supply”, or on 12315."
    )
    values = {"operator": product.operator.name, "product": product.name, "reason": found.reason}
    raise SupplyRefused(message % (values | {"ground": found.get_ground_display()}), refusal=found.pk)


@transaction.atomic
def supply_complain(*, refusal: SupplyRefusal, statement: str, user: User, at: datetime) -> SupplyRefusal:
    """The refused organisation complains to the price regulator, which has the working days of the rule set.

    A further complaint before the first is decided is added to its case. Raises RefusalReasonMissing, RefusalNotOpen,
    NoRegulator.
    """
    require_role(user, refusal.organisation, *BUYER_ROLES)
    if not statement.strip():
        raise RefusalReasonMissing(_("Say why the refusal is wrong."), field="statement")
    refusal = _locked(refusal)
    office = regulator_of(refusal.product)
    if refusal.case is not None and refusal.case.state != "closed":
        cases.note(case=refusal.case, actor=user, at=at, note=statement.strip())
    else:
        limit = parameters.days(
            name="supply_refusal_review_working_days", on=business_date(at), region=region_of(refusal.product)
        )
        refusal.case = cases.open_case(
            kind=CASE,
            obj=refusal,
            applicant=refusal.organisation,
            handler=office,
            limit_days=limit,
            at=at,
            actor=user,
            note=statement.strip(),
        )
        refusal.save(update_fields=["case"])
    url = f"/console/regulator/fairness/refusals/{refusal.pk}/"
    _tell("complaint", refusal, office, REGULATOR_ROLES, statement, url, at)
    _record("complaint", refusal, user, at, statement)
    return refusal


@transaction.atomic
def supply_lift(*, refusal: SupplyRefusal, reason: str, user: User, at: datetime) -> SupplyRefusal:
    """The operator takes its refusal back. Raises RefusalReasonMissing, RefusalNotOpen, RoleMissing."""
    require_role(user, refusal.product.operator, *OPERATOR_ROLES)
    return _lift(refusal, reason, user, "lifted_by_operator", at)


@transaction.atomic
def supply_order_lifted(*, refusal: SupplyRefusal, reason: str, user: User, at: datetime) -> SupplyRefusal:
    """The price regulator orders the refusal lifted, on a complaint or on its own.

    Raises RefusalReasonMissing, RefusalNotOpen, RoleMissing.
    """
    require_role(user, regulator_of(refusal.product), *REGULATOR_ROLES)
    return _lift(refusal, reason, user, "ordered_lifted", at)


@transaction.atomic
def supply_let_stand(*, refusal: SupplyRefusal, reason: str, user: User, at: datetime) -> SupplyRefusal:
    """The price regulator answers a complaint: the refusal stands. Raises NoComplaint, RefusalReasonMissing, RefusalNotOpen."""
    require_role(user, regulator_of(refusal.product), *REGULATOR_ROLES)
    if not reason.strip():
        raise RefusalReasonMissing(_("A decision needs its reason."), field="reason")
    refusal = _locked(refusal)
    if refusal.case is None or refusal.case.state == "closed":
        raise NoComplaint(_("No complaint about this refusal is open."))
    cases.close(case=refusal.case, outcome="stands", actor=user, at=at, note=reason.strip())
    _tell_both("stands", refusal, reason, at)
    _record("stands", refusal, user, at, reason)
    return refusal


def _lift(refusal: SupplyRefusal, reason: str, user: User, act: str, at: datetime) -> SupplyRefusal:
    if not reason.strip():
        raise RefusalReasonMissing(_("A decision needs its reason."), field="reason")
    refusal = _locked(refusal)
    refusal.lifted_by, refusal.lifted_at, refusal.lifted_reason = user, at, reason.strip()
    refusal.save(update_fields=["lifted_by", "lifted_at", "lifted_reason"])
    if refusal.case is not None and refusal.case.state != "closed":
        cases.close(case=refusal.case, outcome=act, actor=user, at=at, note=reason.strip())
    _tell_both("lifted", refusal, reason, at)
    _record(act, refusal, user, at, reason)
    return refusal


def _locked(refusal: SupplyRefusal) -> SupplyRefusal:
    held = SupplyRefusal.objects.select_for_update(of=("self",)).select_related("case", "organisation", "product__operator")
    found = held.get(pk=refusal.pk)
    if found.lifted_at is not None:
        raise RefusalNotOpen(_("This refusal is lifted already."))
    return found


# --- Reads ----------------------------------------------------------------------------------------------------------------------


def refusals_of(*, operator: Organisation | None = None, organisation: Organisation | None = None) -> QuerySet[SupplyRefusal]:
    """Refusals with what a list shows, the open ones first, then the newest."""
    found = SupplyRefusal.objects.select_related(
        "product__operator", "product__authorisation", "organisation", "refused_by", "lifted_by", "case"
    )
    if operator is not None:
        found = found.filter(product__operator=operator)
    if organisation is not None:
        found = found.filter(organisation=organisation)
    return found.order_by("-lifted_at", "-refused_at", "-id")  # PostgreSQL puts the open ones, without a moment, first


def statistics(*, refusals: QuerySet[SupplyRefusal]) -> list[dict[str, Any]]:
    """Numbers by operator and ground, without a name of who was refused: ``open``, ``lifted``, ``complaints``, ``total``."""
    rows = refusals.order_by().values(
        "product__operator__name", "product__operator__name_en", "product__operator__slug", "ground"
    )
    counted = rows.annotate(
        total=Count("id"),
        open=Count("id", filter=Q(lifted_at=None)),
        lifted=Count("id", filter=Q(lifted_at__isnull=False)),
        complaints=Count("id", filter=Q(case__isnull=False)),
    )
    labels = dict(SupplyRefusal.Ground.choices)
    return [
        {
            "operator": row["product__operator__name"],
            "operator_en": row["product__operator__name_en"],
            "slug": row["product__operator__slug"],
            "ground": row["ground"],
            "ground_label": labels.get(row["ground"], row["ground"]),
            **{name: row[name] for name in ("total", "open", "lifted", "complaints")},
        }
        for row in counted.order_by("product__operator__name", "product__operator__slug", "ground")
    ]


# --- News and record ------------------------------------------------------------------------------------------------------------


def _tell(act: str, refusal: SupplyRefusal, to: Organisation, roles: Iterable[str], reason: str, url: str, at: datetime) -> None:
    facts = {
        "product": refusal.product.name,
        "operator": refusal.product.operator.name,
        "organisation": refusal.organisation.name,
        "ground": str(refusal.get_ground_display()),
        "reason": reason.strip(),
    }
    notify(kind=f"supply.{act}", organisation=to, roles=tuple(roles), facts=facts, url=url, at=at)


def _tell_both(act: str, refusal: SupplyRefusal, reason: str, at: datetime) -> None:
    _tell(act, refusal, refusal.organisation, BUYER_ROLES, reason, f"/console/buyer/refusals/{refusal.pk}/", at)
    _tell(act, refusal, refusal.product.operator, OPERATOR_ROLES, reason, "/console/operator/supply/", at)


def _record(act: str, refusal: SupplyRefusal, user: User, at: datetime, reason: str, facts: dict[str, Any] | None = None) -> None:
    operator = refusal.product.operator
    audit.record(action=f"supply.{act}", obj=refusal, actor=user, organisation=operator, at=at, reason=reason, facts=facts)
