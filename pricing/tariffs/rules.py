"""Pure rules of tariff versions: whether one costs more than the one before it, and a tariff cut to a lower cap."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from typing import Any

from pricing.cap_check import check_terms
from pricing.documents import parse_caps, parse_tariff
from pricing.rules import CapSet, Component, Flat, Package, PerUnit, Tariff, Violation
from pricing.rules.exact import MICRO, plain, scaled, yuan

MICRO_PER_FEN = 10**4
NOTHING = PerUnit(0)


class BasisWithoutCap(ValueError):
    """A tariff charges a basis or period that has no cap: there is nothing to cut it to."""

    def __init__(self, violation: Violation) -> None:
        super().__init__(violation.basis)
        self.violation = violation


# --- Rise or cut ----------------------------------------------------------------------------------------------------------------


def rises(old: Tariff, new: Tariff) -> tuple[str, ...]:
    """What costs more under ``new`` at some usage: component codes, ``minimum``, ``maximum``, ``tax``, ``discounts``.

    Empty means a cut or no change: nobody can pay more. Exact: between the bounds of two components both are straight
    lines, so their ends decide. Packages are compared only with packages of the same size; anything else counts as a rise.
    """
    before = {component.code: component for component in old.components}
    found = [component.code for component in new.components if component_rises(before.get(component.code), component)]
    if (new.minimum_minor or 0) > (old.minimum_minor or 0):
        found.append("minimum")
    if old.maximum_minor is not None and (new.maximum_minor is None or new.maximum_minor > old.maximum_minor):
        found.append("maximum")
    if not new.tax.is_inclusive and (old.tax.is_inclusive or new.tax.rate_micro > old.tax.rate_micro):
        found.append("tax")
    if any(discount_falls(old, new, code) for code in before):
        found.append("discounts")
    return tuple(found)


def discount_falls(old: Tariff, new: Tariff, code: str) -> bool:
    reasons = {discount.reason for discount in old.discounts if code in discount.components}
    if not any(component.code == code and component.is_collected for component in new.components):
        return False
    return any(percent(new, reason, code) < percent(old, reason, code) for reason in reasons)


def percent(tariff: Tariff, reason: str, code: str) -> int:
    found = (d.percent_micro for d in tariff.discounts if d.reason == reason and code in d.components)
    return max(found, default=0)


def component_rises(old: Component | None, new: Component) -> bool:
    if not new.is_collected:
        return False
    if isinstance(new.price, Flat):
        was = 0
        if old is not None and old.is_collected and isinstance(old.price, Flat) and old.price.period == new.price.period:
            was = old.price.price_minor
        return new.price.price_minor > was
    if old is None or not old.is_collected or isinstance(old.price, Flat) or old.basis != new.basis:
        return costs_anything(new)
    if (old.counts_over, old.unit) != (new.counts_over, new.unit):
        return costs_anything(new)
    if isinstance(old.price, Package) or isinstance(new.price, Package):
        return package_rises(old, new)
    return curve_rises(old, new)


def costs_anything(component: Component) -> bool:
    zero = Component(component.code, "", component.basis, NOTHING)
    if isinstance(component.price, Package):
        return component.price.price_minor > 0
    return curve_rises(zero, component)


def package_rises(old: Component, new: Component) -> bool:
    if not isinstance(old.price, Package) or not isinstance(new.price, Package):
        return costs_anything(new)
    same = old.price.size_micro == new.price.size_micro and new.included_micro >= old.included_micro
    return new.price.price_minor > (old.price.price_minor if same else 0)


def curve_rises(old: Component, new: Component) -> bool:
    """Whether new.value(q) > old.value(q) at some quantity; both are made of straight lines."""
    points = {0}
    for component in (old, new):
        included = component.included_micro
        bounds = () if isinstance(component.price, Flat) else component.price.bounds()
        points |= {included, *(included + bound for bound in bounds)}

    def excess(quantity: int) -> int:
        return new.value(quantity) - old.value(quantity)

    last = max(points) + 1
    checked = points | {point + 1 for point in points}
    return any(excess(q) > 0 for q in checked) or excess(last + MICRO) > excess(last)


# --- Cut to a cap ---------------------------------------------------------------------------------------------------------------


def clamp(document: dict[str, Any], caps: dict[str, Any]) -> dict[str, Any]:
    """The tariff document with every price that breaks a cap cut down until the caps are kept; nothing else changes.

    Per basis that breaks its cap: first each price above the cap becomes the cap; where that is not enough the fees of
    tiers go; where several components together still cost more, the cap is shared among them in proportion to their
    prices. Prices are rounded down (six decimals, fees and packages to the fen). A minimum becomes the flat cap.
    Raises BasisWithoutCap where a charged basis or period has no cap at all. The result always passes ``check_cap``.
    """
    ceiling = parse_caps(caps)
    result = deepcopy(document)
    for _ in range(4 * (len(document["components"]) + 1)):
        violation = check_terms(tariff=parse_tariff(result), caps=ceiling)
        if violation is None:
            return result
        cut_once(result, violation, ceiling)
    raise AssertionError("a tariff could not be cut to its caps")


def cut_once(document: dict[str, Any], violation: Violation, caps: CapSet) -> None:
    """One step of the cut, on what the violation names."""
    if violation.cap is None:
        raise BasisWithoutCap(violation)
    if violation.components == ("minimum",):
        document["minimum"] = yuan(scaled(violation.cap, 6) // MICRO_PER_FEN)
        return
    parts = [c for c in document["components"] if c["code"] in group_codes(document, violation)]
    before = deepcopy(parts)
    cap_micro = scaled(violation.cap, 6)
    for step in cutting_steps(parts, cap_micro):
        step()
        if parts != before:
            return


def group_codes(document: dict[str, Any], violation: Violation) -> set[str]:
    """All collected components that the cap of the violation holds for (a violation names those that count at its q)."""
    if violation.basis == "periods":
        return set(violation.components)
    return {
        c["code"]
        for c in document["components"]
        if c["basis"] == violation.basis and c["model"] != "flat" and c.get("collected", True)
    }


def cutting_steps(parts: Sequence[dict[str, Any]], cap_micro: int) -> Iterator[Callable[[], None]]:
    """From the mildest to the one that always suffices."""
    yield lambda: lower_all(parts, cap_micro)
    yield lambda: drop_fees(parts)
    yield lambda: share(parts, cap_micro)


def lower_all(parts: Sequence[dict[str, Any]], cap_micro: int) -> None:
    for part in parts:
        lower(part, cap_micro)


def lower(part: dict[str, Any], cap_micro: int) -> None:
    """No price of the component above the cap."""
    for holder in (part, *part.get("tiers", ())):
        if "unit_price" in holder and scaled(holder["unit_price"], 6) > cap_micro:
            holder["unit_price"] = plain(cap_micro, 6, 2)
    if "price" in part and scaled(part["price"], 2) * MICRO_PER_FEN > cap_micro:
        part["price"] = yuan(cap_micro // MICRO_PER_FEN)
    if "package_price" in part:
        most = scaled(part["package_size"], 6) * cap_micro // (MICRO * MICRO_PER_FEN)
        if scaled(part["package_price"], 2) > most:
            part["package_price"] = yuan(most)


def drop_fees(parts: Sequence[dict[str, Any]]) -> None:
    for tier in (tier for part in parts for tier in part.get("tiers", ())):
        if scaled(tier.get("flat_fee", "0"), 2):
            tier["flat_fee"] = "0.00"


def share(parts: Sequence[dict[str, Any]], cap_micro: int) -> None:
    weights = [dearest(part) for part in parts]
    for part, weight in zip(parts, weights, strict=True):
        lower(part, cap_micro * weight // sum(weights))


def dearest(part: dict[str, Any]) -> int:
    """The highest price of a component per unit (or per period), in millionths of a yuan."""
    if "price" in part:
        return scaled(part["price"], 2) * MICRO_PER_FEN
    if "package_price" in part:
        return -(-scaled(part["package_price"], 2) * MICRO_PER_FEN * MICRO // scaled(part["package_size"], 6))
    return max(scaled(holder["unit_price"], 6) for holder in (part, *part.get("tiers", ())) if "unit_price" in holder)
