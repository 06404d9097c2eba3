"""What every runtime is: a release is loaded once, checks a body, and runs it.

The gateway's path is ``host.Host``; it uses only what stands here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, TypedDict

from django.utils.translation import gettext_lazy as _

from products.record.refusals import Refused

if TYPE_CHECKING:
    from products.runtimes.egress import Egress


@dataclass(frozen=True, kw_only=True, slots=True)
class ReleaseSpec:
    """A release as the runtimes see it: what the database holds, and nothing that only the database knows.

    ``config`` is the JSON object the operator filed for the type; ``artifact`` the derived product in the type's own
    packing.
    """

    product_code: str
    version: int
    type: str
    config: Mapping[str, Any]
    artifact: bytes
    input_schema: Mapping[str, Any]
    output_schema: Mapping[str, Any]

    @property
    def key(self) -> str:
        """Name of the release in caches and in logs, for example ``ent-verify@3``."""
        return f"{self.product_code}@{self.version}"


@dataclass(frozen=True, slots=True)
class RunResult:
    """What one call yields: the output, the units to meter (decimal strings by basis), and the subject's digest if it
    has one.
    """

    output: dict[str, Any]
    units: dict[str, str]
    subject: str | None = None
    has_result: bool = True  # False: a lawful answer that found nothing; charged or not as the release says


@dataclass(frozen=True, slots=True)
class Secrets:
    """What a runtime may need and the database must not hold. ``product_key(code)`` raises ``ProductKeyMissing``.

    ``egress`` is the way out to operators' own services; without it a remote release can be loaded and checked, not run.
    """

    product_key: Callable[[str], bytes]
    link_key: bytes = field(repr=False)
    egress: Egress | None = None


class FieldError(TypedDict):
    pointer: str
    message: str


class Loaded(Protocol):
    """A release ready to run. Every method is safe to call from several threads."""

    def check(self, body: Any) -> None:
        """Raise ``InputRefused`` where the body does not fit the product's schema or the runtime's own."""

    def subject(self, body: Any) -> bytes | None:
        """Digest of whom the call asks about (for ``limits``), None where the type has no subject. Call after
        ``check``.
        """

    def run(self, body: Any, at: datetime) -> RunResult:
        """Answer a checked body as of ``at``. Raises ``InputRefused`` where only the data can tell that the ask is
        wrong.
        """


class InputRefused(Refused):
    """The body does not fit: each error names the field (a JSON pointer) and why. Costs nothing."""

    code = "input_refused"

    def __init__(self, errors: Sequence[FieldError]) -> None:
        self.errors = list(errors)
        first = self.errors[0]
        super().__init__(_("The input does not fit this product."), field=first["pointer"], errors=self.errors)

    def __str__(self) -> str:
        return "; ".join(f"{error['pointer'] or '/'}: {error['message']}" for error in self.errors)


class ReleaseRefused(Refused):
    """The release cannot run: its config or its artifact is wrong. Each error names where and why."""

    code = "release_refused"

    def __init__(self, errors: Sequence[FieldError]) -> None:
        self.errors = list(errors)
        super().__init__(_("This release cannot run."), errors=self.errors)

    def __str__(self) -> str:
        return "; ".join(f"{error['pointer'] or '/'}: {error['message']}" for error in self.errors)


class RuntimeBusy(Refused):
    """The product's queue is full, or a call waited too long in it. ``facts['retry_after']`` is in seconds."""

    code = "runtime_busy"


class RuntimeTimeout(Refused):
    """The call ran longer than the product's time limit and was ended."""

    code = "runtime_timeout"


class RuntimeFailed(Refused):
    """The runtime broke (a crash, too much memory, an error in the model). Never the caller's fault, never charged."""

    code = "runtime_failed"


def refuse_input(pointer: str, message: Any) -> InputRefused:
    return InputRefused([{"pointer": pointer, "message": str(message)}])


def refuse_release(pointer: str, message: Any) -> ReleaseRefused:
    return ReleaseRefused([{"pointer": pointer, "message": str(message)}])
