"""Pure rules of cap sets: which purpose classes a document may cap, who may set the caps of a product."""

from __future__ import annotations

from collections.abc import Iterable

CHARGED_CLASSES = ("industry", "sector")
NATION = ("", "000000", "100000")


def purpose_classes(purposes: Iterable[str]) -> tuple[str, ...]:
    """The charged classes that a cap document names; both where it names none. ValueError for anything else."""
    named = tuple(dict.fromkeys(purposes)) or CHARGED_CLASSES
    if any(purpose not in CHARGED_CLASSES for purpose in named):
        raise ValueError("a cap holds for whole purpose classes that may be charged")
    return named


def may_set_caps(*, levels: Iterable[str], region: str) -> bool:
    """A nationally registered product follows the central catalogue: only a national body caps it (domain.md fact 6)."""
    return "national" not in set(levels) or region in NATION
