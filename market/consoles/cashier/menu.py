from django.utils.translation import gettext_lazy as _

from market.consoles.menu import Entry
from products.organisations.models import OrganisationKind, Role

ENTRIES = [
    Entry(
        _("Bank transfers"),
        _("Transfers that wait for the money; confirm those that arrived."),
        "/console/platform/transfers/",
        frozenset({OrganisationKind.PLATFORM}),
        frozenset({Role.FINANCE}),
    ),
]
