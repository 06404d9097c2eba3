"""On whose behalf a signed-in person acts: one membership at a time, kept in the session."""

from __future__ import annotations

from django.http import HttpRequest

from products.organisations.models import Membership

SESSION_KEY = "acting_membership"
_UNREAD = object()


def memberships(request: HttpRequest) -> list[Membership]:
    """The person's active memberships, oldest first; none for a visitor. Read once a request."""
    kept = getattr(request, "_memberships", None)
    if kept is None:
        kept = []
        if request.user.is_authenticated:
            own = Membership.objects.filter(user=request.user, is_active=True)
            kept = list(own.select_related("organisation").order_by("created_at", "id"))
        request._memberships = kept
    return kept


def acting_membership(request: HttpRequest) -> Membership | None:
    """The membership that the person chose, else the first; None for a visitor and for a person in no organisation."""
    own = memberships(request)
    chosen = request.session.get(SESSION_KEY) if own else None
    return next((m for m in own if m.pk == chosen), own[0] if own else None)


def act_for(request: HttpRequest, membership: Membership) -> None:
    """Act for this organisation from now on."""
    request.session[SESSION_KEY] = membership.pk


def has_role(membership: Membership | None, *roles: str) -> bool:
    """Whether the membership carries one of the roles."""
    return membership is not None and bool(set(roles) & set(membership.roles))
