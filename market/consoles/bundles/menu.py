"""The bundles' entry in the operator's console."""

from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from market.consoles.menu import Entry

KINDS = frozenset({"operator"})
ENTRIES = [Entry(_("Bundles"), _("Sell products together for a scenario"), reverse_lazy("operator-bundles"), KINDS)]
