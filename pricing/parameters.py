"""The parameters of the rule sets that prices and grants follow, with the value that holds where no rule set says otherwise."""

from __future__ import annotations

from datetime import date

from products.record.rule_sets import ParameterNotSet, parameter

DEFAULTS = {
    "tariff_review_days": 5,  # working days in which the regulator may return a tariff (design.md section 4)
    "tariff_rise_notice_days": 30,  # calendar days between filing a rise and the day it begins
    "grant_decision_days": 20,  # working days to decide a free-use claim
}


def days(*, name: str, on: date, region: str) -> int:
    """A number of days, from the most local rule set of the region in force that day; else the default above."""
    try:
        return int(parameter(name=name, on=on, jurisdiction=region or "CN"))
    except ParameterNotSet:
        return DEFAULTS[name]
