"""Every parameter that a rule set may set: what it means, its form, its bounds, and which rule or formula it serves.

A value that is not here cannot enter a rule set, so that a page, a formula and a person mean the same thing by a name. Values are
kept as JSON: rates as decimal text (never a float), numbers of days or years as integers, dates of the year as MM-DD.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from products.record.refusals import Refused

INTEGER, RATE, FLAG, CHOICE, MONTH_DAY, PERCENTS, CODES = "integer", "rate", "flag", "choice", "month_day", "percents", "codes"
READ, BELIEVED, OWN = (
    "read",
    "believed",
    "own",
)  # how sure the nation's value is: read in the rule; believed; this platform's choice


class ParameterUnknown(Refused):
    code = "parameter_unknown"


class ParameterNotValid(Refused):
    code = "parameter_not_valid"


@dataclass(frozen=True)
class Parameter:
    """One parameter. ``low`` and ``high`` are inclusive; ``serves`` names the document and article, or the formula."""

    name: str
    label: str | Promise
    kind: str
    serves: str
    unit: Any = ""
    low: Decimal = Decimal(0)
    high: Decimal = Decimal(1)
    choices: tuple[tuple[str, str | Promise], ...] = ()
    certainty: str = OWN
    is_optional: bool = False

    def check(self, value: Any) -> Any:
        """The value as it is kept. Raises ParameterNotValid, saying what the form is."""
        checked = CHECKS[self.kind](self, value)
        if checked is None:
            facts = {"label": self.label, "value": value, "form": self.form}
            message = _("%(label)s: “%(value)s” is not possible. It takes %(form)s.") % facts
            raise ParameterNotValid(message, field=self.name, parameter=self.name)
        return checked

    def read(self, text: str) -> Any:
        """The value from what a person typed: a rate as 6 or 6% means six per cent. Raises ParameterNotValid."""
        plain = text.strip().replace("％", "%").replace("，", ",").replace("、", ",")
        if self.kind == RATE:
            number = _decimal(plain.removesuffix("%").strip())
            return self.check(plain if number is None else f"{(number / 100).normalize():f}")
        if self.kind == INTEGER:
            return self.check(int(plain) if re.fullmatch(r"-?\d{1,9}", plain) else text)
        if self.kind == FLAG:
            return self.check({"true": True, "yes": True, "是": True, "false": False, "no": False, "否": False}.get(plain, text))
        if self.kind in (PERCENTS, CODES):
            parts = [part.strip() for part in re.split(r"[,\s]+", plain) if part.strip()]
            return self.check([int(p) if re.fullmatch(r"\d{1,4}", p) else p for p in parts] if self.kind == PERCENTS else parts)
        return self.check(plain)

    def typed(self, value: Any) -> str:
        """The value as a form shows it: what ``read`` takes."""
        if self.kind == RATE:
            return f"{(Decimal(str(value)) * 100).normalize():f}"
        if self.kind == FLAG:
            return "true" if value else "false"
        return ", ".join(map(str, value)) if self.kind in (PERCENTS, CODES) else str(value)

    def show(self, value: Any) -> str:
        """The value with its unit, for people: 6 %, 20 working days, yes."""
        if self.kind == RATE:
            return f"{self.typed(value)} %"
        if self.kind == FLAG:
            return str(_("yes") if value else _("no"))
        if self.kind == CHOICE:
            return str(dict(self.choices).get(value, value))
        if self.kind == PERCENTS:
            return ", ".join(f"{each} %" for each in value)
        if self.kind == CODES:
            return ", ".join(value)
        return str(self.unit % {"n": value}) if self.kind == INTEGER else str(value)

    @property
    def form(self) -> str:
        """What a value must look like, in words."""
        if self.kind == RATE:
            return str(_("a rate from %(low)s %% to %(high)s %%") % {"low": self.typed(self.low), "high": self.typed(self.high)})
        if self.kind == INTEGER:
            return str(_("a whole number from %(low)s to %(high)s") % {"low": self.low, "high": self.high})
        if self.kind == FLAG:
            return str(_("yes or no"))
        if self.kind == CHOICE:
            return str(_("one of: %(choices)s") % {"choices": ", ".join(str(label) for _code, label in self.choices)})
        if self.kind == MONTH_DAY:
            return str(_("a day of the year such as 03-31"))
        if self.kind == PERCENTS:
            return str(_("rising whole percentages such as 90, 100"))
        return str(_("codes separated by commas"))


def _integer(parameter: Parameter, value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if parameter.low <= value <= parameter.high else None


def _rate(parameter: Parameter, value: Any) -> str | None:
    number = _decimal(value) if isinstance(value, str) else None  # a JSON number would be a float
    if number is None or not parameter.low <= number <= parameter.high:
        return None
    return f"{number.normalize():f}" if int(number.normalize().as_tuple().exponent) >= -8 else None


def _flag(_parameter: Parameter, value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _choice(parameter: Parameter, value: Any) -> str | None:
    return value if isinstance(value, str) and value in dict(parameter.choices) else None


def _month_day(_parameter: Parameter, value: Any) -> str | None:
    try:  # 2001 was a common year: 29 February would fail in three years of four
        return value if date.fromisoformat(f"2001-{value}").strftime("%m-%d") == value else None
    except (TypeError, ValueError):
        return None


def _percents(_parameter: Parameter, value: Any) -> list[int] | None:
    if not isinstance(value, list) or not value or any(isinstance(v, bool) or not isinstance(v, int) for v in value):
        return None
    return value if value == sorted(set(value)) and value[0] > 0 and value[-1] <= 1000 else None


def _codes(_parameter: Parameter, value: Any) -> list[str] | None:
    if not isinstance(value, list) or any(
        not isinstance(v, str) or not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,59}", v) for v in value
    ):
        return None
    return sorted(set(value))


def _decimal(value: str) -> Decimal | None:
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number + 0 if number.is_finite() else None  # minus nought is nought


CHECKS = {
    INTEGER: _integer,
    RATE: _rate,
    FLAG: _flag,
    CHOICE: _choice,
    MONTH_DAY: _month_day,
    PERCENTS: _percents,
    CODES: _codes,
}


def parameter_of(name: str) -> Parameter:
    """The parameter of a name. Raises ParameterUnknown."""
    if name not in PARAMETERS:
        raise ParameterUnknown(_("No rule here is called “%(name)s”.") % {"name": name}, field=name, parameter=name)
    return PARAMETERS[name]


def check_all(values: dict[str, Any]) -> dict[str, Any]:
    """Every value checked and in the registry's order. Raises ParameterUnknown, ParameterNotValid."""
    checked = {name: parameter_of(name).check(value) for name, value in values.items()}
    return {name: checked[name] for name in PARAMETERS if name in checked}


