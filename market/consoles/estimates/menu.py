"""The same two pages under three consoles, each with its own products."""

from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from market.consoles.estimates.scope import KINDS_OF
from market.consoles.menu import Entry

ENTRIES = [
    entry
    for namespace, kinds in KINDS_OF.items()
    for entry in (
        Entry(
            _("Demand forecasts"),
            _("What use is expected, and how the last forecasts did"),
            reverse_lazy(f"{namespace}:forecasts"),
            kinds,
        ),
        Entry(
            _("Comparable prices"),
            _("Prices outside their expected band, and the nearest products"),
            reverse_lazy(f"{namespace}:comparables"),
            kinds,
        ),
    )
]
