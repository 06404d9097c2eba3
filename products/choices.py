"""Django's TextChoices, which is a text at run time, said so to the type checker too (Django ships no types)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from enum import Enum

    class TextChoices(str, Enum):  # noqa: UP042  only its types matter
        label: str
        choices: list[tuple[str, str]]
        labels: list[str]
        values: list[str]
        names: list[str]
else:
    from django.db.models import TextChoices

__all__ = ["TextChoices"]
