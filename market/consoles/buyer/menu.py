from django.utils.translation import gettext_lazy as _

from market.consoles.menu import Entry
from products.organisations.models import OrganisationKind
from products.organisations.selectors import BUYING_KINDS

# An operator buys too: from other operators, to build on.
KINDS = BUYING_KINDS | {OrganisationKind.OPERATOR}

ENTRIES = [
    Entry(_("Entitlements"), _("What you may call, how much is left, and what it costs so far."), "/console/buyer/", kinds=KINDS),
    Entry(_("Keys"), _("Limits, change, revoke; sandbox keys try any product free."), "/console/buyer/keys/", kinds=KINDS),
    Entry(_("Orders"), _("What was ordered and on which agreement."), "/console/buyer/orders/", kinds=KINDS),
    Entry(
        _("Invoices"), _("Monthly invoices of the operators; pay online or by transfer."), "/console/buyer/invoices/", kinds=KINDS
    ),
    Entry(_("Receipts"), _("Look a metered call up by its receipt."), "/console/buyer/receipts/", kinds=KINDS),
]
