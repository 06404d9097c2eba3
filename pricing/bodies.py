"""Who decides about a product's price: the authorising body, the price regulator and the data bureau of its region."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q
from django.utils.translation import gettext as _

from products.catalogue.models import DataProduct, Regime
from products.organisations.models import Organisation, OrganisationState
from products.record.refusals import Refused
from products.registry.models import Authorisation


class NoAuthorisation(Refused):
    code = "no_authorisation"


class NoRegulator(Refused):
    code = "no_regulator"


def authorisation_of(product: DataProduct) -> Authorisation:
    """The product's authorisation; NoAuthorisation where it has none."""
    if product.authorisation is None:
        raise NoAuthorisation(_("This product has no authorisation yet, so nobody can set its cap."), field="product")
    return product.authorisation


def region_of(product: DataProduct) -> str:
    """The six-digit region whose price rules the product follows: its authorisation's, else its authorising body's.

    A re-developed product has no authorisation: its seller's region counts.
    """
    if product.authorisation is None and product.regime == Regime.MARKET:
        return product.operator.region
    return region_of_authorisation(authorisation_of(product))


def region_of_authorisation(authorisation: Authorisation) -> str:
    """The region whose price rules an operation follows: its own, else its authorising body's."""
    return authorisation.region or authorisation.authorising_body.region


def overseers(*, kind: str, region: str) -> list[Organisation]:
    """Verified bodies of a kind whose region covers the given one, the nearest first."""
    return nearest(Organisation.objects.filter(kind=kind, state=OrganisationState.VERIFIED).order_by("id"), region)


def nearest(bodies: Iterable[Organisation], region: str) -> list[Organisation]:
    """Those whose region covers the given one, the nearest first: a list of many products reads the bodies once."""
    return sorted((body for body in bodies if covers(body.region, region)), key=lambda body: -len(stem(body.region)))


def regulator_of(product: DataProduct) -> Organisation:
    """The price regulator nearest to the product's region; NoRegulator where there is none."""
    region = region_of(product)
    found = overseers(kind="price_regulator", region=region)
    if not found:
        raise NoRegulator(_("No price regulator of region %(region)s is on the platform.") % {"region": region or "–"})
    return found[0]


def covers(region: str, asked: str) -> bool:
    """Whether a region contains another: 330000 covers 330200; an empty region is the nation."""
    return asked.startswith(stem(region))


def stem(region: str) -> str:
    """330000 → 33, 330200 → 3302, 330203 → 330203; the nation (empty, 000000, 100000) → nothing."""
    if region in ("", "000000", "100000"):
        return ""
    while region.endswith("00"):
        region = region[:-2]
    return region


def of_region(prefix: str, path: str) -> Q:
    """Rows whose authorisation (at ``path``) lies in a region, by its own code, else by its authorising body's.

    ``prefix`` is a region's ``stem``; an empty one is the nation.
    """
    if not prefix:
        return Q()
    own = Q(**{f"{path}__region__startswith": prefix})
    return own | Q(**{f"{path}__region": "", f"{path}__authorising_body__region__startswith": prefix})
