"""Where an operation stands: since when it runs, whether a full accounting year is complete, what is permitted, what is carried.

F6: without a complete year no permitted revenue is determined and the prices are on trial.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from django.db.models import Min, QuerySet

from pricing.bodies import covers, overseers, region_of_authorisation, stem
from pricing.revenue.models import PermittedRevenue, RevenueAssessment
from pricing.revenue.permitted_rules import first_full_year
from products.catalogue.models import DataProduct, Regime
from products.organisations.models import Organisation
from products.record.clock import business_date
from products.registry.models import Authorisation

HOLDING = (PermittedRevenue.State.DETERMINED, PermittedRevenue.State.CLOSED)
GUIDED = (Regime.TRIAL, Regime.GUIDED)


def operating_since(*, authorisation: Authorisation) -> date | None:
    """First day of the operation: as stated in the authorisation, else the day of its first listing; None before that."""
    if authorisation.operating_since is not None:
        return authorisation.operating_since
    first: datetime | None = DataProduct.objects.filter(authorisation=authorisation).aggregate(first=Min("listed_at"))["first"]
    return business_date(first) if first else None


def beginnings(authorisations: Sequence[Authorisation]) -> dict[int, date]:
    """``operating_since`` of many, by id, in one query; those that have not begun are left out."""
    listed = DataProduct.objects.filter(authorisation__in=authorisations, listed_at__isnull=False)
    first = dict(listed.values_list("authorisation").annotate(first=Min("listed_at")))
    stated = {own.pk: own.operating_since for own in authorisations if own.operating_since is not None}
    return {pk: business_date(moment) for pk, moment in first.items()} | stated


def first_complete_year(*, authorisation: Authorisation) -> int | None:
    """The first year from 1 January to 31 December in operation; None while it has not begun."""
    since = operating_since(authorisation=authorisation)
    return first_full_year(since) if since else None


def full_year_complete(*, authorisation: Authorisation, on: date) -> bool:
    """Whether a whole accounting year of operation lies behind that day."""
    year = first_complete_year(authorisation=authorisation)
    return year is not None and on.year > year


def permitted_revenue_on(*, authorisation: Authorisation, on: date) -> PermittedRevenue | None:
    """The determined permitted revenue whose period holds the day."""
    found = PermittedRevenue.objects.filter(authorisation=authorisation, state__in=HOLDING, period__contains=on)
    return found.select_related("document").first()


def before(*, authorisation: Authorisation, start: date) -> PermittedRevenue | None:
    """The determined permitted revenue of the period before a day."""
    found = PermittedRevenue.objects.filter(authorisation=authorisation, state__in=HOLDING, period__endswith__lte=start)
    return found.order_by("-period__endswith", "-id").first()


def current_assessment(permitted_revenue: PermittedRevenue) -> RevenueAssessment | None:
    """The confirmed assessment that holds today: the last one that no confirmed restatement has replaced."""
    found = RevenueAssessment.objects.filter(permitted_revenue=permitted_revenue, confirmed_at__isnull=False)
    return found.order_by("-confirmed_at", "-id").first()


def guided_products(authorisation: Authorisation) -> QuerySet[DataProduct]:
    """The products whose revenue the maximum is about: market-priced and free ones are outside (scenario 46)."""
    return DataProduct.objects.filter(authorisation=authorisation, regime__in=GUIDED).order_by("name_key", "id")


def on_trial(authorisation: Authorisation) -> QuerySet[DataProduct]:
    """Products that are still under a trial price."""
    return guided_products(authorisation).filter(regime=Regime.TRIAL)


def regulators_of(authorisation: Authorisation) -> list[Organisation]:
    """Price regulators whose region covers the operation, the nearest first."""
    return overseers(kind="price_regulator", region=region_of_authorisation(authorisation))


def data_bureau_beside(regulator: Organisation, authorisation: Authorisation) -> Organisation | None:
    """The data bureau that decides together with a regulator: of the same region, else the nearest that covers the operation."""
    found = overseers(kind="data_bureau", region=region_of_authorisation(authorisation))
    same = [bureau for bureau in found if stem(bureau.region) == stem(regulator.region)]
    return (same or found or [None])[0]  # type: ignore[list-item]


def oversees(regulator: Organisation, authorisation: Authorisation) -> bool:
    return regulator.kind == "price_regulator" and covers(regulator.region, region_of_authorisation(authorisation))
