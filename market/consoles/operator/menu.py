"""The operator's part of the console menu."""

from django.utils.translation import gettext_lazy as _

from market.consoles.menu import Entry

OPERATOR, MERCHANT = frozenset({"operator"}), frozenset({"enterprise"})
PUBLISHERS = frozenset({"owner", "publisher"})
MERCHANTS = frozenset({"publisher", "pricing"})
ENTRIES = [
    Entry(
        _("Products"), _("What is on sale, what is missing before listing, usage and refusals."), "/console/operator/", OPERATOR
    ),
    Entry(
        _("File a product"),
        _("With a form, or from a spec and its data file."),
        "/console/operator/products/new/",
        OPERATOR,
        PUBLISHERS,
    ),
    Entry(_("My products"), _("What you re-develop and sell."), "/console/operator/", MERCHANT, MERCHANTS),
    Entry(
        _("Re-develop a product"),
        _("Build on products that you hold a licence for."),
        "/console/operator/products/new/",
        MERCHANT,
        frozenset({"publisher"}),
    ),
    Entry(
        _("Usage keys"),
        _("Keys with which your own services report usage."),
        "/console/operator/usage-keys/",
        OPERATOR,
        frozenset({"owner", "publisher", "developer"}),
    ),
]
