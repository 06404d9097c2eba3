"""What still stands between a product and the shop: invariants 1 and 2 of docs/architecture.md, as a list of gaps.

A gap of stage ``publish`` means that the product may not be filed at all; one of stage ``list`` is a step still to take.
Price facts come from the floor above as an argument. Rules by source: R2 data dictionary, R9/R10 open first, R53 registration,
R63 necessity, R71 two reviews, R73/R90 no raw data, R88 hard block.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from products.catalogue.models import DataProduct, ProductState, Regime, Release, ReviewRecord
from products.catalogue.redevelopment import NO_ORIGIN, SAME_CONTROL, Origin, origin_of
from products.organisations.models import OrganisationKind, OrganisationState
from products.record.clock import business_date
from products.registry.models import Authorisation, DataResource, OpenType, ProductType, Registration, ScopeItem
from products.registry.purposes import covers

PUBLISH, LIST = "publish", "list"
MERCHANT_KINDS = (OrganisationKind.OPERATOR, OrganisationKind.ENTERPRISE)


@dataclass(frozen=True, slots=True)
class Gap:
    """One thing that is missing: a stable code, a sentence a person can act on, where (an object's code), and the stage."""

    code: str
    message: str | Promise
    where: str
    stage: str = PUBLISH

    def __str__(self) -> str:
        return f"{self.code}: {self.message} ({self.where})"


class PriceGap(Protocol):
    @property
    def code(self) -> str: ...
    @property
    def message(self) -> str: ...


class PriceState(Protocol):
    """Price facts of a product on a date, as ``pricing.selectors.price_state`` finds them.

    ``kind`` is ``free`` (nothing is charged), ``priced`` (every price in force is within its cap) or ``missing`` (``gaps``).
    """

    @property
    def kind(self) -> str: ...
    @property
    def gaps(self) -> Sequence[PriceGap]: ...


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules read, fetched in a fixed number of queries."""

    product: DataProduct
    authorisation: Authorisation | None
    scope: Sequence[ScopeItem]
    resources: Sequence[DataResource]
    registrations: Sequence[Registration]
    reviews: Sequence[ReviewRecord]
    release: Release | None
    day: date
    price: PriceState | None
    origin: Origin = NO_ORIGIN
    licences: Collection[str] | None = None


def listing_gaps(
    *, product: DataProduct, at: datetime, price_state: PriceState | None, licences: Collection[str] | None = None
) -> list[Gap]:
    """Everything that is missing before ``product`` may be listed at ``at``; empty when it may.

    ``price_state=None`` means that no price is known yet. ``licences`` are the codes of the products that the product's
    operator may re-develop, as the floor above knows them; None: not asked.
    """
    facts = _facts(product, at, price_state, licences)
    return [gap for rule in RULES for gap in rule(facts)]


def _facts(product: DataProduct, at: datetime, price: PriceState | None, licences: Collection[str] | None) -> Facts:
    authorisation = product.authorisation
    resources = list(product.resources.order_by("code"))
    scope = ScopeItem.objects.filter(authorisation=authorisation).order_by("id") if authorisation else []
    releases = product.releases.defer("artifact").filter(state=Release.State.ACTIVE)
    return Facts(
        product=product,
        authorisation=authorisation,
        scope=list(scope),
        resources=resources,
        registrations=list(Registration.objects.filter(resource__in=resources).order_by("id")),
        reviews=list(product.reviews.order_by("requested_at", "id")),
        release=releases.first(),
        day=business_date(at),
        price=price,
        origin=origin_of(product),
        licences=licences,
    )


def _type(facts: Facts) -> Iterator[Gap]:
    if facts.product.type not in ProductType.values:
        yield Gap(
            "raw_data", _("No product type delivers rows: raw data never leaves its domain (R73, R90)."), facts.product.type
        )


def _operator(facts: Facts) -> Iterator[Gap]:
    if facts.product.operator.state != OrganisationState.VERIFIED:
        yield Gap("operator_unverified", _("The operator's certificate is not verified."), facts.product.operator.slug)


def _seller(facts: Facts) -> Iterator[Gap]:
    kinds = MERCHANT_KINDS if facts.origin.bases else (OrganisationKind.OPERATOR,)
    if facts.product.operator.kind not in kinds:
        message = _("Operators publish products; an enterprise publishes what it builds on another's delivered product.")
        yield Gap("seller_kind", message, facts.product.operator.slug)


def _authorisation(facts: Facts) -> Iterator[Gap]:
    held = facts.authorisation
    if held is None and facts.origin.bases:
        return  # it stands on delivered products, not on data of an authorisation
    if held is None:
        yield Gap("authorisation_missing", _("Name the authorisation under which this product is built."), facts.product.code)
        return
    if held.operator_id != facts.product.operator_id:
        yield Gap("authorisation_foreign", _("This authorisation was given to another operator."), held.number)
    if held.state != Authorisation.State.ACTIVE:
        yield Gap("authorisation_inactive", _("This authorisation is not active."), held.number)
    if not held.from_date <= facts.day <= held.to_date:
        yield Gap(
            "authorisation_out_of_term",
            _("This authorisation runs from %(from)s to %(to)s.") % {"from": held.from_date, "to": held.to_date},
            held.number,
        )


def _scope(facts: Facts) -> Iterator[Gap]:
    """Invariant 2: each resource × type × purpose × scenario of the product stands in the authorisation's scope."""
    if not facts.resources and not facts.origin.bases:
        yield Gap("resources_missing", _("Name the data resources from which the product is derived."), facts.product.code)
    if not facts.product.purposes:
        yield Gap("purposes_missing", _("Name at least one purpose."), facts.product.code)
    if not facts.product.scenarios:
        yield Gap(
            "scenarios_missing", _("Name at least one scenario: a blanket product is not authorised (R16)."), facts.product.code
        )
    for resource in facts.resources if facts.authorisation else ():
        items = [item for item in facts.scope if item.resource_id == resource.pk and item.product_type == facts.product.type]
        if not items:
            kind = ProductType(facts.product.type).label if facts.product.type in ProductType.values else facts.product.type
            yield Gap(
                "scope_resource",
                _("The authorisation does not cover products of the type %(type)s on this resource.") % {"type": kind},
                resource.code,
            )
            continue
        yield from _scope_of(facts, resource, items)


def _scope_of(facts: Facts, resource: DataResource, items: Sequence[ScopeItem]) -> Iterator[Gap]:
    for purpose in facts.product.purposes:
        scenarios = {item.scenario_id for item in items if covers(item.purpose_id, purpose)}
        if not scenarios:
            yield Gap(
                "scope_purpose",
                _("The authorisation does not cover the purpose %(purpose)s on this resource.") % {"purpose": purpose},
                resource.code,
            )
            continue
        for scenario in facts.product.scenarios:
            if scenario not in scenarios:
                yield Gap(
                    "scope_scenario",
                    _("The authorisation does not cover %(purpose)s in the scenario %(scenario)s on this resource.")
                    % {"purpose": purpose, "scenario": scenario},
                    resource.code,
                )


def _resources(facts: Facts) -> Iterator[Gap]:
    for resource in facts.resources:
        if resource.open_type == OpenType.CLOSED:
            yield Gap(
                "resource_closed",
                _("Data that may not be opened must not be operated (R88)."),
                resource.code,
            )
        if not any(entry.get("field") and entry.get("meaning") for entry in resource.dictionary):
            yield Gap("dictionary_missing", _("The resource has no data dictionary (R2)."), resource.code)
        if resource.provenance == DataResource.Provenance.SHARED and resource.shared_consent_id is None:
            yield Gap("consent_missing", _("The body that shared this resource has not given its consent (R35)."), resource.code)
        if not _is_registered(facts, resource):
            yield Gap("registration_missing", _("The resource has no registration that is valid today (R53)."), resource.code)


def _is_registered(facts: Facts, resource: DataResource) -> bool:
    return any(
        entry.resource_id == resource.pk
        and entry.state == Registration.State.VALID
        and entry.issued_date <= facts.day <= entry.valid_to
        for entry in facts.registrations
    )


def _concepts(facts: Facts) -> Iterator[Gap]:
    """What a product on personal data tells must be known before it is sold beside others (R72)."""
    if not facts.product.concepts and any(resource.has_personal_data for resource in facts.resources):
        message = _(
            "Say what the answers tell about somebody: a product on personal data is checked against what buyers hold (R72)."
        )
        yield Gap("concepts_missing", message, facts.product.code, LIST)


def _open_first(facts: Facts) -> Iterator[Gap]:
    """A paid product needs a reason to exist where the data could simply be opened (R9), named and disclosed (R10)."""
    if facts.product.regime in (Regime.FREE, Regime.MARKET) or facts.product.open_first_override.strip():
        return
    for resource in facts.resources:
        is_harmless = not resource.has_personal_data and not resource.has_security_impact
        if is_harmless or resource.open_type == OpenType.UNCONDITIONAL:
            yield Gap(
                "open_first",
                _("Open this resource instead of charging for it, or give open_first_override, which is disclosed (R9, R10)."),
                resource.code,
            )


def _necessity(facts: Facts) -> Iterator[Gap]:
    if facts.product.regime not in (Regime.FREE, Regime.MARKET) and not facts.product.necessity.strip():
        yield Gap("necessity_missing", _("Say why a fee is needed (R63)."), facts.product.code)


def _redevelopment(facts: Facts) -> Iterator[Gap]:
    """Fact 10 and scenarios 44 to 46 of the domain: a market price is for others' re-developed products, and for nothing else."""
    product, origin = facts.product, facts.origin
    if not origin.bases:
        if product.regime == Regime.MARKET:
            message = _("A market price is for a product re-developed from another's delivered product: name it in built_on.")
            yield Gap("market_without_base", message, product.code)
        return
    if product.regime not in (Regime.MARKET, Regime.FREE):
        message = _("A re-developed product has a market price; the government guides the first tier only.")
        yield Gap("redevelopment_regime", message, product.code)
    for base in origin.own_delivered(product.operator_id):
        message = _("An operator may not, directly or indirectly, re-develop a product that it delivered in its own scope.")
        yield Gap("redevelopment_own", message, base.code)
    for base in origin.bases:
        if base.operator_id == product.operator_id:
            continue
        if base.state != ProductState.LISTED:
            yield Gap("base_not_listed", _("The product that this one is built on is not on sale."), base.code)
        if facts.licences is not None and base.code not in facts.licences:
            message = _("No right to re-develop it: buy it for the purpose sector.data_services first.")
            yield Gap("licence_missing", message, base.code)
    if origin.outcome == SAME_CONTROL:
        message = _("The price regulator decided that an affiliate sells it for the operator: it has no market price.")
        yield Gap("redevelopment_by_affiliate", message, product.code)


def _release(facts: Facts) -> Iterator[Gap]:
    if facts.release is None:
        yield Gap("release_missing", _("No release of this product is ready to run."), facts.product.code, LIST)


def _reviews(facts: Facts) -> Iterator[Gap]:
    """Both reviews passed (R71), the latest of each kind, and asked for no earlier than the release that runs."""
    for kind, label in ReviewRecord.Kind.choices:
        latest = next((review for review in reversed(facts.reviews) if review.kind == kind), None)
        if latest is None or latest.state != ReviewRecord.State.PASSED:
            yield Gap(
                "review_missing", _("The review has not been passed: %(kind)s.") % {"kind": label}, facts.product.code, LIST
            )
        elif facts.release and latest.requested_at < facts.release.created_at:
            yield Gap(
                "review_outdated",
                _("The review was of an earlier release: %(kind)s.") % {"kind": label},
                facts.product.code,
                LIST,
            )


def _price(facts: Facts) -> Iterator[Gap]:
    code = facts.product.code
    if facts.price is None:
        if facts.product.regime != Regime.FREE:
            yield Gap("price_missing", _("No price is in force."), code, LIST)
        return
    if facts.price.kind == "missing":
        for gap in facts.price.gaps:
            yield Gap(gap.code, gap.message, code, LIST)
        if not facts.price.gaps:
            yield Gap("price_missing", _("No price is in force."), code, LIST)


RULES: tuple[Callable[[Facts], Iterator[Gap]], ...] = (
    _type,
    _operator,
    _seller,
    _authorisation,
    _scope,
    _resources,
    _concepts,
    _open_first,
    _necessity,
    _redevelopment,
    _release,
    _reviews,
    _price,
)
