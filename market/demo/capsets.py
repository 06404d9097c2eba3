"""A set of caps out of a determined permitted revenue, through all its steps, as the authorising body's people would take them."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import date, datetime, timedelta

from market.consoles.authority.services import publish_basket
from market.consoles.baskets.volumes import expected_volumes
from market.demo.founding import Cast
from pricing.revenue.basket_sources import starting_rows
from pricing.revenue.baskets import basket_approve, basket_draft, basket_file, basket_report
from pricing.revenue.models import CapBasket, PermittedRevenue
from products.record.clock import business_date

ELASTICITY = {"model": "0.6", "verification": "1.2", "index": "1.8", "report": "1.5"}  # made up
LITTLE = "200"  # what is expected of a purpose class that nobody has used yet


def draft_set(told: Cast, *, permitted: PermittedRevenue, method: str, from_date: date, at: datetime) -> CapBasket:
    """A draft by ``cost``, ``usage`` or ``welfare``, with volumes from forecasts and metering."""
    on = business_date(at)
    volumes = expected_volumes(authorisation=permitted.authorisation, on=on)
    rows = starting_rows(permitted=permitted, on=on, volumes=volumes)
    types = dict(permitted.authorisation.products.values_list("code", "type"))
    filled = [
        replace(row, expected=row.expected if row.expected != "0" else LITTLE, elasticity=ELASTICITY.get(types[row.product], "1"))
        for row in rows
    ]
    return basket_draft(
        permitted_revenue=permitted,
        method=method,
        from_date=from_date,
        rows=[asdict(row) for row in filled],
        user=told.people["authority"],
        at=at,
        note="按核定成本与预计用量测算（演示）",
    )


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
