"""What the pages show of a permitted revenue: figures that open, steps, history, the account with its chart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from market.storefront.charts import Band, Chart, Limit, Line, Mark, line_chart
from pricing.costs.models import CostFiling, CostNature
from pricing.models import PermittedRevenue, RevenueAssessment
from pricing.revenue import figure_words
from pricing.revenue.permitted_rules import months_of
from products.record.models import AuditEntry
from settlement.oversight.revenue import Account


@dataclass(frozen=True)
class FigureRow:
    """A figure with its words; ``filings`` and ``rule`` are what it opens to."""

    code: str
    label: str
    value: str
    steps: str
    source: str
    filings: Sequence[dict[str, Any]]
    rule: dict[str, Any] | None
    assessment: int | None

    @property
    def is_total(self) -> bool:
        return self.code in ("year", "amount")


def figure_rows(figures: Sequence[dict[str, Any]]) -> list[FigureRow]:
    return [_row(figure) for figure in figures]


def _row(figure: dict[str, Any]) -> FigureRow:
    source = figure["source"]
    filings = [
        each | {"by_nature": [row | {"label": nature_label(row["nature"])} for row in each["by_nature"]]}
        for each in source.get("filings", [])
    ]
    return FigureRow(
        code=figure["code"],
        label=figure_words.label(figure["code"]),
        value=figure_words.value(figure),
        steps=figure["steps"],
        source=figure_words.source(figure),
        filings=filings,
        rule=source if source["kind"] == "rule" else None,
        assessment=source.get("assessment"),
    )


def nature_label(nature: str) -> str:
    return str(dict(CostNature.choices).get(nature, nature))


def act_label(action: str) -> str:
    words = {
        "permitted_revenue.drafted": _("Drafted"),
        "permitted_revenue.revised": _("Worked out anew"),
        "permitted_revenue.opened": _("Opened for opinions"),
        "permitted_revenue.opinion": _("Opinion given"),
        "permitted_revenue.sent_back": _("Sent back"),
        "permitted_revenue.agreed": _("Agreed by the data bureau"),
        "permitted_revenue.determined": _("Determined"),
        "permitted_revenue.withdrawn": _("Withdrawn"),
    }
    return words.get(action, action)


def history(own: PermittedRevenue) -> list[tuple[AuditEntry, str]]:
    """Every step with its person, from the audit trail."""
    found = AuditEntry.objects.filter(object_type="pricing.permittedrevenue", object_id=str(own.pk))
    return [(entry, act_label(entry.action)) for entry in found.select_related("actor", "organisation").order_by("id")]


def step_of(own: PermittedRevenue) -> int:
    """Where the determination stands, 1 to 4; 5 once it is done."""
    if own.state == "draft":
        return 1
    if own.state == "opinions":
        return 4 if own.agreed_by_id else 2
    return 5


def step_words() -> list[str]:
    return [_("Draft"), _("Opinions"), _("Agreed by the data bureau"), _("Determined")]


def rows_of_filings(own: PermittedRevenue, limit: int = 200) -> list[tuple[CostFiling, list[Any]]]:
    """The rows of the filings behind the cost, the first ones of each."""
    filings = own.filings.order_by("year", "id")
    return [(filing, list(filing.items.order_by("row")[:limit])) for filing in filings]


def account_chart(account: Account) -> Chart:
    """Revenue added up month by month, the expected rest with its range, the maximum as a line; yuan."""
    own, today = account.permitted_revenue, account.today
    begin, end = own.period.lower, own.period.upper
    last = min(today, end - timedelta(days=1))
    ends = [last_day(month) for month in months_of(begin, end)]
    past = [min(day, last) for row, day in zip(account.months, ends, strict=True) if row.month <= last]
    values: list[Decimal | None] = [yuan(row.so_far_minor) for row in account.months if row.month <= last]
    days: list[date] = [begin, *past]
    values = [Decimal(0), *values]
    if days[-1] == begin:
        days, values = days[:-1], values[:-1]
    lines, band = [Line(_("Earned"), values)], None
    crossing = account.crossing
    if crossing is not None and not crossing.reason and last < ends[-1]:
        amount = Decimal(own.amount_minor)
        low, middle, high = (
            yuan(int(Decimal(str(share)) * amount)) for share in (crossing.share_low, crossing.share_middle, crossing.share_high)
        )
        gap: list[Decimal | None] = [None] * (len(days) - 1)
        now = values[-1]
        days = [*days, ends[-1]]
        lines = [Line(_("Earned"), [*values, None]), Line(_("Expected"), [*gap, now, middle], is_dashed=True)]
        band = Band(_("80 % range"), [*gap, now, low], [*gap, now, high])
    marks = [Mark(_("Expected crossing"), crossing.middle)] if crossing and crossing.middle and not crossing.reason else []
    if crossing and crossing.reason == "passed" and crossing.middle:
        marks = [Mark(_("Maximum passed"), crossing.middle)]
    return line_chart(
        title=_("Revenue of the period against the maximum"),
        days=days,
        lines=lines,
        band=band,
        limit=Limit(_("Maximum permitted revenue"), yuan(own.amount_minor)),
        marks=marks,
        unit=_("yuan"),
        note=_("Net of VAT, by service date. The last stretch is a forecast, not a fact."),
    )


def last_day(month: date) -> date:
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def yuan(minor: int) -> Decimal:
    return Decimal(minor).scaleb(-2)


def assessments_of(own: PermittedRevenue) -> list[RevenueAssessment]:
    found = own.assessments.select_related("made_by", "confirmed_by", "document", "restates").defer("document__pdf")
    return list(found.order_by("-made_at", "-id"))
