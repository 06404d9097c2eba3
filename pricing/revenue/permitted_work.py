"""From what a drafter puts in to every figure of a permitted revenue: all checks, then the arithmetic. Writes nothing.

The page shows ``work_out`` while someone types, the service saves exactly that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from pricing.bodies import region_of_authorisation
from pricing.costs.models import CostFiling
from pricing.costs.selectors import admitted_total
from pricing.revenue import permitted_refusals as refusals
from pricing.revenue.figures import figures_of, percent
from pricing.revenue.models import PermittedRevenue, RevenueAssessment
from pricing.revenue.permitted_rules import (
    EFFECTIVE_ASSETS,
    Amounts,
    Terms,
    highest_rate,
    is_whole_months,
    micro,
    months_of,
    permitted,
)
from pricing.revenue.standing import HOLDING, before, current_assessment, first_complete_year, oversees
from pricing.rules.exact import half_up
from products.organisations.models import Organisation
from products.record.refusals import Refused
from products.record.rule_sets import NATIONAL, rules_on
from products.registry.models import Authorisation

RULES: tuple[str, ...] = ("profit_base", "profit_spread_max", "y10_year", "cycle_months", "income_tax_rate", "vat_rate")
RULES += ("under_recovery_carry", "over_recovery_interest", "revenue_opinion_working_days", "revenue_determination_working_days")
RULES += ("revenue_warning_percents",)
HIGHEST_YIELD = Decimal("0.20")
YEARS_BACK = 3


@dataclass(frozen=True)
class Inputs:
    """What a drafter puts in: first and last day, audited filings, the yield with its source, the rate; fen and decimals.

    ``assets_minor`` is asked for where the rule set's base is the effective assets; ``income_tax_rate`` None is the rule set's.
    """

    from_date: date
    last_date: date
    filings: Sequence[CostFiling]
    treasury_yield: Decimal
    treasury_source: str
    profit_rate: Decimal
    assets_minor: int | None = None
    income_tax_rate: Decimal | None = None
    reason: str = ""

    @property
    def end(self) -> date:
        return self.last_date + timedelta(days=1)


@dataclass(frozen=True)
class Worked:
    """Every figure of a draft with the rules that it follows and the assessment that it deducts."""

    terms: Terms
    amounts: Amounts
    rules: dict[str, dict[str, Any]]
    figures: list[dict[str, Any]]
    deducts: RevenueAssessment | None


def rules_for(authorisation: Authorisation, on: date) -> dict[str, dict[str, Any]]:
    """The parameters in force that day for the operation's region, with rule set and source."""
    return rules_on(on=on, jurisdiction=region_of_authorisation(authorisation) or NATIONAL, names=RULES)


def work_out(*, authorisation: Authorisation, regulator: Organisation, inputs: Inputs, on: date) -> Worked:
    """All figures of a draft made on a day. Raises the first of ``problems``."""
    rules = rules_for(authorisation, on)
    for problem in problems(authorisation=authorisation, regulator=regulator, inputs=inputs, on=on, rules=rules):
        raise problem
    costs = [costs_of(filing) for filing in sorted(inputs.filings, key=lambda filing: filing.year)]
    deducts = deducted(authorisation, inputs.from_date)
    terms = Terms(
        cost_minor=half_up(sum(each["admitted_minor"] for each in costs), len(costs)),
        assets_minor=inputs.assets_minor if rules["profit_base"]["value"] == EFFECTIVE_ASSETS else None,
        profit_base=rules["profit_base"]["value"],
        profit_rate=inputs.profit_rate,
        tax_rate=tax_rate(inputs, rules),
        start=inputs.from_date,
        end=inputs.end,
        carry_minor=deducts.carry_minor if deducts else 0,
    )
    amounts = permitted(terms)
    figures = figures_of(
        terms=terms,
        amounts=amounts,
        rules=rules,
        treasury_yield=inputs.treasury_yield,
        treasury_source=inputs.treasury_source.strip(),
        costs=costs,
        carry=_carried(authorisation, inputs.from_date, deducts),
    )
    return Worked(terms, amounts, rules, figures, deducts)


