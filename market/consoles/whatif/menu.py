"""The same pages under three consoles, each for its own kind of body."""

from django.utils.translation import gettext_lazy as _

from market.consoles.menu import Entry

CONSOLES = {
    "regulator": frozenset({"price_regulator", "data_bureau"}),
    "authority": frozenset({"authorising_body"}),
    "operator": frozenset({"operator"}),
}
ENTRIES = [
    Entry(_("What-if bench"), _("Try caps, tariffs and free use on what really happened"), f"/console/{name}/what-if/", kinds)
    for name, kinds in CONSOLES.items()
]
