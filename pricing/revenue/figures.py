"""The figures of a permitted revenue, line by line, each with its arithmetic and where its number comes from.

Kept as JSON with the row, so that the page, the public determination and the numbered document say the same:
``{"code", "minor" | "rate", "steps", "source": {"kind", …}}``; ``steps`` is plain arithmetic without words.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from pricing.revenue.permitted_rules import OPERATING_COST, Amounts, Terms, YearPart, micro
from pricing.rules.exact import plain

Figure = dict[str, Any]
Kept = dict[str, dict[str, Any]]


def figures_of(
    *,
    terms: Terms,
    amounts: Amounts,
    rules: Kept,
    treasury_yield: Decimal,
    treasury_source: str,
    costs: Sequence[Figure],
    carry: Figure | None,
) -> list[Figure]:
    """The lines in the order of the arithmetic. ``costs``: each filing with year and admitted fen; ``carry``: the assessment."""
    is_cost = terms.profit_base == OPERATING_COST
    spread = Decimal(rules["profit_spread_max"]["value"])
    typed = {"kind": "typed"}
    found: list[Figure] = [
        money("cost", terms.cost_minor, mean_text(costs, terms.cost_minor), {"kind": "filings", "filings": list(costs)}),
        money(
            "base", amounts.base_minor, "", ruled(rules, "profit_base") | ({"basis": "cost"} if is_cost else {"basis": "assets"})
        ),
        rate("treasury_yield", treasury_yield, "", typed | {"text": treasury_source}),
        rate("spread", spread, "", ruled(rules, "profit_spread_max")),
        rate(
            "profit_rate",
            terms.profit_rate,
            f"{percent(terms.profit_rate)} ≤ {percent(treasury_yield)} + {percent(spread)} = {percent(treasury_yield + spread)}",
            {"kind": "determined"},
        ),
        money(
            "profit",
            amounts.profit_minor,
            f"{yuan(amounts.base_minor)} × {percent(terms.profit_rate)} = {yuan(amounts.profit_minor)}",
            {"kind": "computed"},
        ),
        rate("income_tax_rate", terms.tax_rate, "", ruled(rules, "income_tax_rate")),
        money("tax", amounts.tax_minor, tax_text(amounts, terms.tax_rate), {"kind": "computed"}),
        money(
            "year",
            amounts.year_minor,
            f"{yuan(terms.cost_minor)} + {yuan(amounts.profit_minor)} + {yuan(amounts.tax_minor)} = {yuan(amounts.year_minor)}",
            {"kind": "computed"},
        ),
        money("prorated", amounts.prorated_minor, prorated_text(amounts), {"kind": "computed", "years": years_of(amounts.parts)}),
        money("deduction", amounts.deduction_minor, deduction_text(terms, amounts), carry or {"kind": "nothing_carried"}),
        money(
            "amount",
            amounts.amount_minor,
            f"{yuan(amounts.prorated_minor)} − {yuan(amounts.deduction_minor)} = {yuan(amounts.amount_minor)}",
            {"kind": "computed"},
        ),
    ]
    if amounts.carry_on_minor:
        steps = f"{yuan(terms.carry_minor)} − {yuan(amounts.deduction_minor)} = {yuan(amounts.carry_on_minor)}"
        found.append(money("carry_on", amounts.carry_on_minor, steps, {"kind": "computed"}))
    return found


def money(code: str, minor: int, steps: str, source: Figure) -> Figure:
    return {"code": code, "minor": minor, "steps": steps, "source": source}


def rate(code: str, value: Decimal, steps: str, source: Figure) -> Figure:
    return {"code": code, "rate": written(value), "steps": steps, "source": source}


def ruled(rules: Kept, name: str) -> Figure:
    return {"kind": "rule", "name": name, **rules[name]}


def years_of(parts: Sequence[YearPart]) -> list[dict[str, int]]:
    return [{"year": part.year, "days": part.days, "of_days": part.of_days} for part in parts]


def mean_text(costs: Sequence[Figure], cost_minor: int) -> str:
    """The mean of several years, where there are several."""
    if len(costs) < 2:
        return ""
    added = " + ".join(yuan(each["admitted_minor"]) for each in costs)
    return f"({added}) ÷ {len(costs)} = {yuan(cost_minor)}"


def tax_text(amounts: Amounts, tax_rate: Decimal) -> str:
    shown = percent(tax_rate)
    return f"{yuan(amounts.profit_minor)} ÷ (1 − {shown}) × {shown} = {yuan(amounts.tax_minor)}"


def prorated_text(amounts: Amounts) -> str:
    days = " + ".join(f"{part.days}/{part.of_days}" for part in amounts.parts)
    return f"{yuan(amounts.year_minor)} × ({days}) = {yuan(amounts.prorated_minor)}"


def deduction_text(terms: Terms, amounts: Amounts) -> str:
    return f"min({yuan(terms.carry_minor)}, {yuan(amounts.prorated_minor)}) = {yuan(amounts.deduction_minor)}"


def yuan(minor: int) -> str:
    """Fen as yuan with separators: 883520000 → "8,835,200.00"."""
    return f"{Decimal(minor).scaleb(-2):,.2f}"


def percent(value: Decimal) -> str:
    """A rate as a percentage without idle zeros: 0.0783 → "7.83%"."""
    return plain(micro(value), 4) + "%"


def written(value: Decimal) -> str:
    """A rate in plain writing: 0.0783."""
    return plain(micro(value), 6)