def problems(
    *, authorisation: Authorisation, regulator: Organisation, inputs: Inputs, on: date, rules: dict[str, dict[str, Any]]
) -> Iterator[Refused]:
    """Everything that stands against a draft, each with the field at fault."""
    if not oversees(regulator, authorisation):
        message = _("%(authorisation)s lies outside your region: its own price regulator determines its revenue.")
        yield refusals.NotThisRegulator(message % {"authorisation": authorisation.number}, field="authorisation")
    complete = first_complete_year(authorisation=authorisation)
    if complete is None or on.year <= complete:
        message = _(
            "%(authorisation)s has no complete accounting year yet, so no permitted revenue is determined. Until then its "
            "operator sets trial prices, guided by the authorising body; the system asks for the move when the first full "
            "year is complete."
        )
        yield refusals.NoFullYear(message % {"authorisation": authorisation.number}, field="authorisation")
        return
    yield from _period_problems(authorisation, inputs, on, int(rules["cycle_months"]["value"]), complete)
    yield from _filing_problems(authorisation, inputs, complete)
    yield from _rate_problems(inputs, rules)


def _period_problems(authorisation: Authorisation, inputs: Inputs, on: date, cycle: int, complete: int) -> Iterator[Refused]:
    start, end = inputs.from_date, inputs.end
    if not is_whole_months(start, end):
        message = _("The period is whole months: it begins on the first day of a month and ends on the last day of one.")
        yield refusals.PeriodRefused(message, field="from_date" if start.day != 1 else "to_date")
        return
    if len(months_of(start, end)) > cycle:
        message = _("The period is longer than the %(cycle)s months that the rule set allows.")
        yield refusals.PeriodRefused(message % {"cycle": cycle}, field="to_date", cycle=cycle)
    if end <= on:
        message = _("This period is over. A maximum is determined for time to come, or for the period that runs.")
        yield refusals.PeriodRefused(message, field="to_date")
    if start.year <= complete:
        message = _("The first complete year of the operation is %(year)s: the period begins after it.")
        yield refusals.PeriodRefused(message % {"year": complete}, field="from_date")
    if inputs.last_date > authorisation.to_date:
        message = _("The authorisation ends on %(day)s; the period ends no later.")
        yield refusals.PeriodRefused(message % {"day": authorisation.to_date.isoformat()}, field="to_date")
    other = overlapping(authorisation, start, end)
    if other is not None:
        message = _("A permitted revenue is already determined for %(start)s to %(end)s.")
        named = {"start": other.period.lower.isoformat(), "end": (other.period.upper - timedelta(days=1)).isoformat()}
        yield refusals.PeriodOverlaps(message % named, field="from_date")


def overlapping(authorisation: Authorisation, start: date, end: date) -> PermittedRevenue | None:
    found = PermittedRevenue.objects.filter(authorisation=authorisation, state__in=HOLDING, period__overlap=(start, end))
    return found.order_by("period", "id").first()


def _filing_problems(authorisation: Authorisation, inputs: Inputs, complete: int) -> Iterator[Refused]:
    if not inputs.filings:
        yield refusals.FilingRefused(_("Choose an audited cost filing of a complete year before the period."), field="filings")
    years = [filing.year for filing in inputs.filings]
    if len(set(years)) != len(years):
        yield refusals.FilingRefused(_("Choose one filing for each year."), field="filings")
    for filing in inputs.filings:
        named = {"year": filing.year, "version": filing.version}
        if filing.authorisation_id != authorisation.pk:
            message = _("The cost filing of %(year)s belongs to another operation.")
        elif filing.state != CostFiling.State.AUDITED:
            message = _("The cost filing of %(year)s (version %(version)s) is not audited: audit it or return it first.")
        elif not max(complete, inputs.from_date.year - YEARS_BACK) <= filing.year < inputs.from_date.year:
            message = _(
                "Costs of %(year)s do not count here: complete years of the operation before the period do, three at most."
            )
        elif admitted_total(filing) <= 0:
            message = _("No cost of %(year)s was admitted: there is nothing to permit a revenue for.")
        else:
            continue
        yield refusals.FilingRefused(message % named, field="filings", **named)


