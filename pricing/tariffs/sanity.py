"""Whether a price makes sense before anybody pays it: under its caps, and never cheaper in total for more use.

The proofs themselves are `pricing.rules.caps` and `pricing.rules.falls`; here they are put together and told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pricing.cap_check import answer as cap_answer
from pricing.cap_check import check_terms, comparable_problems
from pricing.documents import read_caps, read_tariff
from pricing.reading import DocumentRefused, Node, Problem
from pricing.rules import Tariff
from pricing.rules.exact import plain, quantity, yuan
from pricing.rules.falls import MOST_DISCOUNT_SETS, Fall, TooManyDiscounts, first_fall


@dataclass(frozen=True)
class FallExample:
    """The smallest usage after which more use costs less, with its arithmetic; quantities and amounts as text.

    ``parts`` are (label, payable at the quantity, payable at the next one, percent taken off). ``rest`` are other charges that
    must stand beside them (0.00 where none are needed).
    """

    basis: str
    unit: str
    quantity: str
    next: str
    reasons: tuple[str, ...]
    parts: tuple[tuple[str, str, str, str], ...]
    rest: str
    total: str
    next_total: str

    @property
    def drop(self) -> str:
        return yuan(fen_of(self.total) - fen_of(self.next_total))


def fen_of(text: str) -> int:
    return int(text.replace(".", ""))


def fall_of(tariff: Tariff) -> FallExample | None:
    """None where the total never falls when usage rises, at any quantity and with any discounts; else the smallest example.

    Raises DocumentRefused where the tariff has more combinations of discounts than can be looked at.
    """
    try:
        found = first_fall(tariff)
    except TooManyDiscounts as many:
        raise DocumentRefused([Problem("tariff", "/discounts", "too_many_discounts", {"most": MOST_DISCOUNT_SETS})]) from many
    return told(found) if found else None


def told(fall: Fall) -> FallExample:
    return FallExample(
        basis=fall.basis,
        unit=fall.unit or "",
        quantity=quantity(fall.quantity_micro),
        next=quantity(fall.next_micro),
        reasons=fall.reasons,
        parts=tuple(
            (part.label, yuan(part.before_minor), yuan(part.after_minor), plain(part.percent_micro, 6)) for part in fall.parts
        ),
        rest=yuan(fall.rest_minor),
        total=yuan(fall.total_minor),
        next_total=yuan(fall.next_total_minor),
    )


def answer(example: FallExample | None) -> dict[str, Any]:
    """The fall in the form of `check_cap`'s answer: ``{"ok": true}``, or the two quantities with their totals."""
    if example is None:
        return {"ok": True}
    return {
        "ok": False,
        "basis": example.basis,
        "quantity": example.quantity,
        "total": example.total,
        "next": example.next,
        "next_total": example.next_total,
        "discounts": list(example.reasons),
        "rest": example.rest,
        "components": [{"label": label, "at_quantity": at, "at_next": later} for label, at, later, _percent in example.parts],
    }


def check_tariff(tariff: Any, caps: Any | None = None, names: tuple[str, str] = ("tariff", "caps")) -> dict[str, Any]:
    """Both proofs of a tariff document: ``{"ok", "rises": …, "caps": …}`` (``caps`` only where caps are given).

    Raises DocumentRefused with all that is wrong with either document.
    """
    problems: list[Problem] = []
    terms = read_tariff(Node(tariff, "", names[0], problems))
    ceiling = None if caps is None else read_caps(Node(caps, "", names[1], problems))
    if not problems and caps is not None:
        problems += comparable_problems(terms, names[0])
    if problems:
        raise DocumentRefused(problems)
    found = {"rises": answer(fall_of(terms))}
    if ceiling is not None:
        found["caps"] = cap_answer(check_terms(tariff=terms, caps=ceiling))
    return {"ok": all(part["ok"] for part in found.values()), **found}
