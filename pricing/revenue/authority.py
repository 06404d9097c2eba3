"""Who may set a product's caps: pricing follows where the product is registered (domain.md fact 6, scenarios 41 and 42).

| registered | catalogue | who sets the cap |
| --- | --- | --- |
| in the national registry | central pricing catalogue | a national authorising body |
| in a province's | the province's catalogue | the province's authorising body |
| in a city's | the province's, unless it has delegated | the city's under a delegation in force that day, else the province's |

The delegation is the dated parameter ``pricing_delegated_to_city``: it stands in the province's rule set for all its cities, or
in a city's own rule set whose legal source is the province's document. A product without a registration of its own (it is
voluntary) follows its resources'; with nothing registered yet, the level of its authorising body. Published caps stay when a
registration moves: the new level sets the next version.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pricing.bodies import authorisation_of, overseers, region_of, stem
from products.catalogue.models import DataProduct
from products.organisations.models import Organisation, User
from products.organisations.selectors import has_role, membership_of, require_role
from products.record.refusals import Refused
from products.record.rule_sets import NATIONAL, ParameterNotSet, parameter
from products.registry.models import Registration

Level = Registration.Level
ORDER = (Level.CITY, Level.PROVINCE, Level.NATIONAL)
CATALOGUES = {
    Level.NATIONAL: gettext_lazy("the central pricing catalogue"),
    Level.PROVINCE: gettext_lazy("the province's pricing catalogue"),
    Level.CITY: gettext_lazy("the city, to which the province has delegated"),
}


class CapLevelTooHigh(Refused):
    """The product follows the pricing catalogue of a level that is not this body's (domain.md fact 6)."""

    code = "cap_level_too_high"


@dataclass(frozen=True)
class PricingPlace:
    """Where a product's caps are set on a day: the level and its region, and the registration that says so, if any."""

    level: str
    region: str
    registration: Registration | None
    is_delegated: bool

    def fits(self, body: Organisation) -> bool:
        return level_of(body.region) == self.level and stem(self.region).startswith(stem(body.region))


def level_of(region: str) -> str:
    """The level of a body's region: nation, province (33), city (3302); a district is below them all."""
    return {0: "national", 2: "province", 4: "city"}.get(len(stem(region)), "district")


def pricing_place(*, product: DataProduct, on: date) -> PricingPlace:
    """The level that sets the product's caps on a day. Raises NoAuthorisation."""
    return Desk(on).place(product, registrations_of([product], on).get(product.pk))


class Desk:
    """Who sets caps on a day, for many products: what is the same for all of a region is looked up once."""

    def __init__(self, on: date) -> None:
        self.on = on
        self._delegated: dict[str, bool] = {}
        self._bodies: dict[tuple[str, str], Organisation | None] = {}

    def place(self, product: DataProduct, registration: Registration | None) -> PricingPlace:
        region = (registration.region if registration else "") or region_of(product)
        level = registration.level if registration else level_of(authorisation_of(product).authorising_body.region)
        if level != Level.CITY:
            return PricingPlace(level, region, registration, False)
        if region not in self._delegated:
            self._delegated[region] = is_delegated(region=region, on=self.on)
        delegated = self._delegated[region]
        return PricingPlace(Level.CITY if delegated else Level.PROVINCE, region, registration, delegated)

    def body(self, product: DataProduct, registration: Registration | None) -> Organisation | None:
        """The product's own authorising body where the level is right, else the nearest one of that level."""
        place = self.place(product, registration)
        own = authorisation_of(product).authorising_body
        if place.fits(own):
            return own
        key = (place.level, place.region)
        if key not in self._bodies:
            near = overseers(kind="authorising_body", region=place.region)
            self._bodies[key] = next((body for body in near if place.fits(body)), None)
        return self._bodies[key]


def is_delegated(*, region: str, on: date) -> bool:
    """Whether the province has delegated the setting of caps to this city, by the rule sets in force that day."""
    try:
        return parameter(name="pricing_delegated_to_city", on=on, jurisdiction=region or NATIONAL) is True
    except ParameterNotSet:
        return False


def pricing_body(*, product: DataProduct, on: date) -> Organisation | None:
    """Who sets the product's caps on a day; None where no body of that level is on the platform."""
    return Desk(on).body(product, registrations_of([product], on).get(product.pk))


def pricing_bodies(*, products: Sequence[DataProduct], on: date) -> dict[int, Organisation | None]:
    """``pricing_body`` of many products (with authorisation and its body loaded), by their id, in a few queries."""
    desk, registrations = Desk(on), registrations_of(products, on)
    return {product.pk: desk.body(product, registrations.get(product.pk)) for product in products}


def require_authority(*, product: DataProduct, user: User, on: date, roles: tuple[str, ...]) -> Organisation:
    """The body for which the person may set the product's caps on a day.

    Raises CapLevelTooHigh where the person's body has another level than the product, RoleMissing.
    """
    own = authorisation_of(product).authorising_body
    body = pricing_body(product=product, on=on)
    if body is not None and (body == own or has_role(user, body, *roles)):
        require_role(user, body, *roles)
        return body
    require_role(user, own, *roles)
    raise CapLevelTooHigh(_why(pricing_place(product=product, on=on), own, body), field="product")


def may_set(*, product: DataProduct, user: User, on: date) -> bool:
    body = pricing_body(product=product, on=on)
    return body is not None and membership_of(user, body) is not None


def _why(place: PricingPlace, own: Organisation, body: Organisation | None) -> str:
    code = place.registration.code if place.registration else "–"
    named = {"code": code, "catalogue": CATALOGUES[Level(place.level)], "own": own.name, "body": body.name if body else ""}
    if place.level == Level.PROVINCE and place.registration and place.registration.level == Level.CITY:
        message = _(
            "Registration %(code)s is a city's, and no rule set in force lets the city set caps: "
            "the product follows %(catalogue)s, and %(own)s does not set its cap."
        )
    else:
        message = _("By its registration (%(code)s) this product follows %(catalogue)s: %(own)s does not set its cap.")
    text = message % named
    return text + " " + (_("%(body)s sets it.") % named if body else _("No body of that level is on the platform yet."))


def registrations_of(products: Sequence[DataProduct], on: date) -> dict[int, Registration]:
    """The registration that counts for each product on a day: its own of the highest level, else its resources' highest."""
    valid = Registration.objects.filter(state="valid", issued_date__lte=on, valid_to__gte=on).order_by("-issued_date", "-id")
    found: dict[int, list[Registration]] = {}
    for registration in valid.filter(product__in=products):
        found.setdefault(registration.product_id or 0, []).append(registration)
    rest = [product.pk for product in products if product.pk not in found]
    links = DataProduct.resources.through.objects.filter(dataproduct__in=rest).values_list("dataproduct_id", "dataresource_id")
    by_resource: dict[int, list[Registration]] = {}
    pairs = list(links)
    for registration in valid.filter(resource__in={resource for _product, resource in pairs}):
        by_resource.setdefault(registration.resource_id or 0, []).append(registration)
    for product, resource in pairs:
        found.setdefault(product, []).extend(by_resource.get(resource, ()))
    return {pk: max(each, key=lambda r: ORDER.index(Level(r.level))) for pk, each in found.items() if each}
