"""Risk cases, for the bodies that decide them and for the buyers that they are about."""

from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from market.consoles.menu import Entry
from products.organisations.models import OrganisationKind
from products.organisations.selectors import BUYING_KINDS

OFFICES = frozenset({"authorising_body", "platform"})
BUYERS = BUYING_KINDS | {OrganisationKind.OPERATOR}
ENTRIES = [
    Entry(_("Risk cases"), _("Calls out of purpose, and probing of protected tables"), reverse_lazy("office-risks"), OFFICES),
    Entry(_("Risk cases"), _("Signals about your calls, and your explanation"), reverse_lazy("buyer-risks"), BUYERS),
]
