"""Who gets a published discount: each reason has a condition that is the same for all. There is no other way to one.

``key_scenario``: the use is in a scenario that the rule set in force names (parameter ``key_scenarios``, a list of scenario
codes; where no rule set has it, none is). ``small_business``: the buyer is a micro, small or medium enterprise. A reason
without a condition here can be written into a tariff, but nobody fulfils it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from pricing.bodies import region_of
from products.catalogue.models import DataProduct
from products.organisations.models import Organisation, OrganisationSize
from products.record.rule_sets import NATIONAL, ParameterNotSet, parameter

SMALL_SIZES = frozenset({OrganisationSize.MICRO.value, OrganisationSize.SMALL.value, OrganisationSize.MEDIUM.value})
CONDITIONS: dict[str, str | Promise] = {
    "key_scenario": _("Use in a key supported scenario"),
    "small_business": _("Micro, small and medium enterprises"),
}


@dataclass(frozen=True, slots=True)
class Offered:
    """A discount that a tariff publishes: its percentage as written, for whom, on which components, and whether a use gets it."""

    reason: str
    percent: str
    components: tuple[str, ...]
    is_due: bool

    @property
    def condition(self) -> str:
        """For whom it is, in the page's language; the reason's own word where nobody wrote a condition for it."""
        return str(CONDITIONS.get(self.reason, self.reason))


def offered(*, document: Mapping[str, Any], due: Collection[str]) -> tuple[Offered, ...]:
    """The discounts of a tariff document in its order, marked with those that are due. Pure."""
    return tuple(
        Offered(each["reason"], each["percent"], tuple(each["components"]), each["reason"] in due)
        for each in document.get("discounts") or ()
    )


def published(document: Mapping[str, Any]) -> frozenset[str]:
    """The reasons that a tariff document gives a discount for."""
    return frozenset(discount["reason"] for discount in document.get("discounts") or ())


def fulfilled(reasons: Iterable[str], *, scenario: str, size: str, key_scenarios: Collection[str]) -> tuple[str, ...]:
    """Those of the reasons whose condition a use meets, sorted. Pure."""
    met = {"key_scenario": scenario in key_scenarios, "small_business": size in SMALL_SIZES}
    return tuple(sorted(reason for reason in set(reasons) if met.get(reason, False)))


def discounts_due(
    *, product: DataProduct, document: Mapping[str, Any], organisation: Organisation | None, scenario: str, on: date
) -> tuple[str, ...]:
    """The discounts of a product's tariff that a buyer gets for a scenario on a day: what every buyer in its place gets.

    Pages quote by it, a purchase gives by it, an entitlement is checked by it. A visitor (None) gets none: nobody can tell.
    """
    reasons = published(document)
    if not reasons or organisation is None:
        return ()
    named = key_scenarios(region=region_of(product), on=on) if "key_scenario" in reasons else frozenset()
    return fulfilled(reasons, scenario=scenario, size=organisation.size, key_scenarios=named)


def key_scenarios(*, region: str, on: date) -> frozenset[str]:
    """The scenario codes that the rule set of the region in force that day supports."""
    try:
        return frozenset(parameter(name="key_scenarios", on=on, jurisdiction=region or NATIONAL))
    except ParameterNotSet:
        return frozenset()
