"""Two closed months with everything a bill can hold: tiers, packages, flat years, minima, discounts, late use, a tariff that
changes in the middle of a month, counters over a year, free use."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from django.db.backends.postgresql.psycopg_any import DateRange

from pricing.revenue.models import Cap, CapFiling
from products.models import Organisation
from settlement.whatif.scope import Scope
from tests.settlement.books import NOVEMBER, OCTOBER, START, TIERS, Books, component, document, moment
from tests.settlement.stall import organisation

DECEMBER = date(2026, 12, 1)
AT: datetime = moment("2026-12-10 10:00")
FLAT = {"code": "base", "label": "基础费", "basis": "periods", "model": "flat", "period": "year", "price": "12000.00"}
PACK = {"code": "rows", "basis": "records", "model": "package", "package_size": "100", "package_price": "20.00"}
OFF = [{"reason": "key_scenario", "percent": "33.3333", "components": ["calls"]}]


def scope(books: Books, **changes: object) -> Scope:
    facts = {"operator_id": books.stall.operator.pk, "sector": "", "from_month": OCTOBER, "to_month": DECEMBER}
    return Scope(**facts | changes)  # type: ignore[arg-type]


def buyer(books: Books, serial: int, size: str) -> Organisation:
    found = organisation(900 + serial, "enterprise", f"firm-{serial}", user=books.stall.user)
    Organisation.objects.filter(pk=found.pk).update(size=size)
    found.refresh_from_db()
    return found


def live_through(books: Books) -> dict[str, Organisation]:
    """October and November, used and closed; the buyers by name."""
    small, large = buyer(books, 1, "small"), buyer(books, 2, "large")
    books.price(document(component(model="graduated", tiers=TIERS), discounts=OFF))
    mixed = books.plan("mixed", document(component(), FLAT, PACK, minimum="80.00", maximum="1500.00"))
    yearly = books.plan("yearly", document(component(model="graduated", tiers=TIERS, counts_over="year", included="10")))
    one = books.sell(small, discounts=["key_scenario"])
    two = books.sell(large, mixed)
    idle = books.sell(small, mixed)
    three = books.sell(large, yearly, anchor_date=date(2025, 10, 20))
    grant = books.grant()
    books.use("10001", "2026-10-02 09:00")
    books.use("7.5", "2026-10-02 09:00", one)
    books.use({"calls": "120", "rows": "101"}, "2026-10-03 09:00", two)
    books.use("9000", "2026-10-05 09:00", three)
    books.use("2000", "2026-10-25 09:00", three)
    books.use("300", "2026-10-05 09:00", grant)
    books.close(OCTOBER, "2026-11-04 09:00")
    books.price(document(component(unit_price="0.40"), discounts=OFF), from_date=date(2026, 11, 15))
    books.use("400", "2026-10-30 09:00", one, received="2026-11-05 09:00")
    books.use("12000", "2026-11-03 09:00")
    books.use("12001", "2026-11-20 09:00")
    books.use({"calls": "9000", "rows": "1"}, "2026-11-20 09:00", two)
    books.use("20000", "2026-11-25 09:00", three)
    books.use("50", "2026-11-25 09:00", grant)
    books.close(NOVEMBER, "2026-12-04 09:00")
    return {"small": small, "large": large, "idle": idle.organisation}


def publish_cap(books: Books, amount: str, basis: str = "calls", period: str = "") -> Cap:
    """A published cap of the stall's product for industry, in force since late October."""
    filing = CapFiling.objects.create(
        product=books.stall.product,
        authorising_body=books.stall.authority,
        document={"caps": []},
        document_no="示例价〔2026〕1号",
        state="published",
        drafted_by=books.stall.user,
        drafted_at=START,
        approved_by=books.checker,
        approved_at=START,
        reported_by=books.stall.user,
        reported_at=START,
        published_at=START,
    )
    return Cap.objects.create(
        filing=filing,
        product=books.stall.product,
        purpose_class="industry",
        basis=basis,
        flat_period=period,
        amount=Decimal(amount),
        period=DateRange(date(2026, 10, 21), None),
    )
