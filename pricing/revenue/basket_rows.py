"""The rows of a set of caps: read from what a person typed or uploaded, checked one by one, priced by a method."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pricing.necessity import is_needed
from pricing.reading import DECIMAL
from pricing.revenue import basket_rules
from pricing.revenue.authority import pricing_bodies
from pricing.revenue.cap_tests import Version, Volume
from pricing.revenue.models import Cap, CapBasket
from pricing.revenue.reasonableness import used
from pricing.revenue.rules import CHARGED_CLASSES
from pricing.rules.exact import plain, quantity, scaled
from pricing.tariffs.price_list import BASIS_WORDS
from products.catalogue.models import DataProduct, ProductState, Regime
from products.organisations.models import Organisation
from products.record.refusals import Refused
from products.registry.models import Authorisation

PERIODS = ("day", "week", "month", "quarter", "year")
FEN_STEP = 10**4  # a fee of a period has two decimals
Method: Any = CapBasket.Method
PROPOSED: Sequence[str] = (Method.COST, Method.USAGE, Method.WELFARE)
METHODS = {Method.COST: basket_rules.by_cost, Method.USAGE: basket_rules.by_usage, Method.WELFARE: basket_rules.welfare}
Place = tuple[str, str, str, str]  # product, purpose class, basis, flat period


@dataclass(frozen=True)
class RowProblem:
    """What is wrong with one row: its number from 1, the product as typed, the field, the rule and what to do."""

    row: int
    product: str
    field: str
    message: str

    def __str__(self) -> str:
        return _("Row %(row)s (%(product)s), %(field)s: %(message)s") % {
            "row": self.row,
            "product": self.product or "–",
            "field": self.field,
            "message": self.message,
        }


class BasketRowsRefused(Refused):
    """Rows that cannot stand; ``problems`` has them all, and nothing was kept."""

    code = "cap_basket_rows"

    def __init__(self, problems: Sequence[RowProblem]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        message = ngettext("%(count)s row is wrong. %(first)s", "%(count)s rows are wrong. The first: %(first)s", count)
        super().__init__(message % {"count": count, "first": str(self.problems[0])}, field="rows")


class NothingToShare(Refused):
    code = "cap_basket_nothing_to_share"


@dataclass(frozen=True)
class BasketRow:
    """One cap of a set, as its JSON has it: units and yuan as decimal text, ``capacity`` and ``before`` may be empty."""

    product: str
    purpose_class: str
    basis: str
    flat_period: str = ""
    expected: str = "0"
    capacity: str = ""
    cost_share: str = "0"
    elasticity: str = "1"
    before: str = ""
    cap: str = ""
    used: str = ""

    @property
    def place(self) -> Place:
        return self.product, self.purpose_class, self.basis, self.flat_period

    def volume(self) -> Volume:
        return Volume(scaled(self.expected, 6), scaled(self.capacity, 6) if self.capacity else None)

    def used_micro(self, floor_micro: int) -> int:
        volume = self.volume()
        return used(volume.expected_micro, volume.capacity_micro, floor_micro)

    def rule(self, floor_micro: int) -> basket_rules.Row:
        """The row as the arithmetic takes it."""
        return basket_rules.Row(
            used_micro=self.used_micro(floor_micro),
            cost_minor=scaled(self.cost_share, 2),
            elasticity_micro=scaled(self.elasticity, 6),
            group=f"{self.basis}:{self.flat_period}",
            reference_micro=scaled(self.before, 6) if self.before else None,
            step_micro=FEN_STEP if self.basis == "periods" else 1,
        )


def as_json(rows: Iterable[BasketRow]) -> list[dict[str, str]]:
    return [asdict(row) for row in rows]


def from_json(rows: Iterable[Mapping[str, str]]) -> list[BasketRow]:
    """Rows as a basket keeps them."""
    return [BasketRow(**row) for row in rows]


def priced(rows: Sequence[BasketRow], method: str, *, budget_pico: int, floor_micro: int) -> list[BasketRow]:
    """The rows with the caps of a method; ``own`` leaves them as they are. Raises NothingToShare."""
    if method not in METHODS:
        return with_used(rows, floor_micro)
    try:
        caps = METHODS[method]([row.rule(floor_micro) for row in rows], budget_pico)
    except basket_rules.NothingToShare as nothing:
        messages = {
            "cost": _(
                "No product has an admitted cost of its own, so costs cannot be shared. State cost shares, or choose another way."
            ),
            "volume": _("No product has a charged volume, so there is nothing to share the permitted revenue over."),
        }
        raise NothingToShare(messages[str(nothing)], field="method") from nothing
    return with_used([replace(row, cap=plain(cap, 6, 2)) for row, cap in zip(rows, caps, strict=True)], floor_micro)


def with_used(rows: Sequence[BasketRow], floor_micro: int) -> list[BasketRow]:
    return [replace(row, used=quantity(row.used_micro(floor_micro))) for row in rows]


def versions_of(rows: Sequence[BasketRow], start: date) -> list[Version]:
    """The rows as caps that are about to hold, one version a product and class."""
    grouped: dict[tuple[str, str], list[BasketRow]] = {}
    for row in rows:
        grouped.setdefault((row.product, row.purpose_class), []).append(row)
    return [
        Version(
            product=product,
            classes=(purpose_class,),
            start=start,
            caps={(row.basis, row.flat_period): scaled(row.cap, 6) for row in each},
            volumes={(row.basis, row.flat_period): row.volume() for row in each},
            source=("basket", product, purpose_class),
            is_new=True,
        )
        for (product, purpose_class), each in grouped.items()
    ]


def with_caps_before(rows: Sequence[BasketRow], *, on: date) -> list[BasketRow]:
    """The rows with the caps in force on a day: what a change is measured against, never what somebody typed."""
    caps = Cap.objects.filter(product__code__in={row.product for row in rows}, period__contains=on)
    names = ("product__code", "purpose_class", "basis", "flat_period", "amount")
    before = {tuple(place): plain(int(amount.scaleb(6)), 6, 2) for *place, amount in caps.values_list(*names)}
    return [replace(row, before=before.get(row.place, "")) for row in rows]


def chargeable(authorisation: Authorisation) -> list[DataProduct]:
    """The products of an operation that may have caps, with what deciding about them needs."""
    found = DataProduct.objects.filter(authorisation=authorisation, regime__in=(Regime.TRIAL, Regime.GUIDED))
    found = found.exclude(state=ProductState.DELISTED).select_related("authorisation__authorising_body", "operator")
    return [product for product in found.order_by("name_key", "id") if is_needed(product)]


def classes_of(product: DataProduct) -> list[str]:
    """The charged purpose classes that a product serves."""
    return [name for name in CHARGED_CLASSES if any(code.split(".", 1)[0] == name for code in product.purposes)]


def read_rows(
    raw: Sequence[Mapping[str, Any]], *, authorisation: Authorisation, body: Organisation, on: date, needs_cap: bool
) -> list[BasketRow]:
    """Check rows as typed and return them. Raises BasketRowsRefused with every problem.

    Refused are: an unknown product, one of another operation or another level, a free or market-priced one, one without a
    statement of necessity, an unknown class or basis, a negative number or too many decimals, a missing volume, a row that is
    there twice.
    """
    return RowReader(authorisation, body, on, needs_cap).read(raw)


class RowReader:
    """One pass over rows; ``problems`` collects what is wrong."""

    def __init__(self, authorisation: Authorisation, body: Organisation, on: date, needs_cap: bool) -> None:
        self.authorisation, self.body, self.on, self.needs_cap = authorisation, body, on, needs_cap
        self.problems: list[RowProblem] = []
        self.row, self.code = 0, ""

    def read(self, raw: Sequence[Mapping[str, Any]]) -> list[BasketRow]:
        codes = {str(row.get("product", "")).strip() for row in raw}
        found = DataProduct.objects.filter(code__in=codes).select_related("authorisation__authorising_body")
        products = {product.code: product for product in found}
        with_authorisation = [product for product in products.values() if product.authorisation is not None]
        bodies = pricing_bodies(products=with_authorisation, on=self.on)
        rows, seen = [], set()
        for self.row, each in enumerate(raw, start=1):
            texts = {name: str(value if value is not None else "").strip().replace(",", "") for name, value in each.items()}
            self.code = texts.get("product", "")
            row = self._row(texts, products.get(self.code), bodies)
            if row is not None and row.place in seen:
                self._note("product", _("This product, class and basis stand in another row already."))
            elif row is not None:
                seen.add(row.place)
                rows.append(row)
        if not raw:
            self._note("product", _("Name at least one product."))
        if self.problems:
            raise BasketRowsRefused(self.problems)
        return rows

    def _row(
        self, texts: dict[str, str], product: DataProduct | None, bodies: dict[int, Organisation | None]
    ) -> BasketRow | None:
        count = len(self.problems)
        self._check_product(product, bodies, texts.get("purpose_class", ""))
        basis, period = texts.get("basis", ""), texts.get("flat_period", "")
        if basis not in BASIS_WORDS:
            self._note("basis", _("Unknown. Known are: %(known)s.") % {"known": ", ".join(BASIS_WORDS)})
        elif (basis == "periods") != bool(period) or (period and period not in PERIODS):
            self._note(
                "flat_period",
                _("Service time needs one of: %(known)s; nothing else has a period.") % {"known": ", ".join(PERIODS)},
            )
        numbers = {
            "expected": self._number(texts, "expected", 6, "0"),
            "capacity": self._number(texts, "capacity", 6, ""),
            "cost_share": self._number(texts, "cost_share", 2, "0"),
            "elasticity": self._number(texts, "elasticity", 4, "1"),
            "before": self._number(texts, "before", 6, ""),
            "cap": self._number(texts, "cap", 2 if basis == "periods" else 6, ""),
        }
        if len(self.problems) > count:
            return None
        if not any(scaled(numbers[name] or "0", 6) for name in ("expected", "capacity")):
            self._note("expected", _("State the expected charged volume of a year, or the design capacity."))
        if not scaled(numbers["elasticity"], 6):
            self._note(
                "elasticity", _("State it as a positive number: by how many per cent demand falls when the price rises by one.")
            )
        if self.needs_cap and not numbers["cap"]:
            self._note("cap", _("State the cap."))
        if len(self.problems) > count:
            return None
        return BasketRow(self.code, texts["purpose_class"], basis, period, **numbers)

    def _check_product(self, product: DataProduct | None, bodies: dict[int, Organisation | None], purpose_class: str) -> None:
        if product is None:
            self._note("product", _("No product has this code."))
        elif product.authorisation_id != self.authorisation.pk:
            self._note("product", _("It belongs to another operation."))
        elif product.regime not in (Regime.TRIAL, Regime.GUIDED):
            self._note("product", _("Only products under government-guided prices have caps."))
        elif not is_needed(product):
            self._note("product", _("Nothing says why a fee is needed (R63), so it stays free."))
        elif bodies.get(product.pk) != self.body:
            body = bodies.get(product.pk)
            named = {"body": body.name if body else _("a body of another level")}
            self._note("product", _("By its registration its cap is set by %(body)s.") % named)
        elif purpose_class not in CHARGED_CLASSES:
            self._note("purpose_class", _("Unknown. Known are: %(known)s.") % {"known": ", ".join(CHARGED_CLASSES)})
        elif purpose_class not in classes_of(product):
            self._note("purpose_class", _("The product does not serve this class."))

    def _number(self, texts: dict[str, str], name: str, places: int, default: str) -> str:
        text = texts.get(name, "")
        if not text:
            return default
        if text.startswith("-"):
            self._note(name, _("A number below zero is not allowed."))
        elif not DECIMAL.fullmatch(text):
            self._note(name, _("“%(text)s” is not a number such as 0.50.") % {"text": text[:30]})
        elif len(text.partition(".")[2].rstrip("0")) > places:
            self._note(name, _("At most %(places)s decimals are allowed.") % {"places": places})
        else:
            whole, _point, decimals = text.partition(".")
            return f"{whole}.{decimals[:places]}" if decimals[:places] else whole
        return default

    def _note(self, field: str, message: str) -> None:
        self.problems.append(RowProblem(self.row, self.code, field, message))
