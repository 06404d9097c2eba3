from django.utils.translation import gettext_lazy as _

from market.consoles.menu import Entry

ENTRIES = [
    Entry(_("Entitlements"), _("What you may call, how much is left, and what it costs so far."), "/console/buyer/"),
    Entry(_("Sandbox keys"), _("Try any product with samples, free of charge."), "/console/buyer/keys/"),
    Entry(_("Orders"), _("What was ordered and on which agreement."), "/console/buyer/orders/"),
    Entry(_("Invoices"), _("Monthly invoices of the operators; pay online or by transfer."), "/console/buyer/invoices/"),
    Entry(_("Receipts"), _("Look a metered call up by its receipt."), "/console/buyer/receipts/"),
]
