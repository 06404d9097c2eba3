"""Names of what a ledger's columns hold, for people."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from pricing.costs.models import CostFunding, CostNature
from pricing.costs.rules import PUBLIC_DATA, SHARED

LINES: dict[str, str | Promise] = {PUBLIC_DATA: _("Public data operation"), SHARED: _("Shared, by a rule")}
NATURES = dict(CostNature.choices)
FUNDINGS = dict(CostFunding.choices)
FIELDS: dict[str, str | Promise] = {
    "nature": _("Nature"),
    "business_line": _("Business line"),
    "funding": _("Funding source"),
    "amount_minor": _("Amount"),
    "allocation_id": _("Allocation rule"),
    "voucher": _("Evidence"),
    "admitted_minor": _("Admitted by rule"),
}


def line_label(code: str) -> str:
    """A business line for people; a product's line shows the product's code."""
    return str(LINES.get(code, code))


def nature_label(code: str) -> str:
    return str(NATURES.get(code, code))


def funding_label(code: str) -> str:
    return str(FUNDINGS.get(code, code))
