"""The pages of the price regulator; the data bureau reads them."""

from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from market.consoles.menu import Entry

KINDS = frozenset({"price_regulator", "data_bureau"})
ENTRIES = [
    Entry(_("Tariffs filed"), _("Note or return tariffs, each shown against its cap"), reverse_lazy("regulator-tariffs"), KINDS),
    Entry(
        _("Caps reported"), _("Caps of the authorising bodies with their written reports"), reverse_lazy("regulator-caps"), KINDS
    ),
]
