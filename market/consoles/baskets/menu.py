"""The pages for sets of caps."""

from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from market.consoles.menu import Entry

KINDS = frozenset({"authorising_body"})
ENTRIES = [
    Entry(
        _("Sets of caps"),
        _("Caps of a whole operation from its permitted revenue: three ways side by side, your own figures, one step for all"),
        reverse_lazy("authority-baskets"),
        KINDS,
    ),
]
