"""The authorisations' part of the authorising body's menu."""

from django.utils.translation import gettext_lazy as _

from market.consoles.menu import Entry

ENTRIES = [
    Entry(
        _("Authorisations given"),
        _("Draft with scope and the five mandatory parts; another person activates."),
        "/console/authority/authorisations/",
        frozenset({"authorising_body"}),
    ),
]
