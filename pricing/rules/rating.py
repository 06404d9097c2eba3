"""What a usage costs under a tariff, to the fen: lines, minimum and maximum, tax. design.md section 7 to the letter."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from pricing.rules.exact import FULL_PERCENT, MICRO, PICO_PER_FEN, fen, half_up
from pricing.rules.periods import stretches
from pricing.rules.terms import Component, Flat, Tariff, Tax, Usage


@dataclass(frozen=True, slots=True)
class Line:
    """Units in millionths (days for flat components), amounts in fen."""

    component: str
    units_micro: int
    gross_minor: int
    payable_minor: int
    discount_minor: int
    percent_micro: int = 0

    @property
    def effective_unit_price_micro(self) -> int:
        """payable / units in millionths of a yuan, half up."""
        return half_up(self.payable_minor * 10**4 * MICRO, self.units_micro)


@dataclass(frozen=True, slots=True)
class Rated:
    """A rated document. `total` is with tax in both tax modes; `free_value` is what a free document would have cost."""

    lines: tuple[Line, ...]
    total_minor: int
    net_minor: int
    vat_minor: int
    free_value_minor: int


def rate_metered(component: Component, units: int, before: int = 0, percent_off: int = 0) -> tuple[int, int]:
    """(gross, payable) in fen of `units` that follow `before`: round(f(before + units)) − round(f(before)).

    Being a difference of rounded totals, parts add up to the whole wherever a usage is cut. It can be negative under
    the volume model, where crossing a tier makes the whole quantity cheaper.
    """
    value = component.value(before + units)
    already = component.value(before) if before else 0
    gross = half_up(value, PICO_PER_FEN) - half_up(already, PICO_PER_FEN)
    payable = fen(value, percent_off) - fen(already, percent_off) if percent_off else gross
    return gross, payable


def accrued(price_minor: int, days: int, of_days: int, percent_off: int = 0) -> int:
    """Fen of a period's price after `days` of its `of_days`, rounded once."""
    return half_up(price_minor * days * (FULL_PERCENT - percent_off), of_days * FULL_PERCENT)


def rate_flat(price: Flat, start: date, end: date, anchor: date, percent_off: int = 0) -> tuple[int, int]:
    """(gross, payable) in fen of a flat price over [start, end).

    A day counts price × days. Longer periods accrue by the day; each period touched pays round(accrued to its end) −
    round(accrued to its start), so a period paid in parts costs its price exactly (domain.md F10).
    """
    if price.period == "day":
        days = (end - start).days
        return price.price_minor * days, accrued(price.price_minor, days, 1, percent_off)
    gross = payable = 0
    for begin, stop, of_days in stretches(start, end, price.period, anchor):
        gross += accrued(price.price_minor, stop, of_days) - accrued(price.price_minor, begin, of_days)
        payable += accrued(price.price_minor, stop, of_days, percent_off)
        payable -= accrued(price.price_minor, begin, of_days, percent_off)
    return gross, payable


def percent_for(tariff: Tariff, code: str, reasons: Iterable[str]) -> int:
    """The largest discount that reaches the component by the named reasons, in millionths of a percent."""
    named = set(reasons)
    return max((d.percent_micro for d in tariff.discounts if d.reason in named and code in d.components), default=0)


def span(usage: Usage) -> tuple[date, date, date]:
    """(from, to, anchor) of a usage under a tariff with flat components; ValueError where they are missing."""
    if usage.start is None or usage.end is None or usage.end <= usage.start:
        raise ValueError("a flat component needs from and a later to")
    return usage.start, usage.end, usage.anchor or usage.start


def rate_component(tariff: Tariff, component: Component, usage: Usage) -> Line:
    percent = percent_for(tariff, component.code, usage.discounts) if component.is_collected else 0
    if isinstance(component.price, Flat):
        start, end, anchor = span(usage)
        units = (end - start).days * MICRO
        gross, payable = rate_flat(component.price, start, end, anchor, percent)
    else:
        units = usage.units.get(component.code, 0)
        gross, payable = rate_metered(component, units, usage.before.get(component.code, 0), percent)
    if not component.is_collected:
        return Line(component.code, units, gross, 0, 0)
    return Line(component.code, units, gross, payable, gross - payable, percent)


def bound_line(tariff: Tariff, payable: int) -> Line | None:
    """The line `minimum` or `maximum` when one acts on the sum of payables; its amounts are the signed difference."""
    low, high = tariff.minimum_minor, tariff.maximum_minor
    if low is not None and payable < low:
        return Line("minimum", 0, low - payable, low - payable, 0)
    if high is not None and payable > high:
        return Line("maximum", 0, high - payable, high - payable, 0)
    return None


def taxed(tax: Tax, amount: int) -> tuple[int, int, int]:
    """(total, net, vat) in fen of a document's sum (domain.md F11)."""
    if tax.is_inclusive:
        net = half_up(amount * MICRO, MICRO + tax.rate_micro)
        return amount, net, amount - net
    vat = half_up(amount * tax.rate_micro, MICRO)
    return amount + vat, amount, vat


def rate(tariff: Tariff, usage: Usage) -> Rated:
    """The whole document, exactly. Expects a usage that belongs to the tariff (`documents.parse_usage` checks that)."""
    lines = [rate_component(tariff, component, usage) for component in tariff.components]
    payable = sum(line.payable_minor for line in lines)
    bound = bound_line(tariff, payable)
    if bound is not None:
        lines.append(bound)
        payable += bound.payable_minor
    total, net, vat = taxed(tariff.tax, payable)
    if usage.is_free:
        waived = tuple(Line(line.component, line.units_micro, line.gross_minor, 0, 0) for line in lines)
        return Rated(waived, 0, 0, 0, total)
    return Rated(tuple(lines), total, net, vat, 0)


def effective_unit_prices(tariff: Tariff, rated: Rated, usage: Usage) -> dict[str, int]:
    """payable / units in millionths of a yuan for each metered component with units; none where the usage is free."""
    if usage.is_free:
        return {}
    metered = {component.code for component in tariff.components if not isinstance(component.price, Flat)}
    lines = (line for line in rated.lines if line.component in metered and line.units_micro > 0)
    return {line.component: line.effective_unit_price_micro for line in lines}