def _rate_problems(inputs: Inputs, rules: dict[str, dict[str, Any]]) -> Iterator[Refused]:
    named = {
        "treasury_yield": inputs.treasury_yield,
        "profit_rate": inputs.profit_rate,
        "income_tax_rate": tax_rate(inputs, rules),
    }
    unreadable = [name for name, value in named.items() if not _has_six_places(value)]
    for name in unreadable:
        yield refusals.FigureRefused(_("A rate has at most four decimals of a per cent."), field=name)
    if unreadable:
        return
    if not 0 <= inputs.treasury_yield <= HIGHEST_YIELD:
        yield refusals.FigureRefused(_("The ten-year treasury yield lies between 0 and 20 %."), field="treasury_yield")
    if not inputs.treasury_source.strip():
        message = _("Say where the treasury yield was published and for which year.")
        yield refusals.FigureRefused(message, field="treasury_source")
    highest = highest_rate(treasury_yield=inputs.treasury_yield, spread=Decimal(rules["profit_spread_max"]["value"]))
    if inputs.profit_rate > highest:
        message = _("The profit rate of %(rate)s is too high: at most %(highest)s, the treasury yield and %(spread)s together.")
        spread = percent(Decimal(rules["profit_spread_max"]["value"]))
        facts = {"rate": percent(inputs.profit_rate), "highest": percent(highest), "spread": spread}
        yield refusals.RateTooHigh(message % facts, field="profit_rate", **facts)
    if inputs.profit_rate < 0:
        yield refusals.FigureRefused(_("A profit rate is not negative."), field="profit_rate")
    highest_tax = Decimal(rules["income_tax_rate"]["value"])
    if not 0 <= tax_rate(inputs, rules) <= highest_tax:
        message = _("The income tax rate lies between 0 and %(highest)s.") % {"highest": percent(highest_tax)}
        yield refusals.FigureRefused(message, field="income_tax_rate")
    if rules["profit_base"]["value"] == EFFECTIVE_ASSETS and not (inputs.assets_minor or 0) > 0:
        message = _("The rule set takes the effective assets as the base of the profit: put in their value.")
        yield refusals.FigureRefused(message, field="assets")


def _has_six_places(value: Decimal) -> bool:
    try:
        micro(value)
    except ValueError:
        return False
    return True


def tax_rate(inputs: Inputs, rules: dict[str, dict[str, Any]]) -> Decimal:
    return Decimal(rules["income_tax_rate"]["value"]) if inputs.income_tax_rate is None else inputs.income_tax_rate


def costs_of(filing: CostFiling) -> dict[str, Any]:
    """A filing as a figure's source: year, version, fen in all and by nature of the cost."""
    counted = Sum(Coalesce("overruled_minor", "admitted_minor"))
    natures = filing.items.values_list("nature").annotate(filed=Sum("amount_minor"), total=counted).order_by("nature")
    by_nature = [{"nature": nature, "filed_minor": filed, "admitted_minor": total} for nature, filed, total in natures]
    admitted = sum(row["admitted_minor"] for row in by_nature)
    return {"id": filing.pk, "year": filing.year, "version": filing.version, "admitted_minor": admitted, "by_nature": by_nature}


def deducted(authorisation: Authorisation, start: date) -> RevenueAssessment | None:
    """The confirmed assessment of the period before, whose carry a period that begins on ``start`` deducts."""
    earlier = before(authorisation=authorisation, start=start)
    return current_assessment(earlier) if earlier else None


def _carried(authorisation: Authorisation, start: date, deducts: RevenueAssessment | None) -> dict[str, Any] | None:
    if deducts is not None:
        own = deducts.permitted_revenue
        return {"kind": "assessment", "assessment": deducts.pk, "carry_minor": deducts.carry_minor, "permitted_revenue": own.pk}
    earlier = before(authorisation=authorisation, start=start)
    return {"kind": "not_assessed", "permitted_revenue": earlier.pk} if earlier else None
