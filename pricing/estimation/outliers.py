"""Rows of a cost filing that stand out: against the operator's own past years, and against its peers. Each with its reason.

Robust: medians and median deviations of logarithms, so that what stands out does not hide itself. A finding is a question for
people to ask, never a decision. How many planted mistakes are found, against a plain threshold: docs/pricing/estimation.md.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median

LIMIT = 3.5  # robust deviations (Iglewicz and Hoaglin's usual limit)
STEADY_LIMIT = 5.0  # against peers, where the operator's own past is as the row is: it has long been unlike them
STEADY = 1.5  # robust deviations from the own past
LEAST_CHANGES, LEAST_PEERS = 8, 4
LEAST_SPREAD = 0.12  # of logarithms: prices alone move a row so far
USUAL_CHANGE, USUAL_SHARE = 0.25, 0.8  # spreads where too few rows are known


@dataclass(frozen=True)
class CostRow:
    """A row of a cost ledger. ``key`` names it to the caller; ``amount`` in any one unit of money, above 0."""

    key: str
    operator: str
    year: int
    nature: str
    item: str
    amount: float


@dataclass(frozen=True)
class Reason:
    """Why a row stands out. ``ratio`` is the amount over what was to be expected.

    ``code``: jump, drop (against the operator's own past), high_share, low_share (against peers, by the operator's size),
    other_nature (``usual`` is where the item is filed else), twice (the same row again).
    """

    code: str
    ratio: float = 1.0
    score: float = 0.0
    usual: str = ""


@dataclass(frozen=True)
class Finding:
    key: str
    score: float
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Outliers:
    """``findings``, the furthest out first; ``past_years`` and ``peers`` are what it was held against (0: nothing to compare)."""

    findings: tuple[Finding, ...]
    rows: int
    past_years: int
    peers: int


def cost_outliers(rows: Iterable[CostRow], *, operator: str, year: int) -> Outliers:
    """What stands out in one operator's ledger of a year, among all ``rows`` (own past years and other operators' ledgers)."""
    ledgers = _Ledgers([row for row in rows if row.amount > 0 and row.year <= year])
    asked = [row for row in ledgers.rows if (row.operator, row.year) == (operator, year)]
    repeats = _repeats(asked)
    found = []
    for row in asked:
        reasons = [one for one in (ledgers.against_past(row), ledgers.against_peers(row), ledgers.against_nature(row)) if one]
        reasons += [Reason("twice", score=LIMIT)] if row.key in repeats else []
        if reasons:
            found.append(Finding(row.key, max(reason.score for reason in reasons), tuple(reasons)))
    past = {row.year for row in ledgers.rows if row.operator == operator and row.year < year}
    peers = {row.operator for row in ledgers.rows} - {operator}
    return Outliers(tuple(sorted(found, key=lambda one: (-one.score, one.key))), len(asked), len(past), len(peers))


def _repeats(rows: Sequence[CostRow]) -> set[str]:
    same = Counter((row.nature, row.item, row.amount) for row in rows)
    return {row.key for row in rows if same[row.nature, row.item, row.amount] > 1}


@dataclass
class _Ledgers:
    rows: list[CostRow]
    amounts: dict[tuple[str, str, int], float] = field(init=False)
    sizes: dict[tuple[str, int], float] = field(init=False)
    past: dict[tuple[str, str], dict[int, float]] = field(init=False)
    natures: dict[str, Counter[str]] = field(init=False)
    by_item: dict[str, list[tuple[str, int, float]]] = field(init=False)
    past_spread: float = field(init=False)
    usual_changes: dict[tuple[str, int], float] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        amounts: dict[tuple[str, str, int], list[float]] = defaultdict(list)
        self.natures = defaultdict(Counter)
        for row in self.rows:
            amounts[row.operator, row.item, row.year].append(row.amount)
            self.natures[row.item][row.nature] += 1
        self.amounts = {key: max(values) for key, values in amounts.items()}
        logs: dict[tuple[str, int], list[float]] = defaultdict(list)
        self.past = defaultdict(dict)
        self.by_item = defaultdict(list)
        for (operator, item, year), amount in self.amounts.items():
            self.by_item[item].append((operator, year, amount))
            logs[operator, year].append(math.log(amount))
            self.past[operator, item][year] = amount
        self.sizes = {key: median(values) for key, values in logs.items()}
        changes = [change for operator, year in self.sizes for change in self._changes(operator, year)]
        self.past_spread = _spread(changes, LEAST_CHANGES, USUAL_CHANGE)

    def against_past(self, row: CostRow) -> Reason | None:
        """The amount against the median of its own past years, moved by what the operator's other rows did meanwhile."""
        score = self._past_score(row)
        return None if score is None else _reason(score, "jump", "drop", score * self.past_spread)

    def _past_score(self, row: CostRow) -> float | None:
        change = self._change(row.operator, row.item, row.year)
        if change is None:
            return None
        return (change - self._usual_change(row.operator, row.year)) / self.past_spread

    def against_peers(self, row: CostRow) -> Reason | None:
        """The item against the middle row of its ledger, held against the same at other operators, any year up to this one.

        The middle row stands for the operator's size: a total would make every other row look small once one is ten times itself.
        """
        by_peer: dict[str, list[float]] = defaultdict(list)
        for operator, year, amount in self.by_item[row.item]:
            if operator != row.operator:
                by_peer[operator].append(math.log(amount) - self.sizes[operator, year])
        parts = [median(values) for values in by_peer.values()]
        if len(parts) < LEAST_PEERS:
            return None
        off = math.log(row.amount) - self.sizes[row.operator, row.year] - median(parts)
        past = self._past_score(row)
        limit = STEADY_LIMIT if past is not None and abs(past) < STEADY else LIMIT
        return _reason(off / _spread(parts, LEAST_PEERS, USUAL_SHARE), "high_share", "low_share", off, limit)

    def against_nature(self, row: CostRow) -> Reason | None:
        """Filed under a nature where this item is not usual: by three quarters of all rows of the item."""
        counts = self.natures[row.item]
        usual, times = counts.most_common(1)[0]
        if usual == row.nature or sum(counts.values()) < LEAST_PEERS or times < 0.75 * sum(counts.values()):
            return None
        return Reason("other_nature", score=LIMIT, usual=usual)

    def _change(self, operator: str, item: str, year: int) -> float | None:
        past = [amount for when, amount in self.past[operator, item].items() if when < year]
        return math.log(self.amounts[operator, item, year] / median(past)) if past else None

    def _changes(self, operator: str, year: int) -> list[float]:
        items = [what for (who, what), years in self.past.items() if who == operator and year in years]
        return [change for item in items if (change := self._change(operator, item, year)) is not None]

    def _usual_change(self, operator: str, year: int) -> float:
        """What an operator's rows did meanwhile; worked out once, since every row asks."""
        if (operator, year) not in self.usual_changes:
            own = self._changes(operator, year)
            self.usual_changes[operator, year] = median(own) if len(own) >= LEAST_CHANGES else 0.0
        return self.usual_changes[operator, year]


def _reason(score: float, up: str, down: str, off: float, limit: float = LIMIT) -> Reason | None:
    if abs(score) <= limit:
        return None
    return Reason(up if score > 0 else down, math.exp(off), abs(score))


def _spread(values: Sequence[float], least: int, usual: float) -> float:
    """The robust standard deviation, never so small that everything stands out."""
    if len(values) < least:
        return usual
    middle = median(values)
    return max(LEAST_SPREAD, 1.4826 * median(abs(value - middle) for value in values))
