from django.utils.translation import gettext_lazy as _

from market.consoles.menu import Entry

REGISTRY = frozenset({"registry"})
ENTRIES = [Entry(_("Registrations"), _("Register resources; end a registration"), "/console/registry/", REGISTRY)]
