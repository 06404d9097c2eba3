"""Each party's share of revenue in vectors: `settlement.shares.rules.split` for many amounts under one agreement at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pricing.simulation.rows import day_number
from products.catalogue.models import DataProduct, Regime
from settlement.shares.models import DistributionAgreement
from settlement.shares.rules import FULL, Part, read_parts, split
from settlement.whatif.columns import distinct, sums, together
from settlement.whatif.history import History

MOST = 2**62 // FULL  # fen of one amount whose parts int64 is proven for


@dataclass(frozen=True, slots=True)
class Agreements:
    """Which agreement divides each row (−1: none on that day), as the close chooses it: by the last day that was rated."""

    parts: tuple[tuple[Part, ...], ...]
    of_row: NDArray[np.int64]
    group: NDArray[np.int64]
    group_agreement: NDArray[np.int64]


def agreements(history: History) -> Agreements:
    """The agreements of the history's rows, and rows grouped as invoices are: by operator, buyer, month and agreement."""
    found: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
    parts: list[tuple[Part, ...]] = []
    stored = DistributionAgreement.objects.filter(product__in=distinct(history.product)[0].tolist())
    for agreement in stored.order_by("product_id", "period", "id"):
        first, end = _number(agreement.period.lower), _number(agreement.period.upper)
        found[agreement.product_id].append((first, end, len(parts)))
        parts.append(read_parts(agreement.parts))
    of_row = np.full(len(history), -1, np.int64)
    last = history.rows.end - 1
    for product, versions in found.items():
        mine = history.product == product
        for first, end, number in versions:
            of_row[mine & (last >= first) & (last < end)] = number
    for product, operator in _sellers(history):
        mine = (history.product == product) & (of_row < 0)
        if mine.any():
            of_row[mine] = len(parts)
            parts.append((Part(operator, "operator", None),))
    values, group = distinct(together(distinct(history.operator)[1], distinct(history.buyer)[1], history.month, of_row + 1))
    agreement = np.full(len(values), -1, np.int64)
    agreement[group] = of_row
    return Agreements(tuple(parts), of_row, group, agreement)


def _sellers(history: History) -> list[tuple[int, int]]:
    """(product, operator) of products at market price, whose revenue is the seller's where no agreement divides it (0042)."""
    own = DataProduct.objects.filter(pk__in=distinct(history.product)[0].tolist(), regime=Regime.MARKET, authorisation=None)
    return list(own.order_by("id").values_list("id", "operator_id"))


def _number(day: date | None) -> int:
    """Days from 1970-01-01; far in the future where an agreement has no end."""
    return 2**40 if day is None else day_number(day)


def shares(known: Agreements, net: NDArray[Any]) -> dict[tuple[int, str], int]:
    """Fen by (party, role) of amounts net of VAT by row; what no agreement divides is under (0, "")."""
    bases = sums(known.group, net, len(known.group_agreement))
    found: dict[tuple[int, str], int] = defaultdict(int)
    for number in np.unique(known.group_agreement).tolist():
        mine = bases[known.group_agreement == number]
        if number < 0:
            found[0, ""] += int(mine.sum())
            continue
        parts = known.parts[number]
        for part, amount in zip(parts, divided(mine, parts), strict=True):
            found[part.organisation_id, part.role] += amount
    return {key: amount for key, amount in found.items() if amount or key != (0, "")}


def divided(amounts: NDArray[Any], parts: Sequence[Part]) -> list[int]:
    """What each part gets of all the amounts together, each divided by itself to the fen (largest remainder, stable order).

    Amounts below zero, which a close would refuse, go whole to the part that takes the rest.
    """
    given = sum(part.percent_micro or 0 for part in parts)
    weights = [FULL - given if part.percent_micro is None else part.percent_micro for part in parts]
    rest = next((place for place, part in enumerate(parts) if part.percent_micro is None), len(parts) - 1)
    below = amounts[amounts < 0]
    usual = amounts[(amounts >= 0) & (amounts <= MOST)].astype(np.int64)
    exact = usual[:, None] * np.array(weights, np.int64)
    floors = exact // FULL
    remainders = exact - floors * FULL
    left = usual - floors.sum(axis=1)
    rank = np.argsort(np.argsort(-remainders, axis=1, kind="stable"), axis=1, kind="stable")
    totals = [int(total) for total in (floors + (rank < left[:, None])).sum(axis=0)]
    for amount in amounts[amounts > MOST].tolist():
        totals = [total + part for total, part in zip(totals, split(int(amount), parts), strict=True)]
    totals[rest] += int(below.sum()) if len(below) else 0
    return totals
