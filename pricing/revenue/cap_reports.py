"""The written report to the price regulator and the data bureau: every cap with its arithmetic, numbered and kept as PDF."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from pricing import parameters
from pricing.revenue.models import CapBasket, CapFiling
from pricing.tariffs.price_list import BASIS_WORDS, UNIT_WORDS
from products.catalogue.models import DataProduct
from products.organisations.models import Organisation, User
from products.record.calendar import Calendar, YearNotLoaded, add_working_days, load, working_days_between
from products.record.cases import DaysLeft
from products.record.clock import business_date
from products.record.documents import issue
from products.record.models import IssuedDocument
from products.record.pdf import Facts, Heading, Table, Text
from products.registry.models import PurposeClass

KIND = "cap_report"
TITLE = gettext_lazy("Report on the caps of public data products")
RIGHT = "right"


def issue_report(
    *,
    about: CapFiling | CapBasket,
    body: Organisation,
    facts: Mapping[str, Any],
    user: User,
    at: datetime,
    readers: Sequence[Organisation],
) -> IssuedDocument:
    """Number, print and keep the report on a filing or a set. ``facts``: ``filing_facts`` or ``basket_facts``."""
    with override("zh-hans"):
        sections = sections_of(facts)
    return issue(issuer=body, kind=KIND, title=str(TITLE), obj=about, sections=sections, user=user, at=at, readers=readers)


def sections_of(facts: Mapping[str, Any]) -> list[Any]:
    """What the report says, in the active language."""
    head = [
        (_("Document"), facts["document"]),
        (_("In force from"), facts["from"]),
        (_("Drafted by"), facts["drafted_by"]),
        (_("Approved by"), facts["approved_by"]),
    ]
    found: list[Any] = [
        Text(_("Under the rules on guided prices of public data we report these caps in writing before they are published.")),
        Facts(head),
        Heading(_("Caps")),
        _cap_table(facts["caps"]),
    ]
    test = facts.get("test")
    if not test:
        return [
            *found,
            Text(_("No full operating year is complete and no permitted revenue is determined: these caps are on trial.")),
        ]
    return [*found, Heading(_("Reasonableness test")), *_test_sections(test)]


def _cap_table(rows: Sequence[Mapping[str, str]]) -> Table:
    header = (_("Product"), _("Purpose class"), _("Charged by"), _("Cap, yuan per unit"))
    cells = [(row["name"], row["class"], basis_text(row["basis"], row.get("period", "")), row["cap"]) for row in rows]
    return Table(header, cells, alignments=("left", "left", "left", RIGHT), widths=(4, 2, 2, 2))


def _test_sections(test: Mapping[str, Any]) -> list[Any]:
    start, end = test["period"]
    head = [
        (_("Permitted revenue of the period, net of VAT, yuan"), test["permitted"]),
        (_("Period"), _("from %(from)s to before %(to)s") % {"from": start, "to": end}),
        (_("Years in the period"), test["share_of_year"]),
        (_("Capacity floor"), test["capacity_floor"]),
        (_("VAT rate"), test["vat_rate"]),
        (_("Σ cap × volume of a year, VAT included, yuan"), test["gross"]),
        (_("For the period, net of VAT, yuan"), test["net"]),
        (_("Above the permitted revenue by, yuan"), test["gap"]),
    ]
    header = (_("Product"), _("Charged by"), _("Cap"), _("Expected"), _("Capacity"), _("Counted"), _("Net, yuan"))
    names = test.get("names", {})
    rows = [
        (
            names.get(row["product"], row["product"]),
            basis_text(row["basis"], row["period"]),
            row["cap"],
            row["expected"],
            row["capacity"] or "–",
            row["used"] + ("*" if row["floor"] else ""),
            row["net"],
        )
        for row in test["rows"]
    ]
    table = Table(header, rows, alignments=("left", "left", RIGHT, RIGHT, RIGHT, RIGHT, RIGHT), widths=(3, 2, 2, 2, 2, 2, 2))
    found: list[Any] = [
        Facts(head),
        table,
        Text(_("* The floor of the capacity counts, because the expected volume is below it.")),
    ]
    if test.get("uncounted"):
        names = _(", ").join(test["uncounted"])
        found.append(Text(_("Not counted, because their caps are still on trial: %(names)s.") % {"names": names}))
    return found


def basis_text(basis: str, period: str) -> str:
    """What a cap is charged by, in the active language: a basis, or service time by its period."""
    if basis != "periods":
        return str(BASIS_WORDS[basis])
    return _("Service time, by the %(period)s") % {"period": UNIT_WORDS[period]}


def filing_facts(filing: CapFiling, test: Mapping[str, Any]) -> dict[str, Any]:
    """What the report on a single filing says."""
    classes = _(", ").join(str(PurposeClass(name).label) for name in filing.document["purposes"] or ["industry", "sector"])
    caps = [
        {"name": filing.product.name, "class": classes, "basis": cap["basis"], "period": cap.get("period", ""), "cap": cap["cap"]}
        for cap in filing.document["caps"]
    ]
    return _facts(filing.document_no, filing.document["from"], filing.drafted_by, filing.approved_by, caps, test)


def basket_facts(basket: CapBasket) -> dict[str, Any]:
    """What the report on a set says."""
    codes = {row["product"] for row in basket.rows} | {row["product"] for row in basket.test["rows"]}
    names = dict(DataProduct.objects.filter(code__in=codes).values_list("code", "name"))
    caps = [
        {
            "name": names[row["product"]],
            "class": str(PurposeClass(row["purpose_class"]).label),
            "basis": row["basis"],
            "period": row["flat_period"],
            "cap": row["cap"],
        }
        for row in basket.rows
    ]
    start = basket.from_date.isoformat()
    return _facts(basket.document_no, start, basket.filed_by, basket.approved_by, caps, {**basket.test, "names": names})


def _facts(
    document: str,
    start: str,
    drafter: User | None,
    approver: User | None,
    caps: Sequence[Mapping[str, str]],
    test: Mapping[str, Any],
) -> dict[str, Any]:
    people = {"drafted_by": str(drafter or "–"), "approved_by": str(approver or "–")}
    return {"document": document, "from": start, **people, "caps": caps, "test": test}


def report_due(
    *, approved_at: datetime, region: str, reported_at: datetime | None, today: date, calendar: Calendar | None = None
) -> DaysLeft:
    """The working days that are left for the written report, counted from the approval (``cap_report_working_days``)."""
    calendar = calendar or load()
    approved = business_date(approved_at)
    limit = parameters.days(name="cap_report_working_days", on=approved, region=region)
    until = business_date(reported_at) if reported_at else today
    try:
        used = working_days_between(approved, until, calendar=calendar)
        due = add_working_days(approved, limit, calendar=calendar)
    except YearNotLoaded as missing:
        return DaysLeft("open", missing_year=missing.year)
    return DaysLeft("closed" if reported_at else "open", days=limit - used, used=used, due=due)
