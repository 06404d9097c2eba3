"""The agreement that a buyer accepts: its text from the facts, and the digest under which both sides keep it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from market.storefront.baskets import LineView
from market.storefront.names import purpose_name, scenario_name
from pricing.tariffs.discounts import Offered
from products.organisations.models import Organisation

PARTIES = gettext_noop(
    "1. Parties. Buyer: %(buyer)s. Operator and seller: %(operator)s. The platform collects on the operator's behalf."
)
USE = gettext_noop(
    "3. Use. Only for the purpose %(purpose)s in the scenario %(scenario)s. Every call names its purpose; a call for another "
    "purpose is refused. Results are not resold as raw data and nobody tries to work out the data behind them."
)
PRICE = gettext_noop(
    "4. Price. By the tariff in force at the time of use, which never exceeds the published ceiling. A rise reaches this "
    "agreement only after its notice period and at the next billing period. What is paid now is a deposit that the invoices "
    "draw down."
)
METERING = gettext_noop(
    "5. Metering. Each answered call is counted once and has a receipt; a call that is refused costs nothing. The operator "
    "issues one invoice a month."
)
END = gettext_noop(
    "6. End. The right ends with its term, and no later than the authorisation to operate. An unspent deposit is paid back."
)
COMPLAINTS = gettext_noop("7. Complaints go to %(complaints)s; about prices also to 12315.")


def agreement_text(*, buyer: Organisation, operator: Organisation, purpose: str, scenario: str, lines: Sequence[LineView]) -> str:
    """The agreement in the page's language; the same facts give the same text."""
    facts = {
        "buyer": f"{buyer.name} ({buyer.uscc})",
        "operator": f"{operator.name} ({operator.uscc})",
        "purpose": f"{purpose_name(purpose)} ({purpose})",
        "scenario": scenario_name(scenario),
        "complaints": operator.complaint_contact or "12315",
    }
    parts = [_("Agreement on the use of public-data products") + "\n", _(PARTIES) % facts, _("2. Products and terms:")]
    parts += ["   · " + _line(line) for line in lines]
    parts += [_(text) % facts for text in (USE, PRICE, METERING, END, COMPLAINTS)]
    return "\n".join(parts)


def agreement_digest(text: str) -> str:
    """SHA-256 of the text as it was shown."""
    return hashlib.sha256(text.encode()).hexdigest()


def _line(line: LineView) -> str:
    facts = {"code": line.product.code, "name": line.product.name, "last": line.term.last_day.isoformat()}
    if line.choice.grant is not None:
        facts |= {"grant": line.choice.grant.number, "units": f"{line.choice.grant.quota:,}"}
        return _("%(name)s (%(code)s), free for public good under grant %(grant)s, %(units)s units, until %(last)s") % facts
    plan = line.choice.plan
    facts["plan"] = plan.name if plan else ""
    text = _("%(name)s (%(code)s), plan %(plan)s, until %(last)s") % facts
    if line.price is None:
        return text
    labels = {component["code"]: component.get("label", component["code"]) for component in line.price.document["components"]}
    given = (each for each in line.price.discounts if each.is_due)
    return "\n".join([text, *("     " + _discount(each, labels) for each in given)])


def _discount(discount: Offered, labels: Mapping[str, str]) -> str:
    facts = {"percent": discount.percent, "condition": discount.condition}
    facts["components"] = ", ".join(labels[code] for code in discount.components)
    return _("less %(percent)s %% on %(components)s by the published tariff: %(condition)s") % facts
