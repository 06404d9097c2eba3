"""Pure rules of free use: the purpose decides, not the legal form."""

from __future__ import annotations

from datetime import date

GOVERNANCE_KINDS = frozenset({"public_body", "data_bureau", "data_provider", "price_regulator"})
WELFARE_KINDS = frozenset({"nonprofit", "institution", "enterprise"})


def who_may_claim(purpose: str) -> frozenset[str]:
    """The organisation kinds that may claim free use for a purpose; empty where the purpose is charged."""
    return {"governance": GOVERNANCE_KINDS, "welfare": WELFARE_KINDS}.get(purpose.split(".", 1)[0], frozenset())


def last_day(*, asked: date, authorised: date) -> date:
    """A grant ends no later than the product's authorisation."""
    return min(asked, authorised)


def next_number(*, year: int, last: str | None) -> str:
    """FU-2026-0001 and so on; ``last`` is the year's latest."""
    return f"FU-{year}-{int(last.rsplit('-', 1)[1]) + 1 if last else 1:04d}"
