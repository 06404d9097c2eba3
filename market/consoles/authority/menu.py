"""The pages of the authorising body."""

from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from market.consoles.menu import Entry

KINDS = frozenset({"authorising_body"})
ENTRIES = [
    Entry(_("Caps"), _("Draft, approve, report and publish the caps of products"), reverse_lazy("authority-caps"), KINDS),
    Entry(_("Free-use claims"), _("Decide claims, and check what a colleague decided"), reverse_lazy("authority-claims"), KINDS),
]
