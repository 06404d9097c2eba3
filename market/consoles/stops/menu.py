from django.utils.translation import gettext_lazy as _

from market.consoles.menu import Entry
from settlement.entitlements.stop_rights import RIGHTS

KINDS = frozenset(str(kind) for kind in RIGHTS)
ENTRIES = [
    Entry(_("Emergency stops"), _("Stop calls at once, and let them go on by two people."), "/console/stops/", kinds=KINDS),
]
