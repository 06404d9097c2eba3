"""The trace of a line: the sums that lead to its amounts, as plain arithmetic that reads the same in every language.

Each step has a `kind` (what is being worked out; `pricing.explain` has the words for it) and a `text` such as
"10000 × 0.50 = 5000.00". "≈" is the one place where something is rounded.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from pricing.rules.exact import FULL_PERCENT, PICO_PER_FEN, fen, plain, quantity, yuan
from pricing.rules.periods import period_of
from pricing.rules.rating import Line, accrued, span
from pricing.rules.terms import Component, Flat, Graduated, Metered, Package, Tariff, Usage, Volume


@dataclass(frozen=True, slots=True)
class Step:
    """`kind` is one of the keys of `pricing.explain.KINDS`."""

    kind: str
    text: str


def exact_yuan(pico: int) -> str:
    return plain(pico, 12, 2)


def price_text(unit_price_micro: int) -> str:
    return plain(unit_price_micro, 6, 2)


def times(units: int, unit_price: int) -> str:
    return f"{quantity(units)} × {price_text(unit_price)} = {exact_yuan(units * unit_price)}"


def graduated_steps(price: Graduated, units: int) -> Iterator[Step]:
    floor = 0
    for tier in price.tiers:
        if units <= floor:
            return
        top = units if tier.up_to_micro is None else min(units, tier.up_to_micro)
        yield Step("tier", times(top - floor, tier.unit_price_micro))
        if tier.flat_fee_minor:
            yield Step("flat_fee", f"> {quantity(floor)}: + {yuan(tier.flat_fee_minor)}")
        floor = top


def model_steps(price: Metered, units: int) -> Iterator[Step]:
    """The sums of one model for a quantity above `included`."""
    if isinstance(price, Graduated):
        yield from graduated_steps(price, units)
    elif isinstance(price, Volume):
        tier = price.tier_of(units)
        yield Step("tier", times(units, tier.unit_price_micro))
        if units and tier.flat_fee_minor:
            yield Step("flat_fee", f"+ {yuan(tier.flat_fee_minor)}")
    elif isinstance(price, Package):
        count = price.packages(units)
        yield Step("package", f"⌈{quantity(units)} ÷ {quantity(price.size_micro)}⌉ = {count}")
        yield Step("package", f"{count} × {yuan(price.price_minor)} = {yuan(count * price.price_minor)}")
    else:
        yield Step("tier", times(units, price.unit_price_micro))


def kept_text(percent_micro: int) -> str:
    return f"(100 − {quantity(percent_micro)}) %"


def rounded_text(pico: int, percent_micro: int = 0) -> str:
    """The exact amount and, after ≈, its fen where they differ."""
    exact = plain(pico * (FULL_PERCENT - percent_micro), 20, 2)
    cut = yuan(fen(pico, percent_micro))
    return exact if exact == cut else f"{exact} ≈ {cut}"


def level_steps(component: Component, units: int, percent: int, name: str) -> Iterator[Step]:
    """f at one level of units, gross and after the discount; `name` says which level where a line needs two."""
    counted = max(0, units - component.included_micro)
    if component.included_micro and units:
        text = f"max(0, {quantity(units)} − {quantity(component.included_micro)}) = {quantity(counted)}"
        yield Step("included", name + text)
    assert not isinstance(component.price, Flat)
    steps = list(model_steps(component.price, counted))
    for step in steps:
        yield Step(step.kind, name + step.text)
    value = component.value(units)
    is_shown = isinstance(component.price, Package) or len(steps) == 1
    if value % PICO_PER_FEN or not is_shown:
        yield Step("sum", f"{name}Σ = {rounded_text(value)}")
    if percent:
        yield Step("discount", f"{name}{exact_yuan(value)} × {kept_text(percent)} = {rounded_text(value, percent)}")


def metered_steps(component: Component, line: Line, before: int) -> Iterator[Step]:
    if not before:
        yield from level_steps(component, line.units_micro, line.percent_micro, "")
        return
    after = before + line.units_micro
    yield Step("units", f"{quantity(before)} + {quantity(line.units_micro)} = {quantity(after)}")
    yield from level_steps(component, after, line.percent_micro, f"f({quantity(after)}): ")
    yield from level_steps(component, before, line.percent_micro, f"f({quantity(before)}): ")
    high, low = component.value(after), component.value(before)
    text = f"{yuan(fen(high))} − {yuan(fen(low))} = {yuan(line.gross_minor)}"
    yield Step("before", text)
    if line.percent_micro:
        high_fen, low_fen = fen(high, line.percent_micro), fen(low, line.percent_micro)
        yield Step("discount", f"{yuan(high_fen)} − {yuan(low_fen)} = {yuan(line.payable_minor)}")


def accrual_text(price_minor: int, days: int, of_days: int, percent: int = 0) -> str:
    factor = f" × {kept_text(percent)}" if percent else ""
    return f"{yuan(price_minor)} × {days} ÷ {of_days}{factor} ≈ {yuan(accrued(price_minor, days, of_days, percent))}"


def flat_steps(price: Flat, line: Line, usage: Usage) -> Iterator[Step]:
    start, end, anchor = span(usage)
    if price.period == "day":
        days = (end - start).days
        yield Step("period", f"{start} – {end}: {days} × {yuan(price.price_minor)} = {yuan(line.gross_minor)}")
        if line.percent_micro:
            text = f"{yuan(line.gross_minor)} × {kept_text(line.percent_micro)} ≈ {yuan(line.payable_minor)}"
            yield Step("discount", text)
        return
    count, day = 0, start
    while day < end:
        begins, ends = period_of(day, price.period, anchor)
        stop = min(end, ends)
        for percent in dict.fromkeys((0, line.percent_micro)):
            yield Step("discount" if percent else "period", stretch_text(price.price_minor, begins, ends, day, stop, percent))
        count, day = count + 1, stop
    if count > 1:
        yield Step("sum", f"Σ = {yuan(line.gross_minor)}")
        if line.percent_micro:
            yield Step("discount", f"Σ = {yuan(line.payable_minor)}")


def stretch_text(price_minor: int, begins: date, ends: date, day: date, stop: date, percent: int) -> str:
    """One period's part: round(accrued to its end) − round(accrued to its start)."""
    of_days, first, last = (ends - begins).days, (day - begins).days, (stop - begins).days
    text = f"{day} – {stop}: {accrual_text(price_minor, last, of_days, percent)}"
    if first:
        low = accrued(price_minor, first, of_days, percent)
        high = accrued(price_minor, last, of_days, percent)
        text += f"; {accrual_text(price_minor, first, of_days, percent)}; {yuan(high)} − {yuan(low)} = {yuan(high - low)}"
    return text


