"""Remote hosts: for those who file remote releases, and for those who review them."""

from django.utils.translation import gettext_lazy as _

from market.consoles.menu import Entry
from market.consoles.operator.menu import MERCHANT, OPERATOR, PUBLISHERS
from market.consoles.reviews.menu import KINDS

ASKED = "/console/operator/remote-hosts/"
ENTRIES = [
    Entry(_("Remote hosts"), _("Your own services that the gateway may call."), ASKED, OPERATOR, PUBLISHERS),
    Entry(_("Remote hosts"), _("Your own services that the gateway may call."), ASKED, MERCHANT, frozenset({"publisher"})),
    Entry(
        _("Remote hosts"),
        _("Operators' services that the gateway may call once you allow them."),
        "/console/platform/remote-hosts/",
        KINDS,
        frozenset({"reviewer"}),
    ),
]
