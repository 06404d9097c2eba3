"""The proof that the total of a tariff never falls when usage rises, or the smallest quantity after which it does.

Not a sampling. Unit prices, fees and packages are never negative, so every model but volume only ever adds; a volume price
falls nowhere but where the quantity leaves a tier. Those tier ends are finitely many, and each is looked at with every set
of discounts, rounded line by line as a bill is. One quantity counts for all collected components of a basis that count
over the same span, as in the proof of the caps. docs/decisions/0037-what-a-tariff-is-proven-for.md says what follows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pricing.rules.exact import MICRO, fen
from pricing.rules.rating import taxed
from pricing.rules.terms import Component, Discount, Flat, Package, PerUnit, Tariff, Volume

MOST_DISCOUNT_SETS = 4096


@dataclass(frozen=True, slots=True)
class FallingPart:
    """A component's payable at a quantity and at the next one, in fen, after its discount (millionths of a percent)."""

    component: str
    label: str
    before_minor: int
    after_minor: int
    percent_micro: int = 0


@dataclass(frozen=True, slots=True)
class Fall:
    """The total is lower at ``next_micro`` than at ``quantity_micro`` (millionths), with these discount reasons.

    ``rest_minor`` are other charges that must stand beside it for the fall to be seen above the minimum. Totals are with
    minimum, maximum and tax.
    """

    basis: str
    unit: str | None
    quantity_micro: int
    next_micro: int
    reasons: tuple[str, ...]
    parts: tuple[FallingPart, ...]
    rest_minor: int
    total_minor: int
    next_total_minor: int


class TooManyDiscounts(ValueError):
    """More sets of discounts than can be looked at one by one."""


def groups(tariff: Tariff) -> list[list[Component]]:
    """Collected metered components that one quantity moves together: of one basis, unit and counting span."""
    found: dict[tuple[str, str | None, str], list[Component]] = {}
    for component in tariff.components:
        if component.is_collected and not isinstance(component.price, Flat):
            found.setdefault((component.basis, component.unit, component.counts_over), []).append(component)
    return list(found.values())


def step_of(component: Component) -> int:
    """The smallest step of a quantity, in millionths: data volume is metered in millionths, everything else in whole units."""
    return 1 if component.basis == "bytes" else MICRO


def candidates(components: Sequence[Component]) -> list[int]:
    """The quantities after which a sum of components can fall: the last ones inside a tier of a volume price."""
    step = step_of(components[0])
    ends = {
        (component.included_micro + bound) // step * step
        for component in components
        if isinstance(component.price, Volume)
        for bound in component.price.bounds()
    }
    return sorted(ends)


def discount_sets(tariff: Tariff, components: Sequence[Component]) -> dict[tuple[int, ...], tuple[str, ...]]:
    """Every combination of percentages that some set of reasons gives the components, with the fewest reasons for it."""

    def percents(reason: str) -> tuple[int, ...]:
        return tuple(max((d.percent_micro for d in tariff.discounts if reaches(d, reason, c)), default=0) for c in components)

    found: dict[tuple[int, ...], tuple[str, ...]] = {(0,) * len(components): ()}
    for reason in dict.fromkeys(discount.reason for discount in tariff.discounts):
        own = percents(reason)
        for percent, reasons in list(found.items()):
            together = tuple(map(max, percent, own))
            if together not in found or len(reasons) + 1 < len(found[together]):
                found[together] = (*reasons, reason)
        if len(found) > MOST_DISCOUNT_SETS:
            raise TooManyDiscounts
    return found


def reaches(discount: Discount, reason: str, component: Component) -> bool:
    return discount.reason == reason and component.code in discount.components


def costs(component: Component) -> bool:
    """Whether any usage of a component costs anything."""
    price = component.price
    if isinstance(price, Flat | Package):
        return price.price_minor > 0
    if isinstance(price, PerUnit):
        return price.unit_price_micro > 0
    return any(tier.unit_price_micro or tier.flat_fee_minor for tier in price.tiers)


def bounded(tariff: Tariff, payable: int) -> int:
    """The sum of payables after minimum and maximum, in fen."""
    low = payable if tariff.minimum_minor is None else max(payable, tariff.minimum_minor)
    return low if tariff.maximum_minor is None else min(low, tariff.maximum_minor)


def seen(tariff: Tariff, before: int, after: int, has_rest: bool) -> tuple[int, int, int] | None:
    """(other charges, total, next total) at which a fall of the parts is seen in the total; None where the bounds hide it."""
    rest = 0
    if has_rest and tariff.minimum_minor is not None:
        rest = max(0, tariff.minimum_minor - before + 1)
    total, later = bounded(tariff, rest + before), bounded(tariff, rest + after)
    return (rest, taxed(tariff.tax, total)[0], taxed(tariff.tax, later)[0]) if total > later else None


def falls(tariff: Tariff) -> Iterator[Fall]:
    """The smallest fall of each group of components and each set of discounts."""
    all_groups = groups(tariff)
    for components in all_groups:
        points = candidates(components)
        if not points:
            continue
        others = [c for c in tariff.components if c.is_collected and c not in components]
        has_rest = any(costs(component) for component in others)
        for percents, reasons in discount_sets(tariff, components).items():
            found = (fall_at(tariff, components, point, percents, reasons, has_rest) for point in points)
            first = next((fall for fall in found if fall is not None), None)
            if first is not None:
                yield first


def fall_at(
    tariff: Tariff,
    components: Sequence[Component],
    quantity: int,
    percents: tuple[int, ...],
    reasons: tuple[str, ...],
    has_rest: bool,
) -> Fall | None:
    later = quantity + step_of(components[0])
    parts = tuple(
        FallingPart(c.code, c.label, fen(c.value(quantity), percent), fen(c.value(later), percent), percent)
        for c, percent in zip(components, percents, strict=True)
    )
    before, after = sum(part.before_minor for part in parts), sum(part.after_minor for part in parts)
    totals = seen(tariff, before, after, has_rest) if after < before else None
    if totals is None:
        return None
    basis, unit = components[0].basis, components[0].unit
    return Fall(basis, unit, quantity, later, reasons, parts, *totals)


def first_fall(tariff: Tariff) -> Fall | None:
    """None where no usage that rises makes the total fall; else the fall at the smallest quantity, with the fewest discounts.

    Raises TooManyDiscounts.
    """
    return min(falls(tariff), key=lambda fall: (fall.quantity_micro, len(fall.reasons)), default=None)
