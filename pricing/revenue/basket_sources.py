"""Where a set of caps starts from: the operation's products with their caps in force, last volumes and admitted costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from pricing.costs.selectors import cost_by_product_line
from pricing.documents import parse_tariff
from pricing.revenue.basket_rows import PROPOSED, BasketRow, NothingToShare, Place, chargeable, classes_of, priced, versions_of
from pricing.revenue.cap_tests import Tested, frame_of, try_versions
from pricing.revenue.models import Cap, PermittedRevenue
from pricing.revenue.reasonableness import divided, year_budget
from pricing.rules import Flat
from pricing.rules.exact import plain, scaled, yuan
from pricing.tariffs.models import Plan, Tariff
from products.catalogue.models import DataProduct


@dataclass(frozen=True)
class Proposal:
    """A way to share the permitted revenue: its rows with caps, and how the set comes out; ``reason`` where it cannot be done."""

    method: str
    rows: tuple[BasketRow, ...] = ()
    tested: Tested | None = None
    reason: str = ""


def proposals(*, permitted: PermittedRevenue, rows: Sequence[BasketRow], start: date) -> list[Proposal]:
    """The three ways side by side: by cost share, by usage share, welfare-optimal."""
    frame = frame_of(permitted)
    budget = year_budget(frame)
    found = []
    for method in PROPOSED:
        try:
            filled = priced(rows, method, budget_pico=budget, floor_micro=frame.floor_micro)
        except NothingToShare as nothing:
            found.append(Proposal(method, reason=str(nothing)))
            continue
        result = try_versions(permitted=permitted, new=versions_of(filled, start))
        found.append(Proposal(method, tuple(filled), result))
    return found


def starting_rows(
    *, permitted: PermittedRevenue, on: date, volumes: Mapping[Place, tuple[str, str]] | None = None
) -> list[BasketRow]:
    """One row for each cap that holds on a day (else for each basis that the product's plans charge, else a price a call).

    ``volumes`` are (expected, capacity) of a year by place, as the floor above knows them from metering; where it is silent the
    product's last volumes count. Costs are the audited ones behind the permitted revenue, a year's average.
    """
    products = chargeable(permitted.authorisation)
    before = _caps(products, on)
    known = _volumes(products)
    rows = [row for product in products for row in _rows(product, before)]
    given = volumes or {}
    filled = []
    for row in rows:
        expected, capacity = given.get(row.place) or known.get(row.place) or ("0", "")
        filled.append(replace(row, expected=expected, capacity=capacity))
    return with_costs(filled, permitted)


def with_costs(rows: Sequence[BasketRow], permitted: PermittedRevenue) -> list[BasketRow]:
    """The rows with their admitted cost of a year.

    A product's own cost is divided over its rows, and the cost common to all products over all rows, by what they would bring in
    at the caps in force (used × cap; equally where none is in force).
    """
    own, common, years = _costs(permitted)
    floor = frame_of(permitted).floor_micro
    weights = _weights(rows, floor)
    shares = divided(common, weights) if any(weights) else [0] * len(rows)
    for code, minor in own.items():
        places = [n for n, row in enumerate(rows) if row.product == code]
        for n, part in zip(places, divided(minor, [weights[n] for n in places]), strict=True):
            shares[n] += part
    return [replace(row, cost_share=yuan(share // max(years, 1))) for row, share in zip(rows, shares, strict=True)]


def _weights(rows: Sequence[BasketRow], floor_micro: int) -> list[int]:
    worth = [scaled(row.before, 6) * row.used_micro(floor_micro) if row.before else 0 for row in rows]
    return worth if all(worth) else [1] * len(rows)


def _costs(permitted: PermittedRevenue) -> tuple[dict[str, int], int, int]:
    """Fen admitted for single products and for all in common, over the years of the filings."""
    own: dict[str, int] = {}
    common = years = 0
    for filing in permitted.filings.order_by("id"):
        by_product, shared = cost_by_product_line(filing)
        common, years = common + shared, years + 1
        for code, minor in by_product.items():
            own[code] = own.get(code, 0) + minor
    return own, common, years


def _caps(products: Sequence[DataProduct], on: date) -> dict[tuple[int, str], list[Cap]]:
    found: dict[tuple[int, str], list[Cap]] = {}
    for cap in Cap.objects.filter(product__in=products, period__contains=on).order_by("basis", "flat_period", "id"):
        found.setdefault((cap.product_id, cap.purpose_class), []).append(cap)
    return found


def _volumes(products: Sequence[DataProduct]) -> dict[Place, tuple[str, str]]:
    """The volumes of each product's last formal caps. Where one filing holds for two classes its volumes go to the first."""
    found: dict[Place, tuple[str, str]] = {}
    caps = Cap.objects.filter(product__in=products, filing__is_trial=False).select_related("filing", "product")
    taken: set[tuple[int, str, str]] = set()
    for cap in caps.order_by("-period__startswith", "purpose_class", "id"):
        key = (cap.filing_id, cap.basis, cap.flat_period)
        place = (cap.product.code, cap.purpose_class, cap.basis, cap.flat_period)
        row = next((v for v in cap.filing.volumes if (v["basis"], v.get("period") or "") == key[1:]), None)
        if row is not None and key not in taken and place not in found:
            taken.add(key)
            found[place] = (row["expected"], row.get("capacity") or "")
    return found


def _rows(product: DataProduct, before: Mapping[tuple[int, str], list[Cap]]) -> list[BasketRow]:
    found = []
    for purpose_class in classes_of(product):
        caps = before.get((product.pk, purpose_class), [])
        found += [
            BasketRow(product.code, purpose_class, cap.basis, cap.flat_period, before=plain(int(cap.amount.scaleb(6)), 6, 2))
            for cap in caps
        ]
        if not caps:
            found += [BasketRow(product.code, purpose_class, basis, period) for basis, period in _charged(product, purpose_class)]
    return found


def _charged(product: DataProduct, purpose_class: str) -> list[tuple[str, str]]:
    """The bases that the product's plans charge for a class; a price a call where there is none yet."""
    found: dict[tuple[str, str], None] = {}
    for plan in Plan.objects.filter(product=product).order_by("id"):
        tariff = Tariff.objects.filter(plan=plan).order_by("-version").first()
        if tariff is None or not any(code.split(".", 1)[0] == purpose_class for code in plan.purposes):
            continue
        for part in parse_tariff(tariff.document).components:
            flat = part.price.period if isinstance(part.price, Flat) else ""
            if part.is_collected:
                found["periods" if flat else part.basis, flat] = None
    return list(found) or [("calls", "")]
