"""What came out of a replay, summed up as a document that is kept with the case: amounts are yuan as text, never estimates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pricing.rules.exact import half_up, plain, yuan
from products.models import DataProduct, Organisation
from settlement.whatif.columns import distinct, sums
from settlement.whatif.history import History
from settlement.whatif.parties import agreements, shares
from settlement.whatif.permitted import against
from settlement.whatif.replay import Replay

MOST_BUYERS = 200  # of winners and of losers, each; what is left out is counted
Amounts = NDArray[Any]


def summed_up(*, history: History, replayed: Replay, products: Mapping[int, DataProduct]) -> dict[str, Any]:
    """The result document: totals, permitted, months, products, buyers, sizes, free use, parties, and what was replayed."""
    was, now = history.ratings, replayed.ratings
    buyers, mismatches = _buyers(history, was.total, now.total), history.mismatches()
    return {
        "rows": len(history),
        "entitlements": len(distinct(history.entitlement)[0]),
        "running_rows": int(history.is_running.sum()),
        "is_exact": not mismatches,
        "mismatches": [_mismatch(each) for each in mismatches[:20]],
        "totals": {
            "revenue": _pair(was.net, now.net),
            "billed": _pair(was.total, now.total),
            "free_value": _pair(was.free_value, replayed.free_value),
        },
        "became_free": replayed.became_free,
        "stayed_charged": replayed.stayed_charged,
        "permitted": [_against(each) for each in against(history, products, (was.net, now.net))],
        "months": _by(history.month, history, replayed, lambda n: {"month": f"{history.months[n]:%Y-%m}"}),
        "products": _by(history.product, history, replayed, lambda pk: _product(products[pk])),
        "parties": _parties(history, was.net, now.net),
        **buyers,
    }


def change(before: int, after: int) -> dict[str, str]:
    """Before, after, difference in yuan, and the change in per cent with one decimal ("" where there was nothing before)."""
    percent = plain(half_up((after - before) * 1000, before), 1, 1) if before > 0 else ""
    return {"before": yuan(before), "after": yuan(after), "change": yuan(after - before), "percent": percent}


def _pair(before: Amounts, after: Amounts) -> dict[str, str]:
    return change(int(before.sum()), int(after.sum()))


def _by(
    keys: NDArray[np.int64], history: History, replayed: Replay, name: Callable[[int], dict[str, str]]
) -> list[dict[str, Any]]:
    """One entry a key: revenue net of VAT and the value of free use, before and after."""
    values, place = distinct(keys)
    nets = [sums(place, each, len(values)) for each in (history.ratings.net, replayed.ratings.net)]
    free = [sums(place, each, len(values)) for each in (history.ratings.free_value, replayed.free_value)]
    return [
        name(int(key))
        | {
            "revenue": change(int(nets[0][n]), int(nets[1][n])),
            "free_value": change(int(free[0][n]), int(free[1][n])),
        }
        for n, key in enumerate(values.tolist())
    ]


def _product(product: DataProduct) -> dict[str, str]:
    return {"code": product.code, "name": product.name, "name_en": product.name_en}


def _against(each: Any) -> dict[str, Any]:
    def share(amount: int) -> str:
        return plain(half_up(amount * 1000, each.permitted_minor), 1, 1) if each.permitted_minor else ""

    return {
        "authorisation": each.authorisation,
        "period": each.period,
        "months": each.months,
        "whole": yuan(each.whole_minor),
        "permitted": yuan(each.permitted_minor),
        "revenue": change(each.in_force_minor, each.draft_minor),
        "share_before": share(each.in_force_minor),
        "share_after": share(each.draft_minor),
        "room_after": yuan(each.permitted_minor - each.draft_minor),
    }


# --- buyers ---------------------------------------------------------------------------------------------------------------------


def _buyers(history: History, before: Amounts, after: Amounts) -> dict[str, Any]:
    """Winners pay less, losers more; both by how much, largest first. Sizes count all buyers with a bill before or after."""
    values, place = distinct(history.buyer)
    billed = [sums(place, each, len(values)) for each in (before, after)]
    people = Organisation.objects.in_bulk(values.tolist())
    rows = [
        (int(was), int(now), people[pk])
        for pk, was, now in zip(values.tolist(), *(each.tolist() for each in billed), strict=True)
        if was or now
    ]
    rows.sort(key=lambda row: (row[1] - row[0], row[2].uscc))
    winners = [row for row in rows if row[1] < row[0]]
    losers = [row for row in reversed(rows) if row[1] > row[0]]
    return {
        "buyers": {
            "count": len(rows),
            "winners": len(winners),
            "losers": len(losers),
            "same": len(rows) - len(winners) - len(losers),
            "left_out": max(0, len(winners) - MOST_BUYERS) + max(0, len(losers) - MOST_BUYERS),
        },
        "winners": [_buyer(*row) for row in winners[:MOST_BUYERS]],
        "losers": [_buyer(*row) for row in losers[:MOST_BUYERS]],
        "sizes": _sizes(rows),
    }


def _buyer(was: int, now: int, buyer: Organisation) -> dict[str, Any]:
    return {"uscc": buyer.uscc, "name": buyer.name, "name_en": buyer.name_en, "size": size_of(buyer), "billed": change(was, now)}


def size_of(buyer: Organisation) -> str:
    """micro, small, medium or large; where none is recorded, the kind of the organisation."""
    return buyer.size or buyer.kind


def _sizes(rows: list[tuple[int, int, Organisation]]) -> list[dict[str, Any]]:
    order = ("micro", "small", "medium", "large")
    found: dict[str, list[int]] = {}
    for was, now, buyer in rows:
        counts = found.setdefault(size_of(buyer), [0, 0, 0, 0, 0])
        for place, number in enumerate((1, now < was, now > was, was, now)):
            counts[place] += number
    names = sorted(found, key=lambda name: (order.index(name) if name in order else len(order), name))
    return [
        {"size": name, "buyers": found[name][0], "winners": found[name][1], "losers": found[name][2]}
        | {"billed": change(found[name][3], found[name][4])}
        for name in names
    ]


# --- parties --------------------------------------------------------------------------------------------------------------------


def _parties(history: History, before: Amounts, after: Amounts) -> list[dict[str, Any]]:
    known = agreements(history)
    was, now = shares(known, before), shares(known, after)
    people = Organisation.objects.in_bulk({party for party, _role in (*was, *now)})
    found = []
    for party, role in sorted({*was, *now}, key=lambda key: (key[1], key[0])):
        organisation = people.get(party)
        name, name_en = (organisation.name, organisation.name_en) if organisation else ("", "")
        found.append(
            {
                "name": name,
                "name_en": name_en,
                "role": role,
                "share": change(was.get((party, role), 0), now.get((party, role), 0)),
            }
        )
    return found


def _mismatch(each: Any) -> dict[str, str]:
    return {name: getattr(each, name) for name in ("entitlement", "month", "name", "charged", "replayed")}
