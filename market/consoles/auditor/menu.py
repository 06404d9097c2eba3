from django.utils.translation import gettext_lazy as _

from market.consoles.menu import Entry

AUDITOR = frozenset({"auditor"})
ENTRIES = [Entry(_("Audit trail"), _("Every change, who made it and why; the chain's check"), "/console/auditor/", AUDITOR)]
