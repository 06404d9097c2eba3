"""Whether like buyers paid alike. Pure: integers in fen and millionths of a unit, no clock, no database.

Like buyers: the same product, plan and purpose in the same service month, and in the same volume band. The band of a use is, for
each metered component, the number of the tier in which its last unit was priced; a component without tiers has one band.

What one of them got that is not open to all: for each charge, what the tariff asks of a buyer who gets exactly the discounts
whose condition it meets (``deserved``), less what was charged. Volume tiers, included units, packages and the versions of a
tariff act on both sides of that difference, so they never count. Two like buyers paid differently when these advantages, as
parts of the gross, differ by more than rounding: two fen a line.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from pricing.rules import Graduated, Tariff, Volume

ROUNDING_MINOR = 2  # gross and payable of a line are each rounded once: half a fen each, on both sides of the difference


@dataclass(frozen=True, slots=True)
class Case:
    """A buyer's month: amounts over all collected lines in fen, before VAT is added where a tariff adds it.

    ``code`` names the entitlement and orders ties; ``buyer`` is its organisation; ``lines`` counts the rounded lines; ``units``
    are millionths over all metered components.
    """

    code: str
    buyer: int
    product: int
    plan: int
    purpose: str
    band: tuple[tuple[str, int], ...]
    units: int
    gross: int
    payable: int
    deserved: int
    lines: int = 1

    @property
    def like(self) -> tuple[int, int, str, tuple[tuple[str, int], ...]]:
        """What two cases must have in common to be like."""
        return self.product, self.plan, self.purpose, self.band

    @property
    def advantage(self) -> int:
        """Fen that it paid less than it should have; negative: it paid more."""
        return self.deserved - self.payable


@dataclass(frozen=True, slots=True)
class Pair:
    """``first`` paid more than ``second`` for a like use; ``peers`` buyers were treated like the one it is held against."""

    first: Case
    second: Case
    peers: int


@dataclass(slots=True)
class _Treatment:
    """Cases that were treated alike."""

    cases: list[Case] = field(default_factory=list)

    @property
    def rank(self) -> tuple[int, Fraction, str]:
        """The most common treatment first; among equals the one nearest to the price list."""
        lead = self.cases[0]
        return -len(self.cases), abs(Fraction(lead.advantage, lead.gross)), lead.code


def treated_alike(one: Case, other: Case) -> bool:
    """Whether the advantages, as parts of the gross, differ by rounding only. Symmetric; exact in integers."""
    difference = abs(one.advantage * other.gross - other.advantage * one.gross)
    return difference <= ROUNDING_MINOR * (one.lines * other.gross + other.lines * one.gross)


def unequal_pairs(cases: Iterable[Case]) -> list[Pair]:
    """Each case that was treated otherwise than most of its like, beside the one of those whose volume is nearest.

    One pair a case, not one for each two: a list of all pairs of a large plan helps nobody. Nothing was sold, nothing compared.
    """
    groups: dict[tuple[int, int, str, tuple[tuple[str, int], ...]], list[Case]] = defaultdict(list)
    for case in cases:
        if case.gross > 0:
            groups[case.like].append(case)
    return [pair for like in sorted(groups, key=repr) for pair in _of_group(groups[like])]


def _of_group(cases: Sequence[Case]) -> list[Pair]:
    treatments = sorted(_treatments(cases), key=lambda each: each.rank)
    common = treatments[0].cases
    pairs = []
    for case in sorted((case for each in treatments[1:] for case in each.cases), key=lambda case: case.code):
        others = [other for other in common if other.buyer != case.buyer]
        if not others:
            continue  # two contracts of one buyer are not two buyers
        peer = min(others, key=lambda other: (abs(other.units - case.units), other.code))
        less = case.advantage * peer.gross > peer.advantage * case.gross
        pairs.append(Pair(peer, case, len(others)) if less else Pair(case, peer, len(others)))
    return pairs


def _treatments(cases: Sequence[Case]) -> list[_Treatment]:
    """Cases by how they were treated; the largest first, whose share is known best, so that small ones join it."""
    found: list[_Treatment] = []
    for case in sorted(cases, key=lambda case: (-case.gross, case.code)):
        for treatment in found:
            if treated_alike(treatment.cases[0], case):
                treatment.cases.append(case)
                break
        else:
            found.append(_Treatment([case]))
    return found


def band_of(tariff: Tariff, counted: dict[str, int]) -> tuple[tuple[str, int], ...]:
    """The volume band: (component, number of the tier of its last unit), for components with tiers; ``counted`` in millionths."""
    found = []
    for component in tariff.components:
        if isinstance(component.price, Graduated | Volume) and component.is_collected:
            units = max(0, counted.get(component.code, 0) - component.included_micro)
            found.append((component.code, sum(1 for bound in component.price.bounds() if units > bound)))
    return tuple(found)
