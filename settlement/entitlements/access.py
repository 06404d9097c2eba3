"""May this key make this call now? One row of ``sql/key_access.sql``, and the answer to that question, pure.

The refusal is a code; whoever answers a caller gives it a status and a sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any

from products.record.clock import ONE_DAY, business_date, day_start
from products.registry.purposes import covers

MOMENTS = ("expires_at", "revoked_at", "valid_from", "valid_to")
MOST_PURPOSES = 64  # remembered of one access; a caller chooses them


@dataclass(frozen=True, kw_only=True)
class Access:
    """What a key may do, as read at one moment (field by field in ``key_access.sql``), and until when that reading says so.

    ``turns_at``: the first moment after the reading at which it may say something else though nothing was changed.
    """

    key_id: int
    mode: str
    expires_at: datetime
    revoked_at: datetime | None
    organisation_id: int
    organisation_slug: str
    organisation_kind: str
    organisation_state: str
    entitlement_id: int | None
    entitlement: str | None
    entitlement_state: str | None
    valid_from: datetime | None
    valid_to: datetime | None
    purposes: list[str] | None
    scenario: str | None
    is_free: bool
    is_prepaid: bool | None
    rate_per_minute: int | None
    product_id: int | None
    product: str | None
    product_state: str | None
    product_purposes: list[str] | None
    product_scenarios: list[str] | None
    operator_id: int | None
    operator_state: str | None
    is_market: bool | None
    needs_consent: bool
    authorisation_state: str | None
    authorisation_from: date | None
    authorisation_to: date | None
    release_id: int | None
    release_version: int | None
    tariff_version: int | None
    tariff: Mapping[str, Any] | None = field(repr=False)
    quota_id: int | None
    quota_limit: int | None
    quota_used: int | None
    continues_id: int | None
    has_quota: bool
    scopes: list[str] = field(default_factory=list)
    networks: list[str] = field(default_factory=list)
    stop_kind: str | None = None
    stop_since: datetime | None = None
    stop_reason: str | None = None
    turns_at: datetime

    def components_of(self, units: Mapping[str, str]) -> dict[str, str]:
        """Units by the tariff's component codes, from a runtime's units by basis.

        Each metered component of the basis counts (a compulsory extra counts beside the main one); a basis that the tariff does
        not price keeps its own name, so that the use is on record all the same.
        """
        codes = self._codes
        return {code: quantity for basis, quantity in units.items() for code in codes.get(basis) or (basis,)}

    def refusal(self, purpose: str, at: datetime) -> str | None:
        """``call_refusal``, worked out once a stated purpose ("" for none); ``at`` lies before ``turns_at``."""
        known = self._refusals
        if purpose in known:
            return known[purpose]
        refusal = call_refusal(self, purpose=purpose or None, at=at, day=business_date(at))
        if len(known) < MOST_PURPOSES:
            known[purpose] = refusal
        return refusal

    @cached_property
    def _codes(self) -> dict[str, list[str]]:
        """Codes of the metered components by basis."""
        found: dict[str, list[str]] = {}
        for component in (self.tariff or {}).get("components", ()):
            if component["model"] != "flat":
                found.setdefault(component["basis"], []).append(component["code"])
        return found

    @cached_property
    def _refusals(self) -> dict[str, str | None]:
        return {}


def turns_at(row: Mapping[str, Any], at: datetime) -> datetime:
    """When a row of ``key_access.sql`` read at ``at`` may say something else by itself: the next of its own moments, or the end
    of the business day, with which tariffs, authorisations and quotas change.
    """
    moments = [row[name] for name in MOMENTS if row[name] is not None and row[name] > at]
    return min([*moments, day_start(business_date(at) + ONE_DAY)])


def key_refusal(access: Access | None, at: datetime) -> str | None:
    """Why the key itself is no good; None where it is."""
    if access is None:
        return "key-unknown"
    if access.revoked_at is not None and access.revoked_at <= at:
        return "key-revoked"
    if access.expires_at <= at:
        return "key-expired"
    if access.organisation_state == "suspended":
        return "organisation-suspended"
    return None


def call_refusal(access: Access, *, purpose: str | None, at: datetime, day: date) -> str | None:
    """Why this call of the entitlement's own product is not allowed (design.md invariant 2); None where it is."""
    return (
        _entitlement_refusal(access, at)
        or _product_refusal(access, day)
        or _purpose_refusal(access, purpose)
        or _payment_refusal(access)
    )


def _entitlement_refusal(access: Access, at: datetime) -> str | None:
    if access.entitlement_state not in ("active", "overdue"):
        return f"entitlement-{access.entitlement_state}"
    if access.valid_from is None or at < access.valid_from:
        return "entitlement-not-begun"
    if access.valid_to is None or at >= access.valid_to:
        return "entitlement-ended"
    return None


def _product_refusal(access: Access, day: date) -> str | None:
    if access.product_state != "listed" or access.release_id is None or access.operator_state == "suspended":
        return "product-suspended"
    starts, ends = access.authorisation_from, access.authorisation_to
    is_in_term = access.authorisation_state == "active" and starts is not None and ends is not None and starts <= day <= ends
    if not is_in_term and not access.is_market:  # what is re-developed stands on no authorisation of its own
        return "authorisation-ended"
    if access.scenario not in (access.product_scenarios or ()):
        return "scenario-outside"
    return None


def _purpose_refusal(access: Access, purpose: str | None) -> str | None:
    """A stated purpose must be covered by the entitlement's; each of these by the product's, which may have been narrowed."""
    rights = access.purposes or []
    if purpose is not None and not any(covers(right, purpose) for right in rights):
        return "purpose-outside"
    asked = purpose or (rights[0] if rights else "")
    if not any(covers(right, asked) for right in access.product_purposes or ()):
        return "purpose-outside"
    return None


def _payment_refusal(access: Access) -> str | None:
    if access.entitlement_state == "overdue":
        return "invoice-overdue"
    if not access.is_free and access.tariff is None:
        return "price-missing"
    return None
