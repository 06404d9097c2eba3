"""The rules of admission in words: what each is called, why it says so, and which document it comes from."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from pricing.costs import rules

DOCUMENT = "发改价格〔2025〕65号"
LABELS: dict[str, str | Promise] = {
    rules.ADMITTED: _("Admitted"),
    rules.ALLOCATED: _("Admitted in part, by the allocation rule"),
    rules.FINE: _("Fine or late fee"),
    rules.DONATION: _("Donation or sponsorship"),
    rules.FISCAL: _("Paid by fiscal or special funds"),
    rules.USERS: _("Paid by users"),
    rules.UNRELATED: _("Unrelated business"),
    rules.TAXED_ELSEWHERE: _("Counted as tax"),
}
REASONS: dict[str, str | Promise] = {
    rules.ADMITTED: _("Operating cost: lawful, of the authorised operation, borne by the operator."),
    rules.ALLOCATED: _("Operating cost: of a shared cost, the part of the authorised operation."),
    rules.FINE: _("Operating cost leaves out fines and late fees: breaking rules is no cost of operating."),
    rules.DONATION: _("Operating cost leaves out donations and sponsorship: users do not pay for them."),
    rules.FISCAL: _("Operating cost leaves out what fiscal or other special funds have paid: it is not recovered a second time."),
    rules.USERS: _("Operating cost leaves out what users have paid for separately: it is not recovered a second time."),
    rules.UNRELATED: _("Operating cost leaves out business that does not belong to the authorised operation."),
    rules.TAXED_ELSEWHERE: _(
        "Income tax is the tax in the permitted revenue, and revenue is held net of VAT: as cost they would count twice."
    ),
}


def rule_label(code: str) -> str:
    """The rule's name; the code itself where it has no words."""
    return str(LABELS.get(code, code))


def rule_reason(code: str) -> str:
    """Why, with the document whose rule it is (in our words; docs/decisions/0034 says how far they were read)."""
    return f"{REASONS.get(code, code)} {DOCUMENT}"
