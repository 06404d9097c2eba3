"""The words of the figures, for pages and documents; the numbers are in the figures themselves."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pricing.revenue.figures import percent, yuan
from products.record.rule_sets import rule_set_name
from products.registry.models import Authorisation

WORDS: dict[str, str | Promise] = {
    "cost": gettext_lazy("Operating cost of a year"),
    "base": gettext_lazy("Base of the profit"),
    "treasury_yield": gettext_lazy("Ten-year treasury yield"),
    "spread": gettext_lazy("Highest spread above it"),
    "profit_rate": gettext_lazy("Permitted profit rate"),
    "profit": gettext_lazy("Permitted profit of a year"),
    "income_tax_rate": gettext_lazy("Income tax rate"),
    "tax": gettext_lazy("Taxes of a year"),
    "year": gettext_lazy("Permitted revenue of a whole year"),
    "prorated": gettext_lazy("For the days of the period"),
    "deduction": gettext_lazy("Less: over-recovered before"),
    "amount": gettext_lazy("Maximum permitted revenue of the period"),
    "carry_on": gettext_lazy("Still over-recovered, carried further"),
}
RULE_WORDS: dict[str, str | Promise] = {
    "profit_base": gettext_lazy("base of the profit"),
    "profit_spread_max": gettext_lazy("highest spread above the treasury yield"),
    "y10_year": gettext_lazy("which treasury yield"),
    "cycle_months": gettext_lazy("longest period, months"),
    "income_tax_rate": gettext_lazy("income tax rate"),
    "vat_rate": gettext_lazy("VAT rate"),
    "under_recovery_carry": gettext_lazy("under-recovery is made good"),
    "over_recovery_interest": gettext_lazy("interest on over-recovery"),
    "revenue_opinion_working_days": gettext_lazy("working days for opinions"),
    "revenue_determination_working_days": gettext_lazy("working days for the determination"),
    "revenue_warning_percents": gettext_lazy("warnings at per cent of the maximum"),
}


def label(code: str) -> str:
    return str(WORDS.get(code, code))


def value(figure: dict[str, Any]) -> str:
    """What a figure shows: yuan, or a rate as a percentage."""
    return yuan(figure["minor"]) if "minor" in figure else percent(Decimal(figure["rate"]))


def source(figure: dict[str, Any]) -> str:
    """Where a figure comes from, in a sentence."""
    found = figure["source"]
    kind = found["kind"]
    if kind == "filings":
        years = ", ".join(f"{each['year']} (v{each['version']})" for each in found["filings"])
        return _("Audited cost filing of %(years)s") % {"years": years}
    if kind == "rule":
        text = _("%(rule_set)s: %(source)s") % {"rule_set": rule_set_name(found), "source": found["source"]}
        basis = {"cost": _("the operating cost"), "assets": _("the effective assets")}.get(found.get("basis", ""))
        return f"{basis} · {text}" if basis else text
    if kind == "typed":
        return str(found["text"])
    if kind == "assessment":
        return _("Confirmed assessment of the period before: %(carry)s carried") % {"carry": yuan(found["carry_minor"])}
    words = {
        "determined": _("Determined within the limit"),
        "computed": _("Computed"),
        "nothing_carried": _("No period before, so nothing is carried"),
        "not_assessed": _("The period before is not assessed yet; its excess goes into the period after this one"),
    }
    return words.get(kind, "")


def operation_name(authorisation: Authorisation) -> str:
    return f"{authorisation.operator.name}（{authorisation.number}）"
