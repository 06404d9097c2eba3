"""What changed in the price lists, the latest first, as an Atom feed: one entry a tariff version."""

from __future__ import annotations

from django.conf import settings
from django.db.models.functions import Coalesce
from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from market.disclosure.capabilities import PUBLIC_STATES
from market.storefront.templatetags.gongshu import local
from pricing.tariffs.models import Tariff

MOST = 100


def feed(*, slug: str, url: str) -> bytes:
    """The last changes of an operator (all where ``slug`` is empty); two queries."""
    found = Tariff.objects.filter(plan__product__state__in=PUBLIC_STATES).select_related("plan__product__operator")
    if slug:
        found = found.filter(plan__product__operator__slug=slug)
    latest = found.annotate(changed_at=Coalesce("decided_at", "filed_at")).order_by("-changed_at", "-id")[:MOST]
    atom = Atom1Feed(
        title=str(_("Changes of prices")),
        link=f"{settings.PUBLIC_URL}/tariffs/",
        feed_url=f"{settings.PUBLIC_URL}{url}",
        description="",
        language=get_language(),
    )
    for tariff in latest:
        _add(atom, tariff)
    return atom.writeString("utf-8").encode()


def _add(atom: Atom1Feed, tariff: Tariff) -> None:
    product = tariff.plan.product
    named = {
        "product": local(product),
        "plan": local(tariff.plan),
        "version": tariff.version,
        "day": tariff.period.lower.isoformat(),
        "state": tariff.get_state_display(),
    }
    page = f"{settings.PUBLIC_URL}/tariffs/{product.operator.slug}/{product.code}/"
    atom.add_item(
        title=str(_("%(product)s, %(plan)s: version %(version)s from %(day)s (%(state)s)") % named),
        link=f"{page}#v{tariff.plan_id}-{tariff.version}",
        description=tariff.decision_reason or tariff.reason,
        author_name=local(product.operator),
        updateddate=tariff.changed_at,
        pubdate=tariff.filed_at,
        unique_id=f"{page}#v{tariff.plan_id}-{tariff.version}-{tariff.state}",
    )