def bound_steps(tariff: Tariff, line: Line) -> Iterator[Step]:
    bound = tariff.minimum_minor if line.component == "minimum" else tariff.maximum_minor
    assert bound is not None
    yield Step("bound", f"{yuan(bound)} − {yuan(bound - line.gross_minor)} = {yuan(line.gross_minor)}")


def line_steps(tariff: Tariff, usage: Usage, line: Line) -> list[Step]:
    """The steps of one line of `rating.rate(tariff, usage)`, rebuilt from its inputs."""
    component = next((c for c in tariff.components if c.code == line.component), None)
    if component is None:
        steps = list(bound_steps(tariff, line))
    elif isinstance(component.price, Flat):
        steps = list(flat_steps(component.price, line, usage))
    else:
        steps = list(metered_steps(component, line, usage.before.get(line.component, 0)))
    if component is not None and not component.is_collected:
        steps.append(Step("not_collected", f"{yuan(line.gross_minor)} → 0.00"))
    if usage.is_free:
        steps.append(Step("free", f"{yuan(line.gross_minor)} → 0.00"))
    return steps


def tax_steps(tariff: Tariff, total: int, net: int, vat: int) -> list[Step]:
    """How net and VAT of a document come from its sum."""
    rate = plain(tariff.tax.rate_micro, 6)
    if tariff.tax.is_inclusive:
        return [
            Step("net", f"{yuan(total)} ÷ (1 + {rate}) ≈ {yuan(net)}"),
            Step("vat", f"{yuan(total)} − {yuan(net)} = {yuan(vat)}"),
        ]
    return [
        Step("vat", f"{yuan(net)} × {rate} ≈ {yuan(vat)}"),
        Step("total", f"{yuan(net)} + {yuan(vat)} = {yuan(total)}"),
    ]
