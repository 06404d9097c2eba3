"""The permitted-revenue pages in the consoles of the regulator (and data bureau), the operator and the authorising body."""

from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from market.consoles.menu import Entry

KINDS = frozenset({"price_regulator", "data_bureau", "operator", "authorising_body"})
REGULATING = frozenset({"price_regulator", "data_bureau"})
HINT = _("What each operation may earn, what it has earned, and when it would pass the maximum")
REPORTS_HINT = _("The yearly report on each operation, due after the year")
ENTRIES = [
    Entry(_("Permitted revenue"), HINT, reverse_lazy("regulator-revenue:index"), REGULATING),
    Entry(_("Operation reports"), REPORTS_HINT, reverse_lazy("regulator-revenue:reports"), REGULATING),
    Entry(_("Permitted revenue"), HINT, reverse_lazy("operator-revenue:index"), frozenset({"operator"})),
    Entry(_("Operation reports"), REPORTS_HINT, reverse_lazy("operator-revenue:reports"), frozenset({"operator"})),
    Entry(_("Permitted revenue"), HINT, reverse_lazy("authority-revenue:index"), frozenset({"authorising_body"})),
    Entry(_("Operation reports"), REPORTS_HINT, reverse_lazy("authority-revenue:reports"), frozenset({"authorising_body"})),
]
