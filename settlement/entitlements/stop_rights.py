"""Who may stop what in an emergency, and who may lift it: one table (R70, SM11, decision 0057). Pure.

Only organisations whose certificate was checked, and only people with one of the roles there. An operator never lifts what
someone above it stopped.
"""

from __future__ import annotations

from dataclasses import dataclass

from products.organisations.models import OrganisationKind, Role
from settlement.entitlements.models import EmergencyStop

Kind = EmergencyStop.Kind


@dataclass(frozen=True, slots=True)
class Right:
    """``roles`` of an organisation kind and the kinds of stop it may start; ``own`` limits it to what is its own."""

    roles: frozenset[str]
    kinds: frozenset[str]
    own: bool = False


EVERYTHING = frozenset({Kind.PRODUCT, Kind.OPERATOR, Kind.BUYER})
RIGHTS: dict[str, Right] = {
    OrganisationKind.PLATFORM: Right(frozenset({Role.REVIEWER, Role.OWNER}), EVERYTHING),
    OrganisationKind.DATA_BUREAU: Right(frozenset({Role.REVIEWER, Role.DECIDER, Role.OWNER}), EVERYTHING),
    # Its own: products under its authorisations.
    OrganisationKind.AUTHORISING_BODY: Right(
        frozenset({Role.REVIEWER, Role.DECIDER, Role.OWNER}), frozenset({Kind.PRODUCT}), own=True
    ),
    # Its own: what it sells.
    OrganisationKind.OPERATOR: Right(frozenset({Role.PUBLISHER, Role.OWNER}), frozenset({Kind.PRODUCT, Kind.OPERATOR}), own=True),
}
# Whose stops a kind may lift, by the kind in whose name it was started.
LIFTS: dict[str, frozenset[str]] = {
    OrganisationKind.PLATFORM: frozenset(RIGHTS),
    OrganisationKind.DATA_BUREAU: frozenset(RIGHTS),
    OrganisationKind.AUTHORISING_BODY: frozenset({OrganisationKind.AUTHORISING_BODY, OrganisationKind.OPERATOR}),
    OrganisationKind.OPERATOR: frozenset({OrganisationKind.OPERATOR}),
}


def may_start(*, kind: str, acting_kind: str, roles: frozenset[str], is_own: bool) -> bool:
    """Whether people with these roles in an organisation of ``acting_kind`` may start (and ask to lift) such a stop."""
    right = RIGHTS.get(acting_kind)
    return right is not None and bool(right.roles & roles) and kind in right.kinds and (is_own or not right.own)


def may_lift(*, kind: str, acting_kind: str, roles: frozenset[str], is_own: bool, started_for_kind: str) -> bool:
    """Whether they may decide that it is over; another person must have asked."""
    allowed = may_start(kind=kind, acting_kind=acting_kind, roles=roles, is_own=is_own)
    return allowed and started_for_kind in LIFTS[acting_kind]
