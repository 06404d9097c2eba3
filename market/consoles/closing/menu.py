from django.utils.translation import gettext_lazy as _

from market.consoles.menu import Entry

PLATFORM, FINANCE = frozenset({"platform"}), frozenset({"finance", "owner"})
SHOWN = {"operator": "/console/operator/statements/", "data_provider": "/console/provider/statements/"}
ENTRIES = [
    Entry(_("Closing"), _("Close billing months; what they brought"), "/console/platform/closing/", PLATFORM, FINANCE),
    Entry(_("Payouts"), _("Pay the parties what is payable, by two people"), "/console/platform/payouts/", PLATFORM, FINANCE),
    *(
        Entry(_("Statements"), _("Your share of each closed month, line by line"), url, frozenset({kind}))
        for kind, url in SHOWN.items()
    ),
]
