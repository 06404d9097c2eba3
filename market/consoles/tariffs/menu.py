"""The operator's tariff pages."""

from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from market.consoles.menu import Entry

KINDS = frozenset({"operator"})
ENTRIES = [
    Entry(_("Tariffs"), _("File prices, see them against their caps"), reverse_lazy("operator-tariffs"), KINDS),
    Entry(
        _("My prices"),
        _("File market prices of what you re-develop"),
        reverse_lazy("operator-tariffs"),
        frozenset({"enterprise"}),
        frozenset({"pricing", "publisher"}),
    ),
]
