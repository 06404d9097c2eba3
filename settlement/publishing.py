"""Filing a product with all that the floors above the catalogue know: prices, licences, affiliates, and the spec's tariffs.

The one door of the operator's form, the upload page and ``manage.py publish_product``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from pricing.selectors import price_state
from pricing.tariffs.models import Plan, Tariff
from pricing.tariffs.redevelopment import affiliate_flag
from pricing.tariffs.selectors import tariffs_from
from pricing.tariffs.services import NoCapInForce, plan_open, tariff_file
from products.catalogue.models import DataProduct
from products.catalogue.publishing import Published, product_publish
from products.catalogue.services import product_list
from products.catalogue.spec import ProductSpec, SpecRefused
from products.organisations.models import Organisation, User
from products.record.clock import business_date
from products.record.models import Case
from products.registry.purposes import covers
from products.runtimes.base import FieldError, Secrets
from settlement.entitlements.models import Entitlement

REDEVELOPMENT = "sector.data_services"
TARIFF_KEYS = {"plan", "name", "name_en", "purposes", "terms", "document", "from", "reason", "may_fall", "term_months"}


@dataclass(frozen=True)
class Filed:
    """What came of it: ``waiting`` are tariffs of the spec that wait for a cap, by plan; ``flag`` an affiliate's case."""

    published: Published
    tariffs: list[Tariff] = field(default_factory=list)
    waiting: dict[str, str] = field(default_factory=dict)
    flag: Case | None = None


def licences_of(*, organisation: Organisation, at: datetime) -> frozenset[str]:
    """Codes of the products that an organisation may re-develop: its live entitlements for ``sector.data_services``."""
    held = Entitlement.objects.filter(organisation=organisation, valid_from__lte=at, valid_to__gt=at)
    held = held.filter(state=Entitlement.State.ACTIVE).select_related("product").order_by("id")
    return frozenset(
        entitlement.product.code for entitlement in held if any(covers(right, REDEVELOPMENT) for right in entitlement.purposes)
    )


@transaction.atomic
def product_file(*, spec: ProductSpec, secrets: Secrets, by: User | None, at: datetime) -> Filed:
    """File a product and the tariffs that its spec names: all of it or nothing.

    A tariff that needs a cap waits until one is in force (``Filed.waiting``): file the spec again then. Raises what
    ``product_publish``, ``plan_open`` and ``tariff_file`` raise.
    """
    operator = Organisation.objects.filter(uscc=spec.operator).first() or Organisation.objects.filter(slug=spec.operator).first()
    product = DataProduct.objects.filter(code=spec.code).first()
    state = price_state(product=product, on=business_date(at)) if product else None
    licences = licences_of(organisation=operator, at=at) if operator else frozenset()
    published = product_publish(spec=spec, secrets=secrets, by=by, at=at, price_state=state, licences=licences)
    filed = Filed(published, flag=affiliate_flag(product=published.product, user=published.submitted_by, at=at))
    for place, entry in enumerate(spec.tariffs):
        _file_tariff(filed, entry, f"/tariffs/{place}", published.submitted_by, at)
    return filed


@transaction.atomic
def product_offer(*, product: DataProduct, by: User, at: datetime) -> DataProduct:
    """Put a product into the shop with all that the listing gate asks; an affiliate's is looked at anew, since control changes.

    Raises what ``product_list`` and ``affiliate_flag`` raise.
    """
    state = price_state(product=product, on=business_date(at))
    licences = licences_of(organisation=product.operator, at=at)
    listed = product_list(product=product, price_state=state, by=by, at=at, licences=licences)
    affiliate_flag(product=listed, user=by, at=at)
    return listed


def _file_tariff(filed: Filed, entry: Mapping[str, Any], where: str, user: User | None, at: datetime) -> None:
    """One entry of the spec's tariffs: a plan that is opened where it is new, and its document where it differs."""
    _check_entry(entry, where)
    if user is None:
        raise SpecRefused([{"pointer": where, "message": _("a tariff needs a person who files it (submitted_by)")}])
    product = filed.published.product
    plan = Plan.objects.filter(product=product, code=entry["plan"]).select_related("product").first()
    plan = plan or plan_open(
        product=product,
        code=entry["plan"],
        name=entry.get("name", entry["plan"]),
        name_en=entry.get("name_en", ""),
        purposes=entry["purposes"],
        terms=entry.get("terms", ""),
        term_months=entry.get("term_months", 12),
        user=user,
        at=at,
    )
    from_date = max(date.fromisoformat(entry["from"]), business_date(at)) if "from" in entry else business_date(at)
    if any(tariff.document == entry["document"] for tariff in tariffs_from(plan=plan, from_date=business_date(at))):
        return
    named: dict[str, Any] = {"reason": entry["reason"], "may_fall": entry.get("may_fall", False), "user": user, "at": at}
    try:
        filed.tariffs.append(tariff_file(plan=plan, document=entry["document"], from_date=from_date, **named))
    except NoCapInForce as waiting:
        filed.waiting[plan.code] = str(waiting)


def _check_entry(entry: Mapping[str, Any], where: str) -> None:
    unknown, missing = _("this key is not known here"), _("is missing")
    errors: list[FieldError] = [{"pointer": f"{where}/{key}", "message": unknown} for key in entry if key not in TARIFF_KEYS]
    needed = ("plan", "purposes", "document", "reason")
    errors += [{"pointer": f"{where}/{key}", "message": missing} for key in needed if not entry.get(key)]
    try:
        date.fromisoformat(entry.get("from", "2026-01-01"))
    except (TypeError, ValueError):
        errors.append({"pointer": f"{where}/from", "message": _("a date such as 2026-01-31 is expected here")})
    if errors:
        raise SpecRefused(errors)