def missing_from(values: dict[str, Any]) -> list[Parameter]:
    """The parameters that the nation's rules must set and these do not: without one, a limit or a formula has no value."""
    return [parameter for name, parameter in PARAMETERS.items() if name not in values and not parameter.is_optional]


WORKING_DAYS = ngettext_lazy("%(n)s working day", "%(n)s working days", "n")
DAYS = ngettext_lazy("%(n)s day", "%(n)s days", "n")
CALLS = ngettext_lazy("%(n)s call", "%(n)s calls", "n")
MONTHS = ngettext_lazy("%(n)s month", "%(n)s months", "n")
CALLS = ngettext_lazy("%(n)s call", "%(n)s calls", "n")
PEOPLE = ngettext_lazy("%(n)s person", "%(n)s people", "n")
YEARS = ngettext_lazy("%(n)s year", "%(n)s years", "n")

PRICE, REGISTER, OPERATE = "发改价格〔2025〕65号", "发改数据规〔2025〕26号", "发改数据规〔2025〕27号"
CYBERSECURITY, KEEPING = "网络安全法：网络日志留存不少于六个月", "SM8"
BASES = (("OPERATING_COST", _("operating cost")), ("EFFECTIVE_ASSETS", _("effective assets")))
YIELDS = (("AVERAGE_OF_YEAR_BEFORE", _("average of the year before the period")),)


def _days(
    name: str, label: Any, serves: str, *, unit: Any = WORKING_DAYS, low: int = 1, high: int = 365, **more: Any
) -> Parameter:
    return Parameter(name, label, INTEGER, serves, unit, Decimal(low), Decimal(high), **more)


def _share(name: str, label: Any, serves: str, *, high: str = "1", **more: Any) -> Parameter:
    return Parameter(name, label, RATE, serves, high=Decimal(high), **more)


