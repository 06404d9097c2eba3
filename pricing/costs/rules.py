"""Which costs count as operating cost, and how a shared cost is divided. Pure: no Django, no clock; money in fen, shares in
millionths of a per cent.

Source: 发改价格〔2025〕65号, what it says on operating cost (经营成本) as this project understands it (docs/decisions/0034):
costs are admitted where they are lawful, belong to the operation and are reasonable; fines, donations, unrelated business and
what fiscal or other special funds or users have paid already are left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pricing.rules.exact import FULL_PERCENT, quantity, scaled

PUBLIC_DATA = "public_data"
SHARED = "shared"
PERCENT = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,6})?")
MOST_PARTS = 20
MOST_MINOR = 100_000_000_000  # fen: a row of more than a thousand million yuan is a slip of the unit, not a cost of this trade

ADMITTED, ALLOCATED = "admitted", "allocated"
FINE, DONATION, FISCAL, USERS = "fine", "donation", "fiscally_funded", "paid_by_users"
UNRELATED, TAXED_ELSEWHERE = "unrelated", "counted_as_tax"
RULES = (ADMITTED, ALLOCATED, FINE, DONATION, FISCAL, USERS, UNRELATED, TAXED_ELSEWHERE)
# F1 adds income tax on its own (T) and works net of VAT: as cost they would count twice.
TAXES_ON_THEIR_OWN = ("所得税", "增值税", "income tax", "vat")


@dataclass(frozen=True)
class Part:
    """A business line's share of a shared cost, in millionths of a per cent."""

    line: str
    share: int


@dataclass(frozen=True)
class Admission:
    """What a rule says of one cost: the rule's code, what counts (fen), and the counted parts by business line."""

    rule: str
    admitted_minor: int
    by_line: tuple[tuple[str, int], ...] = ()

    @property
    def is_admitted(self) -> bool:
        return self.rule in (ADMITTED, ALLOCATED)


class PartsWrong(ValueError):
    """Parts that are no division of 100 %. ``problem`` is a stable word, ``place`` counts the part from 1 (0: all of them)."""

    def __init__(self, problem: str, place: int = 0, value: str = "") -> None:
        super().__init__(problem, place, value)
        self.problem, self.place, self.value = problem, place, value


def is_public(line: str) -> bool:
    """Whether a business line is the authorised operation, or a product's line under it (``public_data.<product code>``)."""
    return line == PUBLIC_DATA or line.startswith(PUBLIC_DATA + ".")


def parse_parts(parts: Sequence[Mapping[str, str]]) -> tuple[Part, ...]:
    """``[{"business_line", "percent": "62.5"}, …]`` as parts that sum to 100 % exactly.

    Raises PartsWrong: ``too_few``, ``too_many``, ``no_line``, ``shared_line``, ``line_twice``, ``not_percent``, ``not_positive``,
    ``not_whole`` (``value`` is the sum).
    """
    if len(parts) < 2:
        raise PartsWrong("too_few")
    if len(parts) > MOST_PARTS:
        raise PartsWrong("too_many")
    found: list[Part] = []
    for place, part in enumerate(parts, start=1):
        line = part.get("business_line", "").strip()
        if not line or line == SHARED:
            raise PartsWrong("shared_line" if line else "no_line", place)
        if any(line == other.line for other in found):
            raise PartsWrong("line_twice", place, line)
        found.append(Part(line, _share(part.get("percent", ""), place)))
    whole = sum(part.share for part in found)
    if whole != FULL_PERCENT:
        raise PartsWrong("not_whole", 0, quantity(whole))
    return tuple(found)


def _share(percent: str, place: int) -> int:
    if not PERCENT.fullmatch(percent.strip()):
        raise PartsWrong("not_percent", place, percent)
    share = scaled(percent.strip(), 6)
    if share <= 0 or share >= FULL_PERCENT:
        raise PartsWrong("not_positive", place, percent)
    return share


def largest_remainder(amount: int, weights: Sequence[int]) -> list[int]:
    """Divide fen by weights so that the parts sum to the amount; of equal remainders the earlier part is served first."""
    whole = sum(weights)
    floors = [amount * weight // whole for weight in weights]
    left = amount - sum(floors)
    order = sorted(range(len(weights)), key=lambda place: (-(amount * weights[place] % whole), place))
    for place in order[:left]:
        floors[place] += 1
    return floors


def allocate(amount_minor: int, parts: Sequence[Part]) -> tuple[tuple[str, int], ...]:
    """A shared cost by business line, to the fen; the parts over all lines sum to the cost."""
    shares = largest_remainder(amount_minor, [part.share for part in parts])
    return tuple((part.line, share) for part, share in zip(parts, shares, strict=True))


def admit(
    *, item: str, nature: str, funding: str, business_line: str, amount_minor: int, parts: Sequence[Part] = ()
) -> Admission:
    """What counts of one row. The first rule that speaks decides; ``parts`` belong to a shared cost."""
    excluded = _excluded(item, nature, funding)
    if excluded:
        return Admission(excluded, 0)
    if parts:
        ours = tuple((line, minor) for line, minor in allocate(amount_minor, parts) if is_public(line))
        if not ours:
            return Admission(UNRELATED, 0)
        return Admission(ALLOCATED, sum(minor for _line, minor in ours), ours)
    if not is_public(business_line):
        return Admission(UNRELATED, 0)
    return Admission(ADMITTED, amount_minor, ((business_line, amount_minor),))


def _excluded(item: str, nature: str, funding: str) -> str:
    if nature == "fine":
        return FINE
    if nature == "donation":
        return DONATION
    if funding == "fiscal":
        return FISCAL
    if funding == "user":
        return USERS
    if nature == "taxes" and any(name in item.lower() for name in TAXES_ON_THEIR_OWN):
        return TAXED_ELSEWHERE
    return ""


def lines_of(
    *, amount_minor: int, admitted_minor: int, overruled_minor: int | None, business_line: str, parts: Sequence[Part] = ()
) -> tuple[tuple[str, int], ...]:
    """What counts of a row by line of the operation, overruling included: of a shared row by the weights of our lines."""
    ours = [part for part in parts if is_public(part.line)]
    if not ours:
        line = business_line if is_public(business_line) else PUBLIC_DATA
        return ((line, admitted_minor if overruled_minor is None else overruled_minor),)
    if overruled_minor is None:
        shares = dict(allocate(amount_minor, parts)) if admitted_minor else {}
        return tuple((part.line, shares.get(part.line, 0)) for part in ours)
    weights = [part.share for part in ours]
    return tuple(zip((part.line for part in ours), largest_remainder(overruled_minor, weights), strict=True))
