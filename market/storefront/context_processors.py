"""What every page knows. Costs nothing until a template asks."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from market.storefront.acting import acting_membership, memberships
from products.record.models import Notice


def site(request: HttpRequest) -> dict[str, object]:
    """Demo or real, the acting membership and the others, how many notices wait."""
    if not hasattr(request, "user"):
        return {"is_demo": settings.GONGSHU_ENV == "demo"}
    return {
        "is_demo": settings.GONGSHU_ENV == "demo",
        "payments_are_real": not settings.STRIPE_API_BASE,
        "acting": SimpleLazyObject(lambda: acting_membership(request)),
        "my_memberships": SimpleLazyObject(lambda: memberships(request)),
        "unread_notices": SimpleLazyObject(lambda: _unread(request)),
    }


def _unread(request: HttpRequest) -> int:
    if not request.user.is_authenticated:
        return 0
    return Notice.objects.filter(user_id=request.user.pk, read_at=None).count()
