"""What the market says no with: one root, one class a reason, each defined where it is raised."""

from __future__ import annotations

from typing import ClassVar

from django.utils.functional import Promise


class Refused(Exception):
    """A request that the rules do not allow.

    ``code`` is stable and made for programs; ``message`` is a sentence that a person can act on, translated when it is shown.
    ``field`` names the input at fault where there is one; ``facts`` are values for programs (never personal data).
    """

    code: ClassVar[str] = "refused"

    def __init__(self, message: str | Promise, *, field: str | None = None, **facts: object) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.facts = facts

    def __str__(self) -> str:
        return str(self.message)
