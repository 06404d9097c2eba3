"""How an amount is divided among parties, to the fen. Pure; integers in and out.

Every fen has a named owner (design.md invariant 9): parts get their whole fen, and what is left goes, one fen each, to the
largest remainders; equal remainders are served in the agreement's order, which never changes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

FULL = 100 * 10**6  # 100 %, in millionths of a percent


class PartsInvalid(ValueError):
    """The parts of an agreement do not add up to the whole."""


@dataclass(frozen=True, slots=True)
class Part:
    """A party's part: millionths of a percent, or None for the rest."""

    organisation_id: int
    role: str
    percent_micro: int | None


def read_parts(parts: Sequence[dict[str, Any]]) -> tuple[Part, ...]:
    """The parts of an agreement's document; PartsInvalid unless exactly one takes the rest or the percentages make 100."""
    read = tuple(
        Part(part["organisation"], part["role"], None if part.get("rest") else _micro(part["percent"])) for part in parts
    )
    total = sum(part.percent_micro or 0 for part in read)
    rests = sum(part.percent_micro is None for part in read)
    if not read or rests > 1 or total > FULL or (rests == 0 and total != FULL) or any((p.percent_micro or 0) < 0 for p in read):
        raise PartsInvalid("percentages must make 100, or leave a rest to one part")
    return read


def _micro(percent: str) -> int:
    exact = Fraction(percent) * 10**6
    if exact.denominator != 1:
        raise PartsInvalid("a percentage has at most six decimals")
    return exact.numerator


def largest_remainder(total: int, weights: Sequence[int]) -> list[int]:
    """``total`` in whole parts that follow the weights and add up to it; each is its exact part rounded down or up.

    Works for negative totals and weights too, as long as the weights do not sum to zero.
    """
    whole = sum(weights)
    floors = [total * weight // whole for weight in weights]
    left = total - sum(floors)
    remainders = [Fraction(total * weight, whole) - floor for weight, floor in zip(weights, floors, strict=True)]
    for place in sorted(range(len(weights)), key=lambda i: (-remainders[i], i))[:left]:
        floors[place] += 1
    return floors


def split(total: int, parts: Sequence[Part]) -> list[int]:
    """Fen for each part, in order; their sum is ``total`` (≥ 0)."""
    if total < 0:
        raise ValueError("a split divides what there is; a reversal is split(after) - split(before)")
    given = sum(part.percent_micro or 0 for part in parts)
    return largest_remainder(total, [FULL - given if part.percent_micro is None else part.percent_micro for part in parts])


def split_change(before: int, after: int, parts: Sequence[Part]) -> list[int]:
    """What each part gains or loses when the divided amount changes; a full refund returns exactly the original parts."""
    return [new - old for new, old in zip(split(after, parts), split(before, parts), strict=True)]


def payable(amount: int, paid: int, total: int) -> int:
    """The part of an accrued amount that is payable once ``paid`` of an invoice's ``total`` has arrived.

    Rounded down on the cumulative amount: never more is payable than has arrived, and all of it when all has.
    """
    return amount if paid >= total else amount * paid // total


def digest(value: Any) -> str:
    """SHA-256 over a statement as JSON: strings, whole numbers and lists only."""
    return hashlib.sha256(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()
