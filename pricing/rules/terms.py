"""The terms of a tariff, a usage and a cap as frozen values, each price knowing its own arithmetic.

`value(quantity)` is the exact f of design.md section 7, of the quantity above `included`, in 10⁻¹² yuan; value(0) is 0
in every model. `bounds()` are the quantities after which f stops being one straight line: the cap prover walks them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from pricing.rules.exact import PICO_PER_FEN

BASES = ("products", "calls", "periods", "bytes", "records")
PERIODS = ("day", "week", "month", "quarter", "year")
SPANS = ("month", "year", "term")


@dataclass(frozen=True, slots=True)
class PerUnit:
    unit_price_micro: int

    def value(self, quantity: int) -> int:
        return quantity * self.unit_price_micro

    def bounds(self) -> tuple[int, ...]:
        return ()


@dataclass(frozen=True, slots=True)
class Tier:
    """Quantities up to and with `up_to_micro` (None: all the rest)."""

    up_to_micro: int | None
    unit_price_micro: int
    flat_fee_minor: int = 0


@dataclass(frozen=True, slots=True)
class Graduated:
    """Block by block (累进阶梯, domain.md F7): each tier prices its own part, its flat fee once it is entered."""

    tiers: tuple[Tier, ...]

    def value(self, quantity: int) -> int:
        total = floor = 0
        for tier in self.tiers:
            if quantity <= floor:
                break
            top = quantity if tier.up_to_micro is None else min(quantity, tier.up_to_micro)
            total += (top - floor) * tier.unit_price_micro + tier.flat_fee_minor * PICO_PER_FEN
            floor = top
        return total

    def bounds(self) -> tuple[int, ...]:
        return tuple(tier.up_to_micro for tier in self.tiers if tier.up_to_micro is not None)


@dataclass(frozen=True, slots=True)
class Volume:
    """The whole quantity at the price of the tier it falls in, plus that tier's flat fee; nothing for quantity 0."""

    tiers: tuple[Tier, ...]

    def tier_of(self, quantity: int) -> Tier:
        return next(tier for tier in self.tiers if tier.up_to_micro is None or quantity <= tier.up_to_micro)

    def value(self, quantity: int) -> int:
        if not quantity:
            return 0
        tier = self.tier_of(quantity)
        return quantity * tier.unit_price_micro + tier.flat_fee_minor * PICO_PER_FEN

    def bounds(self) -> tuple[int, ...]:
        return tuple(tier.up_to_micro for tier in self.tiers if tier.up_to_micro is not None)


@dataclass(frozen=True, slots=True)
class Package:
    """Whole packages only: one begun is one paid."""

    size_micro: int
    price_minor: int

    def packages(self, quantity: int) -> int:
        return -(-quantity // self.size_micro)

    def value(self, quantity: int) -> int:
        return self.packages(quantity) * self.price_minor * PICO_PER_FEN

    def bounds(self) -> tuple[int, ...]:
        return ()


@dataclass(frozen=True, slots=True)
class Flat:
    """A price for a period of time; `pricing.rules.rating` accrues it by the day."""

    price_minor: int
    period: str


Metered = PerUnit | Graduated | Volume | Package


@dataclass(frozen=True, slots=True)
class Component:
    """One priced part of a tariff. `counts_over` tells callers which units belong into `before`."""

    code: str
    label: str
    basis: str
    price: Metered | Flat
    included_micro: int = 0
    counts_over: str = "month"
    is_collected: bool = True
    unit: str | None = None

    def value(self, units: int) -> int:
        """f(units), exact, in 10⁻¹² yuan. Flat components have no f of units."""
        if isinstance(self.price, Flat):
            raise TypeError(f"{self.code} is flat: it accrues by the day")
        return self.price.value(units - self.included_micro) if units > self.included_micro else 0


@dataclass(frozen=True, slots=True)
class Discount:
    reason: str
    percent_micro: int
    components: frozenset[str]


@dataclass(frozen=True, slots=True)
class Tax:
    rate_micro: int
    is_inclusive: bool


@dataclass(frozen=True, slots=True)
class Tariff:
    components: tuple[Component, ...]
    tax: Tax
    discounts: tuple[Discount, ...] = ()
    minimum_minor: int | None = None
    maximum_minor: int | None = None

    @property
    def has_flat(self) -> bool:
        return any(isinstance(component.price, Flat) for component in self.components)


@dataclass(frozen=True, slots=True)
class Usage:
    """Units in millionths by component code; `start` and `end` (exclusive) are needed where a component is flat."""

    units: Mapping[str, int] = field(default_factory=dict)
    before: Mapping[str, int] = field(default_factory=dict)
    start: date | None = None
    end: date | None = None
    anchor: date | None = None
    discounts: frozenset[str] = frozenset()
    is_free: bool = False


@dataclass(frozen=True, slots=True)
class Cap:
    """A ceiling per unit of a basis, or per `period` for the basis periods. `written` is as its document has it."""

    basis: str
    period: str | None
    cap_micro: int
    written: str


@dataclass(frozen=True, slots=True)
class CapSet:
    caps: tuple[Cap, ...]
    document: str | None = None
    start: date | None = None
    purposes: tuple[str, ...] = ()

    def find(self, basis: str, period: str | None = None) -> Cap | None:
        return next((cap for cap in self.caps if (cap.basis, cap.period) == (basis, period)), None)
