"""The buyer's page of consents that were withdrawn."""

from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from market.consoles.menu import Entry
from products.organisations.models import OrganisationKind
from products.organisations.selectors import BUYING_KINDS

BUYERS = BUYING_KINDS | {OrganisationKind.OPERATOR}
ENTRIES = [
    Entry(_("Consents"), _("Record that a person withdrew; calls under it stop at once"), reverse_lazy("consents"), BUYERS),
]
