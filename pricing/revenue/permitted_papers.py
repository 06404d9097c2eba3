"""The numbered documents of a permitted revenue: the determination, and the assessment of its period. Chinese, public."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from pricing.revenue.figure_words import RULE_WORDS, label, operation_name, source, value
from pricing.revenue.figures import yuan
from pricing.revenue.models import PermittedRevenue, RevenueAssessment
from products.organisations.models import User
from products.record.documents import issue
from products.record.models import IssuedDocument
from products.record.pdf import Facts, Heading, Table, Text

DOCUMENT_LANGUAGE = "zh-hans"


def determination(own: PermittedRevenue, *, user: User, at: datetime) -> IssuedDocument:
    """Issue the determination with every figure, its arithmetic, its source and the people who decided."""
    with translation.override(DOCUMENT_LANGUAGE):
        title = _("Determination of the maximum permitted revenue of %(operator)s") % {
            "operator": own.authorisation.operator.name
        }
        return issue(
            issuer=own.regulator,
            kind="permitted_revenue",
            title=title,
            obj=own,
            sections=sections(own),
            user=user,
            at=at,
            is_public=True,
        )


def sections(own: PermittedRevenue) -> list[Any]:
    opinions = own.opinions.select_related("organisation").order_by("at", "id")
    rules = [(str(RULE_WORDS.get(name, name)), str(rule["value"]), rule["source"]) for name, rule in sorted(own.rules.items())]
    return [
        Facts(
            [
                (_("Operation"), operation_name(own.authorisation)),
                (_("Authorising body"), own.authorisation.authorising_body.name),
                (_("Period"), period_text(own.period)),
                (
                    _("Maximum permitted revenue of the period"),
                    _("%(amount)s yuan, net of VAT") % {"amount": yuan(own.amount_minor)},
                ),
                (_("Determined together with"), own.data_bureau.name),
            ]
        ),
        Heading(_("The arithmetic")),
        Table(
            [_("Item"), _("Figure"), _("How it comes about"), _("Where it comes from")],
            [[label(f["code"]), value(f), f["steps"], source(f)] for f in own.figures],
            ["left", "right", "left", "left"],
            [13, 12, 20, 20],
        ),
        Heading(_("Parameters that apply")),
        Table([_("Parameter"), _("Value"), _("Source")], [list(row) for row in rules], ["left", "right", "left"], [20, 13, 30]),
        Heading(_("Opinions and decision")),
        Table(
            [_("Body"), _("Opinion"), _("Text"), _("Day")],
            [[o.organisation.name, str(o.get_stance_display()), o.text, f"{o.at:%Y-%m-%d}"] for o in opinions],
            ["left", "left", "left", "left"],
        ),
        Text(own.reason) if own.reason else Text(_("Revenue above this maximum is deducted when the next one is determined.")),
        Facts(
            [
                (_("Drafted by"), str(own.drafted_by)),
                (_("Agreed for the data bureau by"), str(own.agreed_by)),
                (_("Determined by"), str(own.determined_by)),
            ]
        ),
    ]


def assessment(own: RevenueAssessment, *, user: User, at: datetime) -> IssuedDocument:
    """Issue the assessment of an ended period: revenue, excess, what is carried."""
    maximum = own.permitted_revenue
    with translation.override(DOCUMENT_LANGUAGE):
        months = [[row["month"], yuan(row["net_minor"])] for row in own.facts.get("months", [])]
        rows: list[Any] = [
            Facts(
                [
                    (_("Operation"), operation_name(maximum.authorisation)),
                    (_("Period"), period_text(maximum.period)),
                    (_("Maximum permitted revenue of the period"), yuan(maximum.amount_minor)),
                    (_("Revenue by service date, net of VAT"), yuan(own.revenue_minor)),
                    (_("Above the maximum"), yuan(own.excess_minor)),
                    (_("Interest on over-recovery"), yuan(own.interest_minor)),
                    (_("To deduct in the next period"), yuan(own.carry_minor)),
                ]
            ),
            Heading(_("Revenue by month")),
            Table([_("Month"), _("Yuan, net of VAT")], months, ["left", "right"]),
            Facts([(_("Made by"), str(own.made_by)), (_("Confirmed by"), str(own.confirmed_by))]),
        ]
        title = _("Assessment of the revenue of %(operator)s") % {"operator": maximum.authorisation.operator.name}
        return issue(
            issuer=maximum.regulator,
            kind="revenue_assessment",
            title=title,
            obj=own,
            sections=rows,
            user=user,
            at=at,
            is_public=True,
        )


def period_text(period: Any) -> str:
    """A period by its first and last day."""
    return f"{period.lower:%Y-%m-%d} – {period.upper - timedelta(days=1):%Y-%m-%d}"
