"""Who is told of the steps of a permitted revenue, in which words, and where the link leads."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy

from pricing.revenue.figures import yuan
from pricing.revenue.models import PermittedRevenue
from pricing.revenue.permitted_papers import period_text
from products.organisations.models import Organisation
from products.record.notices import define, notify

define(
    "permitted_revenue.opened",
    subject=gettext_lazy("Draft of a permitted revenue: %(authorisation)s"),
    text=gettext_lazy(
        "%(regulator)s asks for your opinion on the maximum permitted revenue of %(authorisation)s, %(period)s: %(amount)s yuan."
    ),
)
define(
    "permitted_revenue.sent_back",
    subject=gettext_lazy("Draft sent back: %(authorisation)s"),
    text=gettext_lazy("%(body)s sent back the draft permitted revenue of %(authorisation)s: %(reason)s"),
)
define(
    "permitted_revenue.agreed",
    subject=gettext_lazy("The data bureau agrees: %(authorisation)s"),
    text=gettext_lazy("The data bureau agrees to the permitted revenue of %(authorisation)s; another person may determine it."),
)
define(
    "permitted_revenue.determined",
    subject=gettext_lazy("Permitted revenue determined: %(authorisation)s"),
    text=gettext_lazy("%(number)s: the maximum permitted revenue of %(authorisation)s for %(period)s is %(amount)s yuan."),
)

URLS = {"operator": "/console/operator/revenue/", "authorising_body": "/console/authority/revenue/"}


def tell(act: str, own: PermittedRevenue, bodies: tuple[Organisation, ...], at: datetime, **more: str) -> None:
    facts = {
        "authorisation": own.authorisation.number,
        "regulator": own.regulator.name,
        "period": period_text(own.period),
        "amount": yuan(own.amount_minor),
        **more,
    }
    for body in bodies:
        url = URLS.get(body.kind, "/console/regulator/revenue/") + f"{own.pk}/"
        notify(kind=f"permitted_revenue.{act}", organisation=body, facts=facts, url=url, at=at)
