"""The pages of cost filings in two consoles."""

from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from market.consoles.menu import Entry

OPERATORS = frozenset({"operator"})
OVERSEERS = frozenset({"price_regulator", "data_bureau"})
ENTRIES = [
    Entry(_("Cost filings"), _("File a year's costs, see what is admitted and why"), reverse_lazy("operator-costs"), OPERATORS),
    Entry(_("Cost audits"), _("Audit the costs that operators filed, row by row"), reverse_lazy("regulator-costs"), OVERSEERS),
]
