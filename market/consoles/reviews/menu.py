"""The reviewers' part of the console menu."""

from django.utils.translation import gettext_lazy as _

from market.consoles.menu import Entry

KINDS = frozenset({"platform", "data_bureau", "authorising_body"})
ENTRIES = [
    Entry(
        _("Reviews"),
        _("Products that wait for the application-norm review or the security risk assessment."),
        "/console/platform/reviews/",
        KINDS,
        frozenset({"reviewer"}),
    ),
]
