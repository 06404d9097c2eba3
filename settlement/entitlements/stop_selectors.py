"""Reads of emergency stops: what holds, whom a stop touches, who deals with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from products.catalogue.models import DataProduct
from products.organisations.models import Organisation, OrganisationKind, OrganisationState
from products.record.clock import BUSINESS_ZONE
from products.record.refusals import Refused
from settlement.entitlements.models import EmergencyStop, Entitlement

Kind = EmergencyStop.Kind
RUNNING = (Entitlement.State.ACTIVE, Entitlement.State.OVERDUE, Entitlement.State.SUSPENDED)


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom a stop touches: buyers, entitlements that run or will, products on sale."""

    buyers: int
    entitlements: int
    products: int


def stops_seen_by(*, organisation: Organisation) -> QuerySet[EmergencyStop]:
    """Stops that concern an organisation, as its console lists them; those that hold first, then the newest."""
    found = EmergencyStop.objects.select_related(
        "product__operator", "organisation", "started_by", "started_for", "lift_asked_by", "lifted_by", "case"
    )
    if organisation.kind == OrganisationKind.AUTHORISING_BODY:
        operators = DataProduct.objects.filter(authorisation__authorising_body=organisation).values("operator")
        found = found.filter(
            Q(product__authorisation__authorising_body=organisation) | Q(kind=Kind.OPERATOR, organisation__in=operators)
        )
    elif organisation.kind == OrganisationKind.OPERATOR:
        found = found.filter(Q(product__operator=organisation) | Q(kind=Kind.OPERATOR, organisation=organisation))
    return found.order_by("-started_at", "-id")


def stop_of(product: DataProduct) -> EmergencyStop | None:
    """The stop that holds for a product now, its own or its operator's; the first of them."""
    return stops_of([product]).get(product.pk)


def stops_of(products: Iterable[DataProduct]) -> dict[int, EmergencyStop]:
    """By product id, the stop that holds for each now; one query."""
    listed = list(products)
    operators = {product.operator_id for product in listed}
    named = Q(product__in=[product.pk for product in listed]) | Q(kind=Kind.OPERATOR, organisation__in=operators)
    by_product, by_operator = {}, {}
    for stop in EmergencyStop.objects.filter(named, lifted_at=None).order_by("-id"):
        if stop.product_id is not None:
            by_product[stop.product_id] = stop
        else:
            by_operator[stop.organisation_id] = stop
    both = {p.pk: by_product.get(p.pk) or by_operator.get(p.operator_id) for p in listed}
    return {number: stop for number, stop in both.items() if stop is not None}


def stop_of_buyer(organisation: Organisation) -> EmergencyStop | None:
    """The stop that holds for a buyer now."""
    return EmergencyStop.objects.filter(kind=Kind.BUYER, organisation=organisation, lifted_at=None).first()


def reach_of(*, kind: str, product: DataProduct | None, organisation: Organisation | None, at: datetime) -> Reach:
    """Whom a stop would touch, before it is started."""
    held = _under(kind, product, organisation, at)
    return Reach(
        buyers=held.values("organisation").distinct().count(),
        entitlements=held.count(),
        products=held.values("product").distinct().count() if kind == Kind.BUYER else _products(kind, product, organisation),
    )


def entitlements_under(*, stop: EmergencyStop, at: datetime) -> QuerySet[Entitlement]:
    """Entitlements that run (or begin later) and whose calls the stop ends."""
    return _under(stop.kind, stop.product, stop.organisation, at)


def handler_of(stop: EmergencyStop) -> Organisation:
    """Who investigates: the body that started it; an operator's own stop, its product's authorising body, else the platform."""
    if stop.started_for.kind != OrganisationKind.OPERATOR:
        return stop.started_for
    if stop.product is not None and stop.product.authorisation is not None:
        return stop.product.authorisation.authorising_body
    platform = Organisation.objects.filter(kind=OrganisationKind.PLATFORM, state=OrganisationState.VERIFIED).order_by("id")
    return platform.first() or stop.started_for


def authorities_of(stop: EmergencyStop) -> list[Organisation]:
    """The authorising bodies under whose authorisations the stopped products are operated."""
    if stop.kind == Kind.BUYER:
        return []
    owned = Q(pk=stop.product_id) if stop.product_id else Q(operator=stop.organisation_id)
    bodies = DataProduct.objects.filter(owned, authorisation__isnull=False).values("authorisation__authorising_body")
    return list(Organisation.objects.filter(pk__in=bodies).order_by("id"))


def _under(kind: str, product: DataProduct | None, organisation: Organisation | None, at: datetime) -> QuerySet[Entitlement]:
    held = Entitlement.objects.filter(state__in=RUNNING, valid_to__gt=at)
    if kind == Kind.PRODUCT:
        return held.filter(product=product)
    return held.filter(operator=organisation) if kind == Kind.OPERATOR else held.filter(organisation=organisation)


def _products(kind: str, product: DataProduct | None, organisation: Organisation | None) -> int:
    if kind == Kind.PRODUCT:
        return 1
    return DataProduct.objects.filter(operator=organisation, state__in=("listed", "suspended")).count()


class StoppedInAnEmergency(Refused):
    """Nothing new is sold of what is stopped, nor to a buyer who is."""

    code = "stopped_in_an_emergency"


def stop_check(*, products: Iterable[DataProduct], organisation: Organisation) -> None:
    """Raise ``StoppedInAnEmergency`` where a stop holds for one of the products or for the buyer."""
    listed = list(products)
    stops = stops_of(listed)
    for product in listed:
        if product.pk in stops:
            raise StoppedInAnEmergency(
                _("%(product)s is stopped in an emergency since %(since)s (%(reason)s). It is sold again once this is over.")
                % {"product": product.name, **_since(stops[product.pk])}
            )
    own = stop_of_buyer(organisation)
    if own is not None:
        raise StoppedInAnEmergency(
            _("Calls of your organisation are stopped since %(since)s (%(reason)s). It can buy again once this is over.")
            % _since(own)
        )


def _since(stop: EmergencyStop) -> dict[str, str]:
    return {"since": f"{stop.started_at.astimezone(BUSINESS_ZONE):%Y-%m-%d %H:%M}", "reason": stop.public_reason}
