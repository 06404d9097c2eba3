"""What every page knows."""

from django.conf import settings


def site(request) -> dict[str, object]:
    """Whether this is a demo, and the name of the payment server."""
    return {"is_demo": settings.GONGSHU_ENV == "demo", "payments_are_real": not settings.STRIPE_API_BASE}
