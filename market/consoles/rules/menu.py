"""Rules and working days, for the price regulator and the data bureau."""

from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from market.consoles.menu import Entry

KINDS = frozenset({"price_regulator", "data_bureau"})
ENTRIES = [
    Entry(
        _("Rules"),
        _("Dated limits, rates and terms of your place; propose and approve versions"),
        reverse_lazy("place-rules"),
        KINDS,
    ),
    Entry(_("Working days"), _("Holidays and working weekends; count working days"), reverse_lazy("working-days"), KINDS),
]
