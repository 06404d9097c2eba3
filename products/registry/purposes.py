"""Purpose codes: what a right to one covers, and which are free of charge. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from products.registry.models import FREE_CLASSES


def covers(right: str, asked: str) -> bool:
    """A right to a code covers the code and what is below it, never a sibling: prefix on whole dotted parts."""
    return asked == right or asked.startswith(right + ".")


def any_covers(rights: Iterable[str], asked: str) -> bool:
    return any(covers(right, asked) for right in rights)


def class_of(code: str) -> str:
    """governance, welfare, industry or sector."""
    return code.split(".", 1)[0]


def is_free(code: str) -> bool:
    """Whether uses for the purpose are free of charge (public governance and public welfare; domain.md fact 4)."""
    return class_of(code) in FREE_CLASSES
