"""The pages of equal treatment in three consoles."""

from django.utils.translation import gettext_lazy as _

from market.consoles.buyer.menu import KINDS as BUYERS
from market.consoles.menu import Entry

REGULATORS = frozenset({"price_regulator", "data_bureau"})
ENTRIES = [
    Entry(
        _("Equal treatment"),
        _("Like buyers that paid differently, refusals to supply, concentration"),
        "/console/regulator/fairness/",
        REGULATORS,
    ),
    Entry(
        _("Supply and equal treatment"),
        _("Whom you refuse and why; explain differences between like buyers."),
        "/console/operator/supply/",
        frozenset({"operator"}),
    ),
    Entry(_("Refusals to supply"), _("Who refuses to supply you, why, and how to complain."), "/console/buyer/refusals/", BUYERS),
]
