"""Join reviews for buyers and reviewers; join rules for those who make and read them."""

from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from market.consoles.menu import Entry
from products.organisations.models import OrganisationKind
from products.organisations.selectors import BUYING_KINDS

OFFICES = frozenset({"platform", "data_bureau", "authorising_body"})
BUYERS = BUYING_KINDS | {OrganisationKind.OPERATOR}
ENTRIES = [
    Entry(
        _("Products held together"),
        _("Reviews that you asked for before buying what joins with what you have"),
        reverse_lazy("buyer-joins"),
        BUYERS,
    ),
    Entry(
        _("Products held together"),
        _("Buyers who ask to hold products that together point to a person"),
        reverse_lazy("join-reviews"),
        OFFICES,
        frozenset({"reviewer", "decider"}),
    ),
    Entry(
        _("Join rules"),
        _("Which answers nobody holds together without a review; two people make a rule"),
        reverse_lazy("join-rules"),
        OFFICES,
    ),
]
