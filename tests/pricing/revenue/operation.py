"""An operation with audited costs, and the way of its permitted revenue from draft to determination; for tests of every floor."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from pricing.costs.models import CostFiling, CostItem
from pricing.revenue.models import PermittedRevenue
from pricing.revenue.permitted import (
    opinion_add,
    permitted_revenue_agree,
    permitted_revenue_determine,
    permitted_revenue_draft,
    permitted_revenue_open,
)
from pricing.revenue.permitted_work import Inputs
from products.record import evidence
from products.registry.models import Authorisation
from tests.factories.cast import Cast

YIELD, SOURCE = Decimal("0.0183"), "财政部中国国债收益率，2025年十年期平均值"
MILLION = 100 * 10**6  # fen


def make_operation(
    cast: Cast, at: datetime, *, number: str = "江数授〔2024〕001号", since: date | None = date(2024, 11, 1), **changes: Any
):
    fields: dict[str, Any] = {
        "number": number,
        "title": "公共数据授权运营协议",
        "authorising_body": cast.authority.organisation,
        "operator": cast.operator.organisation,
        "mode": "field",
        "region": "330200",
        "from_date": date(2024, 11, 1),
        "to_date": date(2029, 10, 31),
        "operating_since": since,
        "state": "active",
        "created_at": at,
        "activated_at": at,
    }
    return Authorisation.objects.create(**fields | changes)


def make_filing(
    cast: Cast, operation: Authorisation, at: datetime, *, year: int = 2025, admitted: int = 8 * MILLION, state: str = "audited"
) -> CostFiling:
    """A cost filing with two admitted rows that add up to ``admitted`` fen, and a fine that does not count."""
    version = CostFiling.objects.filter(authorisation=operation, year=year).count() + 1
    operator = operation.operator
    file = evidence.keep(
        organisation=operator,
        user=cast.operator.owner,
        file_name="costs.csv",
        content=b"item,amount\n",
        purpose="cost_filing",
        at=at,
    )
    filing = CostFiling.objects.create(
        authorisation=operation,
        year=year,
        version=version,
        file=file,
        state=state,
        filed_by=cast.operator.owner,
        filed_at=at,
        decided_by=cast.regulator.owner if state == "audited" else None,
        decided_at=at if state == "audited" else None,
        decision_reason="按规则审核" if state == "audited" else "",
    )
    parts = (("platform", admitted - admitted // 4, True), ("staff", admitted // 4, True), ("fine", 50_000_00, False))
    CostItem.objects.bulk_create(
        CostItem(
            filing=filing,
            row=row,
            item=nature,
            nature=nature,
            business_line="public_data",
            funding="own",
            amount_minor=amount,
            is_admitted=counts,
            rule="admitted" if counts else "fine",
            admitted_minor=amount if counts else 0,
        )
        for row, (nature, amount, counts) in enumerate(parts, start=2)
        if amount > 0
    )
    return filing


def inputs(*filings: CostFiling, **changes: Any) -> Inputs:
    fields: dict[str, Any] = {
        "from_date": date(2026, 1, 1),
        "last_date": date(2026, 12, 31),
        "filings": list(filings),
        "treasury_yield": YIELD,
        "treasury_source": SOURCE,
        "profit_rate": Decimal("0.0783"),
    }
    return Inputs(**fields | changes)


def drafted(cast: Cast, operation: Authorisation, at: datetime, *filings: CostFiling, **changes: Any) -> PermittedRevenue:
    found = filings or (make_filing(cast, operation, at),)
    return permitted_revenue_draft(
        authorisation=operation,
        regulator=cast.regulator.organisation,
        inputs=inputs(*found, **changes),
        user=cast.regulator.owner,
        at=at,
    )


def opened(cast: Cast, operation: Authorisation, at: datetime, *filings: CostFiling, **changes: Any) -> PermittedRevenue:
    own = drafted(cast, operation, at, *filings, **changes)
    return permitted_revenue_open(permitted_revenue=own, user=cast.regulator.owner, at=at)


def spoken(cast: Cast, own: PermittedRevenue, at: datetime) -> PermittedRevenue:
    """Everybody has spoken: the operator remarks, the authorising body agrees, the data bureau agrees by name."""
    said = {"permitted_revenue": own, "at": at}
    opinion_add(organisation=cast.operator.organisation, stance="remark", text="成本逐年上升。", user=cast.operator.owner, **said)
    opinion_add(organisation=cast.authority.organisation, stance="agree", text="", user=cast.authority.owner, **said)
    return permitted_revenue_agree(user=cast.data_bureau.reviewer, **said)


def determined(cast: Cast, operation: Authorisation, at: datetime, *filings: CostFiling, **changes: Any) -> PermittedRevenue:
    own = spoken(cast, opened(cast, operation, at, *filings, **changes), at + timedelta(days=1))
    return permitted_revenue_determine(permitted_revenue=own, user=cast.regulator.decider, at=at + timedelta(days=2))
