"""The days that prices and grants follow, from the rule sets."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

from products.record.models import RuleSet
from products.record.rule_sets import NATIONAL, chain, parameter


def days(*, name: str, on: date, region: str) -> int:
    """A number of days, from the most local rule set of the region in force that day. Raises ParameterNotSet."""
    return int(parameter(name=name, on=on, jurisdiction=region or NATIONAL))


def kept(*, names: Collection[str], on: date, region: str) -> dict[str, dict[str, Any]]:
    """The named parameters in force that day with where they come from: what an object keeps of the rules that it began under.

    ``{name: {"value", "rule_set", "source", "jurisdiction"}}``, each from the most local rule set that has it; a name that no
    rule set has is left out.
    """
    steps = chain(region or NATIONAL)
    rule_sets = {own.jurisdiction: own for own in RuleSet.objects.filter(jurisdiction__in=steps, period__contains=on)}
    found: dict[str, dict[str, Any]] = {}
    for step in reversed(steps):
        if (own := rule_sets.get(step)) is not None:
            origin = {"rule_set": own.name, "source": own.source, "jurisdiction": step}
            found |= {name: {"value": own.parameters[name], **origin} for name in names if name in own.parameters}
    return found
