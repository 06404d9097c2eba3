"""A set of caps out of a determined permitted revenue, through all its steps, as the authorising body's people would take them."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import date, datetime, timedelta

from market.consoles.authority.services import publish_basket
from market.demo.founding import Cast
from pricing.revenue.basket_rows import BasketRow
from pricing.revenue.basket_sources import starting_rows
from pricing.revenue.baskets import basket_approve, basket_draft, basket_file, basket_report
from pricing.revenue.models import CapBasket, PermittedRevenue
from products.record.clock import business_date

ELASTICITY = {"model": "0.6", "verification": "1.2", "index": "1.8", "report": "1.5"}  # made up
LITTLE = "200"  # what is expected where there are no figures
# (product, purpose class, basis, flat period): volume of 2025 on the operator's own books, and the cap chosen; made up
FIGURES = {
    ("sme-loan-score", "industry", "calls", ""): ("4700000", "0.30"),
    ("sme-loan-score", "industry", "periods", "year"): ("3", "12000.00"),
    ("enterprise-check", "industry", "calls", ""): ("1500000", "0.26"),
    ("employment-index", "industry", "calls", ""): ("9000", "1.80"),
    ("employment-index", "industry", "periods", "month"): ("12", "540.00"),
    ("employment-index", "sector", "calls", ""): ("16000", "1.80"),
    ("employment-index", "sector", "periods", "month"): ("24", "540.00"),
}


def draft_set(told: Cast, *, permitted: PermittedRevenue, method: str, from_date: date, at: datetime) -> CapBasket:
    """A draft by ``own`` figures or a computed way; volumes are those of the year before, which use has outgrown since."""
    rows = starting_rows(permitted=permitted, on=business_date(at), volumes={})
    types = dict(permitted.authorisation.products.values_list("code", "type"))
    return basket_draft(
        permitted_revenue=permitted,
        method=method,
        from_date=from_date,
        rows=[asdict(_figure(row, types[row.product])) for row in rows],
        user=told.people["authority"],
        at=at,
        note="用量按 2025 年实际值，上限按核定成本与分档价格综合确定（演示）",
    )


def _figure(row: BasketRow, kind: str) -> BasketRow:
    expected, cap = FIGURES.get((row.product, row.purpose_class, row.basis, row.flat_period), (LITTLE, row.cap))
    return replace(row, expected=expected, cap=cap, elasticity=ELASTICITY.get(kind, "1"))


def publish_set(
    told: Cast, *, permitted: PermittedRevenue, method: str, from_date: date, document_no: str, at: datetime
) -> CapBasket:
    """From draft to publication in a week: filed, approved by another person, reported with a numbered PDF, published."""
    maker, checker = told.people["authority"], told.people["authority_checker"]
    basket = draft_set(told, permitted=permitted, method=method, from_date=from_date, at=at)
    basket_file(basket=basket, document_no=document_no, user=maker, at=at + timedelta(hours=2))
    basket_approve(basket=basket, user=checker, at=at + timedelta(days=2))
    basket_report(basket=basket, user=maker, at=at + timedelta(days=4))
    publish_basket(basket=basket, user=maker, at=at + timedelta(days=7))
    return basket
