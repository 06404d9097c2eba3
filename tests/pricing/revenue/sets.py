"""A determined permitted revenue, and products of one operation whose caps are tested against it."""

from __future__ import annotations

from datetime import date, timedelta

from django.db.backends.postgresql.psycopg_any import DateRange

from pricing.revenue.models import PermittedRevenue
from tests.pricing.market import make_product

YEAR = (date(2026, 11, 1), date(2027, 11, 1))


def permit(cast, at, authorisation, *, amount_minor=100_000_00, period=YEAR, rules=None):
    """The maximum of a period, in force; who drafted, agreed and determined it is the cast's."""
    return PermittedRevenue.objects.create(
        authorisation=authorisation,
        regulator=cast.regulator.organisation,
        data_bureau=cast.data_bureau.organisation,
        period=DateRange(*period),
        rules=rules or {},
        cost_minor=amount_minor,
        treasury_yield="0.0183",
        treasury_source="虚构",
        profit_rate="0.0783",
        profit_minor=0,
        income_tax_rate="0.25",
        tax_minor=0,
        year_minor=amount_minor,
        prorated_minor=amount_minor,
        amount_minor=amount_minor,
        state="determined",
        drafted_by=cast.regulator.owner,
        drafted_at=at - timedelta(days=20),
        agreed_by=cast.data_bureau.owner,
        agreed_at=at - timedelta(days=11),
        determined_by=cast.regulator.decider,
        determined_at=at - timedelta(days=10),
    )


def make_products(cast, at, *codes, **fields):
    """Products of one authorisation: the first brings it."""
    first = make_product(cast, at, code=codes[0], **fields)
    found = [first]
    for code in codes[1:]:
        product = type(first).objects.get(pk=first.pk)
        product.pk, product.code, product.name = None, code, f"产品 {code}"
        product.save(force_insert=True)
        found.append(product)
    return found


def row(product, cap="", *, expected="10000", basis="calls", **more):
    return {"product": product.code, "purpose_class": "industry", "basis": basis, "expected": expected, "cap": cap} | more


def volume(expected, basis="calls", **more):
    return {"basis": basis, "expected": expected} | more
