from django.utils.translation import gettext_lazy as _

from market.consoles.menu import Entry

PROVIDER = frozenset({"data_provider"})
ENTRIES = [Entry(_("Data resources"), _("Catalogue with dictionaries and registrations"), "/console/provider/", PROVIDER)]
