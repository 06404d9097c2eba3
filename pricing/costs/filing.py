"""What both sides of a cost filing say about it: where it belongs, the facts of its notices, its audit entries."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pricing.costs.models import CostFiling
from products.organisations.models import User
from products.record import audit

LIMIT = "cost_audit_working_days"


def facts_of(filing: CostFiling) -> dict[str, Any]:
    """What a notice about a filing is filled with."""
    return {
        "operator": filing.authorisation.operator.name,
        "authorisation": filing.authorisation.number,
        "year": filing.year,
        "version": filing.version,
    }


def record(act: str, filing: CostFiling, user: User, at: datetime, facts: dict[str, Any] | None = None, reason: str = "") -> None:
    """The audit entry of a step, in the trail of the operator whose costs they are."""
    audit.record(
        action=f"cost.{act}",
        obj=filing,
        actor=user,
        organisation=filing.authorisation.operator,
        at=at,
        reason=reason,
        facts={"year": filing.year, "version": filing.version} | (facts or {}),
    )
