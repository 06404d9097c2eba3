from django.utils.translation import gettext_lazy as _

from market.consoles.menu import Entry

PLATFORM = frozenset({"platform"})
ENTRIES = [
    Entry(
        _("Organisations"),
        _("Compare certificates with code and name; verify or suspend"),
        "/console/platform/",
        PLATFORM,
        frozenset({"owner", "reviewer"}),
    ),
    Entry(_("Work calendar"), _("Load a year's holiday notice"), "/console/platform/calendar/", PLATFORM, frozenset({"owner"})),
]
