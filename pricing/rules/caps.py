"""The proof that a tariff stays under its caps at every usage level, or the smallest quantity at which it does not.

Not a sampling. Between two neighbouring bounds (tier ends, included units) the exact gross of every component is a
straight line in q, so the excess gross(q) − cap × q is one too: its first positive whole q is found by one division.
A package counts at whole packages only; on the multiples of its size its gross is a straight line as well. So finitely
many intervals decide every whole q ≥ 1. docs/decisions/0002-what-section-7-leaves-open.md says how packages mix.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import gcd, lcm

from pricing.rules.exact import MICRO, PICO_PER_FEN, half_up, plain, yuan
from pricing.rules.terms import CapSet, Component, Flat, Package, Tariff

MICRO_PER_FEN = 10**4


@dataclass(frozen=True, slots=True)
class Violation:
    """The smallest quantity at which the collected components of a basis cost more than its cap (None: no cap)."""

    basis: str
    quantity: int
    price: str
    cap: str | None
    components: tuple[str, ...]


def package_step(component: Component) -> int:
    """The smallest whole q that is whole packages: 100 for a size of 100, 5 for 2.5; 1 for the other models."""
    if not isinstance(component.price, Package):
        return 1
    return component.price.size_micro // gcd(component.price.size_micro, MICRO)


def counting_at(components: Sequence[Component], quantity: int) -> list[Component]:
    """The components that count at a whole quantity: all, but a package only where q is whole packages."""
    return [component for component in components if quantity % package_step(component) == 0]


def gross_at(components: Sequence[Component], quantity: int) -> int:
    """Σ exact gross(q) in 10⁻¹² yuan."""
    return sum(component.value(quantity * MICRO) for component in counting_at(components, quantity))


def lattices(components: Sequence[Component]) -> list[int]:
    """The steps on whose multiples a fixed set of packages counts: 1 and every least common multiple, ascending."""
    steps = {1}
    for component in components:
        steps |= {lcm(step, package_step(component)) for step in steps}
    return sorted(steps)


def intervals(components: Sequence[Component], step: int) -> Iterator[tuple[int, int | None]]:
    """(first, last) multiples of `step` between neighbouring bounds, from `step` to infinity (None)."""
    bounds: set[int] = set()
    for component in components:
        if not isinstance(component.price, Flat):
            included = component.included_micro
            bounds |= {included, *(included + bound for bound in component.price.bounds())}
    first = step
    for bound in sorted(bounds):
        last = bound // (MICRO * step) * step
        if last >= first:
            yield first, last
            first = last + step
    yield first, None


def first_above(components: Sequence[Component], cap_micro: int, step: int) -> int | None:
    """The smallest multiple of `step` at which what counts on all its multiples costs more than the cap."""
    counted = counting_at(components, step)

    def excess(quantity: int) -> int:
        return sum(c.value(quantity * MICRO) for c in counted) - cap_micro * quantity * MICRO

    for first, last in intervals(counted, step):
        start = excess(first)
        if start > 0:
            return first
        if first == last:
            continue
        slope = excess(first + step) - start
        if slope > 0:
            found = first + (-start // slope + 1) * step
            if last is None or found <= last:
                return found
    return None


def smallest_above(components: Sequence[Component], cap_micro: int) -> int | None:
    """The smallest whole q ≥ 1 with Σ gross(q) > cap × q, or None: then there is none at all."""
    best: int | None = None
    for step in lattices(components):
        if best is not None and step >= best:
            break
        found = first_above(components, cap_micro, step)
        if found is not None and (best is None or found < best):
            best = found
    return best


def shown_price(pico: int, quantity: int, cap_micro: int) -> str:
    """gross / quantity, half up to six decimals, or to as many as it takes to be seen above the cap."""
    places = 6
    while True:
        price = half_up(pico * 10**places, quantity * PICO_PER_FEN * 100)
        if price > cap_micro * 10 ** (places - 6):
            return plain(price, places, 6)
        places += 1


def metered_violation(basis: str, components: Sequence[Component], caps: CapSet) -> Violation | None:
    cap = caps.find(basis)
    cap_micro = cap.cap_micro if cap else 0  # what has no cap may not be charged at all
    quantity = smallest_above(components, cap_micro)
    if quantity is None:
        return None
    price = shown_price(gross_at(components, quantity), quantity, cap_micro)
    codes = tuple(component.code for component in counting_at(components, quantity))
    return Violation(basis, quantity, price, cap.written if cap else None, codes)


def flat_violation(period: str, price_minor: int, codes: tuple[str, ...], caps: CapSet) -> Violation | None:
    cap = caps.find("periods", period)
    if price_minor * MICRO_PER_FEN <= (cap.cap_micro if cap else 0):
        return None
    return Violation("periods", 1, yuan(price_minor), cap.written if cap else None, codes)


def counting_periods(tariff: Tariff) -> list[str]:
    """The spans over which collected usage counts; a minimum is a flat charge for them. `month` where none counts."""
    metered = [c for c in tariff.components if c.is_collected and not isinstance(c.price, Flat)]
    return list(dict.fromkeys(component.counts_over for component in metered)) or ["month"]


def violations(tariff: Tariff, caps: CapSet) -> Iterator[Violation]:
    """The smallest violation of each basis and period, in the tariff's order, and of the minimum."""
    flats: dict[str, list[tuple[int, str]]] = {}
    groups: dict[tuple[str, str], list[Component]] = {}
    for component in tariff.components:
        if not component.is_collected:
            continue
        if isinstance(component.price, Flat):
            flats.setdefault(component.price.period, []).append((component.price.price_minor, component.code))
            groups.setdefault(("flat", component.price.period), [])
        else:
            groups.setdefault(("metered", component.basis), []).append(component)
    for (kind, name), components in groups.items():
        if kind == "flat":
            prices = flats[name]
            found = flat_violation(name, sum(p for p, _ in prices), tuple(code for _, code in prices), caps)
        else:
            found = metered_violation(name, components, caps)
        if found:
            yield found
    for period in counting_periods(tariff):
        found = flat_violation(period, tariff.minimum_minor or 0, ("minimum",), caps)
        if found:
            yield found


def prove(tariff: Tariff, caps: CapSet) -> Violation | None:
    """None where the tariff keeps every cap at every whole quantity; else the violation with the smallest quantity."""
    return min(violations(tariff, caps), key=lambda violation: violation.quantity, default=None)
