"""The first pages of the price regulator's console; the data bureau sees the same."""

from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from market.consoles.menu import Entry

KINDS = frozenset({"price_regulator", "data_bureau"})
ENTRIES = [
    Entry(_("Cases"), _("Everything that waits for a decision, with the working days left"), reverse_lazy("regulator"), KINDS),
    Entry(
        _("Overdue reports"), _("Written reports and annual reports that did not come"), reverse_lazy("regulator-overdue"), KINDS
    ),
]