LISTED = (
    Parameter("profit_base", _("Base of the permitted profit"), CHOICE, f"F1 · {PRICE}", choices=BASES),
    _share("profit_spread_max", _("Highest profit rate above the treasury yield"), f"F1 · {PRICE}", high="0.2", certainty=READ),
    Parameter("y10_year", _("Which ten-year treasury yield counts"), CHOICE, f"F1 · {PRICE}", choices=YIELDS),
    _days("cycle_months", _("Length of a regulatory period"), f"F1 · {PRICE}", unit=MONTHS, high=120),
    _share("income_tax_rate", _("Income tax rate for the gross-up of profit"), "F1", certainty=BELIEVED),
    _share("capacity_floor", _("Lowest utilisation that caps are set for"), "F2"),
    Parameter("under_recovery_carry", _("Carry under-recovery into the next period"), FLAG, "F5"),
    _share("over_recovery_interest", _("Interest on over-recovery that is carried"), "F5", high="0.2"),
    Parameter("revenue_warning_percents", _("Warn at these shares of the permitted revenue"), PERCENTS, f"F4 · {PRICE}"),
    _share("vat_rate", _("VAT rate"), "F11", high="0.3", certainty=BELIEVED),
    Parameter("pricing_delegated_to_city", _("Cities may set caps themselves"), FLAG, PRICE, certainty=READ),
    _days("trial_to_formal_working_days", _("Move from trial to formal tariff after the first full year"), f"F6 · {PRICE}"),
    _days("cost_audit_working_days", _("Cost audit"), f"SM3 · {PRICE}"),
    _days("revenue_opinion_working_days", _("Opinions on a draft permitted revenue"), f"SM3 · {PRICE}"),
    _days("revenue_determination_working_days", _("Determination of the permitted revenue"), f"SM3 · {PRICE}"),
    Parameter("operation_report_deadline", _("Operation report of the year before, due by"), MONTH_DAY, f"SM3 · {PRICE}"),
    _days("cap_report_working_days", _("Written report of caps"), f"SM4 · {PRICE}"),
    _days("tariff_return_working_days", _("Return of a filed tariff"), f"SM4 · {PRICE}"),
    _days("tariff_rise_notice_days", _("Notice before a price rises"), f"SM4 · {PRICE}", unit=DAYS, low=0),
    Parameter("key_scenarios", _("Scenarios with key support"), CODES, PRICE, is_optional=True),
    _days("equal_treatment_answer_working_days", _("Answer to a flag of unequal treatment"), OPERATE),
    _days("supply_refusal_review_working_days", _("Review of a refusal to supply"), OPERATE),
    _days("authorisation_max_years", _("Longest authorisation"), OPERATE, unit=YEARS, high=30, certainty=READ),
    Parameter("disclosure_deadline", _("Disclosure of the year before, due by"), MONTH_DAY, OPERATE, certainty=READ),
    _days("grant_decision_working_days", _("Decision on free use"), f"SM6 · {OPERATE}"),
    _days("registration_first_working_days", _("First registration after delivery"), f"SM1 · {REGISTER}", certainty=BELIEVED),
    _days("registration_acceptance_working_days", _("Acceptance of a registration"), f"SM1 · {REGISTER}", certainty=BELIEVED),
    _days("registration_review_working_days", _("Form review of a registration"), f"SM1 · {REGISTER}", certainty=BELIEVED),
    _days("registration_publicity_working_days", _("Publicity of a registration"), f"SM1 · {REGISTER}", certainty=READ),
    _days(
        "registration_validity_years", _("Validity of a registration"), f"SM1 · {REGISTER}", unit=YEARS, high=30, certainty=READ
    ),
    _days("registration_renewal_window_days", _("Renewal window before expiry"), REGISTER, unit=DAYS, certainty=BELIEVED),
    Parameter("product_registration_mandatory", _("Every product must be registered"), FLAG, REGISTER, certainty=READ),
    _days("objection_acceptance_working_days", _("Acceptance of an objection"), "SM10"),
    _days("objection_answer_working_days", _("Answer to an objection"), "SM10"),
    _days("out_of_purpose_refusals", _("Calls out of purpose that open a risk case"), "R52", unit=CALLS, high=100),
    _days("out_of_purpose_span_days", _("Span over which calls out of purpose count"), "R52", unit=DAYS),
    _days("risk_case_working_days", _("Answer to a risk case"), f"SM11 · {OPERATE}"),
    _days("join_review_working_days", _("Review of products held together"), "R72"),
    _days("minimum_cell", _("Fewest people in a published cell"), "R32", unit=PEOPLE, low=2, high=1000),
    _share("capacity_share_free", _("Free use may fill this share of a product's capacity"), "R69"),
    _share("capacity_share_paid", _("Paid use may fill this share; the rest is for government and emergencies"), "R69"),
    _days(
        "organisation_calls_per_minute",
        _("Calls a minute of one organisation"),
        "R69",
        unit=CALLS,
        high=100_000_000,
    ),
    _days("closing_grace_days", _("Grace before a month closes"), "SM8", unit=DAYS, low=0, high=31),
    _days("invoice_due_days", _("Invoices fall due after"), "SM8", unit=DAYS, low=0),
    _days("network_log_months", _("Refusals and uses of keys are kept"), CYBERSECURITY, unit=MONTHS, low=6, high=120),
    _days("usage_months_in_database", _("Single calls stay in the database"), KEEPING, unit=MONTHS, low=13, high=240),
)
PARAMETERS: dict[str, Parameter] = {parameter.name: parameter for parameter in LISTED}
