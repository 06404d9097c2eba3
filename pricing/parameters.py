"""The days that prices and grants follow, from the rule sets."""

from __future__ import annotations

from datetime import date

from products.record.rule_sets import NATIONAL, parameter


def days(*, name: str, on: date, region: str) -> int:
    """A number of days, from the most local rule set of the region in force that day. Raises ParameterNotSet."""
    return int(parameter(name=name, on=on, jurisdiction=region or NATIONAL))
