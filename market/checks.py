"""System checks: bad settings are explained, and production refuses to start with unsafe ones."""

from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from products.runtimes.addresses import networks


@register(Tags.security)
def production_is_safe(app_configs, **kwargs) -> list[CheckMessage]:
    """gongshu.E001–E007: what production must not run with."""
    if settings.GONGSHU_ENV not in {"development", "demo", "production"}:
        return [Error("GONGSHU_ENV must be development, demo or production.", id="gongshu.E001")]
    if not settings.IS_PRODUCTION:
        return []
    found: list[CheckMessage] = []
    if len(settings.SECRET_KEY) < 40:
        found.append(Error("SECRET_KEY must be set to at least 40 characters in production.", id="gongshu.E002"))
    if settings.DEBUG:
        found.append(Error("DEBUG must be off in production.", id="gongshu.E003"))
    if not settings.DATABASE_URL:
        found.append(Error("DATABASE_URL must name a server in production; the embedded one is for trials.", id="gongshu.E004"))
    if urlsplit(settings.PUBLIC_URL).scheme != "https":
        found.append(Error("PUBLIC_URL must be https in production.", id="gongshu.E005"))
    if not settings.ALLOWED_HOSTS or "*" in settings.ALLOWED_HOSTS:
        found.append(Error("ALLOWED_HOSTS must name the hosts in production.", id="gongshu.E006"))
    if settings.GONGSHU_CLOCK:
        found.append(Error("GONGSHU_CLOCK must not be set in production.", id="gongshu.E007"))
    if settings.STRIPE_API_BASE:
        found.append(Error("STRIPE_API_BASE must not be set in production.", id="gongshu.E009"))
    if settings.STRIPE_SECRET_KEY and not settings.STRIPE_WEBHOOK_SECRET:
        found.append(Error("STRIPE_WEBHOOK_SECRET must be set where STRIPE_SECRET_KEY is.", id="gongshu.E010"))
    if settings.EMAIL_URL == "console":
        found.append(Warning("EMAIL_URL is not set: mails are printed, not sent.", id="gongshu.W001"))
    return found


@register()
def proxies_are_counted(app_configs, **kwargs) -> list[CheckMessage]:
    """gongshu.E011: TRUSTED_PROXIES is a whole number."""
    if settings.TRUSTED_PROXIES < 0:
        return [Error("TRUSTED_PROXIES must be the number of proxies in front of the gateway, 0 or more.", id="gongshu.E011")]
    return []


@register()
def clock_reads(app_configs, **kwargs) -> list[CheckMessage]:
    """gongshu.E008: GONGSHU_CLOCK is a moment with an offset."""
    if not settings.GONGSHU_CLOCK:
        return []
    try:
        moment = datetime.fromisoformat(settings.GONGSHU_CLOCK)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        return [Error("GONGSHU_CLOCK must be an RFC 3339 moment with an offset.", id="gongshu.E008")]
    return []


@register()
def egress_reads(app_configs, **kwargs) -> list[CheckMessage]:
    """gongshu.E020–E022: test networks are networks, and none in production; the file of certificate authorities is there."""
    found: list[CheckMessage] = []
    if settings.IS_PRODUCTION and settings.GONGSHU_EGRESS_TEST_NETWORKS:
        found.append(Error("GONGSHU_EGRESS_TEST_NETWORKS must not be set in production.", id="gongshu.E020"))
    try:
        networks(settings.GONGSHU_EGRESS_TEST_NETWORKS)
    except ValueError as error:
        found.append(Error(f"GONGSHU_EGRESS_TEST_NETWORKS must be networks such as 127.0.0.0/8: {error}", id="gongshu.E021"))
    if settings.GONGSHU_EGRESS_CA_FILE and not Path(settings.GONGSHU_EGRESS_CA_FILE).is_file():
        found.append(Error("GONGSHU_EGRESS_CA_FILE must be a file of certificates in PEM.", id="gongshu.E022"))
    return found
