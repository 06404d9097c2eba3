"""Running a release on a page: nothing is metered, nothing is charged, and a report's link is not given out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from market.consoles.operator.filing import secrets
from market.consoles.pretty import pretty
from products.catalogue.models import Release
from products.record.refusals import Refused
from products.runtimes import host, links
from products.runtimes.base import FieldError, InputRefused
from products.runtimes.releases import spec_of


@dataclass(frozen=True)
class Tried:
    """What the release answered (as text) and what a call would meter; or the fields that do not fit; or why it cannot run."""

    output: str = ""
    units: dict[str, str] = field(default_factory=dict)
    errors: list[FieldError] = field(default_factory=list)
    refusal: Refused | None = None


def run(*, release: Release, body: Any, at: datetime) -> Tried:
    """Run a release once, as the gateway would, in a process of its own where the type needs one."""
    try:
        loaded = host.load(spec_of(release), secrets=secrets())
        loaded.check(body)
        result = loaded.run(body, at)
    except InputRefused as refusal:
        return Tried(errors=refusal.errors)
    except Refused as refusal:
        return Tried(refusal=refusal)
    output = dict(result.output)
    if release.product.type == "report":
        output["url"] = links.PATH + "…"
    return Tried(output=pretty(output), units=result.units)
