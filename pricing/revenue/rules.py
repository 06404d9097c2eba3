"""Pure rules of cap documents: which purpose classes one may cap."""

from __future__ import annotations

from collections.abc import Iterable

CHARGED_CLASSES = ("industry", "sector")


def purpose_classes(purposes: Iterable[str]) -> tuple[str, ...]:
    """The charged classes that a cap document names; both where it names none. ValueError for anything else."""
    named = tuple(dict.fromkeys(purposes)) or CHARGED_CLASSES
    if any(purpose not in CHARGED_CLASSES for purpose in named):
        raise ValueError("a cap holds for whole purpose classes that may be charged")
    return named
