"""Revenue of operations against their maximum, live (F4): closed charges, and the running months as the close rates them.

Net of VAT, by service date, guided prices only: what is market-priced or free is outside (scenario 46). The months that are not
closed yet are gathered and rated by the close's own code without writing anything; fixed fees of the running month count for the
days that have passed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Max, Min, Sum

from pricing.estimation.crossing import Crossing, crossing_day
from pricing.revenue.models import PermittedRevenue
from pricing.revenue.permitted_rules import months_of
from pricing.revenue.standing import GUIDED
from products.catalogue.models import DataProduct
from products.record.clock import day_start
from products.record.refusals import Refused
from products.registry.models import Authorisation
from settlement.billing.models import BillingMonth, Charge
from settlement.billing.rating import drafts
from settlement.billing.rules import next_month
from settlement.billing.usage import gather, segments_of

ONE_DAY = timedelta(days=1)
Cells = dict[tuple[int, date], int]  # fen net of VAT by product and service month


@dataclass(frozen=True)
class MonthRow:
    """A month of the period: ``state`` is closed, running (rated so far) or ahead; ``so_far_minor`` adds up."""

    month: date
    state: str
    net_minor: int
    so_far_minor: int


@dataclass(frozen=True)
class ProductRow:
    product: DataProduct
    net_minor: int
    by_month: dict[date, int]


@dataclass(frozen=True)
class Account:
    """The permitted-revenue account on a day. Fen, net of VAT; ``percent`` is of the maximum, one decimal."""

    permitted_revenue: PermittedRevenue
    today: date
    months: tuple[MonthRow, ...]
    products: tuple[ProductRow, ...]
    closed_minor: int
    running_minor: int
    crossing: Crossing | None
    problem: str = ""  # why the running months could not be rated

    @property
    def revenue_minor(self) -> int:
        return self.closed_minor + self.running_minor

    @property
    def left_minor(self) -> int:
        return self.permitted_revenue.amount_minor - self.revenue_minor

    @property
    def over_minor(self) -> int:
        return max(0, -self.left_minor)

    @property
    def percent(self) -> Decimal:
        amount = self.permitted_revenue.amount_minor
        if not amount:
            return Decimal(100 if self.revenue_minor else 0)
        return (Decimal(self.revenue_minor) * 100 / Decimal(amount)).quantize(Decimal("0.1"))

    @property
    def reached(self) -> list[int]:
        """The warning marks of the rule set that revenue has reached, the highest first."""
        marks = self.permitted_revenue.rules.get("revenue_warning_percents", {}).get("value", [90, 100])
        amount = self.permitted_revenue.amount_minor
        return sorted((int(m) for m in marks if self.revenue_minor * 100 >= int(m) * amount), reverse=True)

    @property
    def suggested_cut(self) -> Decimal | None:
        """By how many per cent prices would have to fall from now on for revenue to end at the maximum; None: no cut is needed.

        Of the middle forecast: what is still permitted ÷ what is still expected at today's prices (use unchanged).
        """
        if self.crossing is None or self.crossing.share_middle <= 1:
            return None
        if self.left_minor <= 0:
            return Decimal(100)
        amount = Decimal(self.permitted_revenue.amount_minor)
        expected = Decimal(str(self.crossing.share_middle)) * amount - self.revenue_minor
        if expected <= self.left_minor:
            return None
        return (100 - Decimal(self.left_minor) * 100 / expected).quantize(Decimal("0.1"))


@dataclass
class Earned:
    """What products earned: closed and still open, by product and service month."""

    closed: Cells = field(default_factory=lambda: defaultdict(int))
    running: Cells = field(default_factory=lambda: defaultdict(int))
    closed_until: date | None = None  # first month that is not closed
    problem: str = ""


def account(*, permitted_revenue: PermittedRevenue, today: date) -> Account:
    """The live account of one determined permitted revenue."""
    return accounts(permitted_revenues=[permitted_revenue], today=today)[0]


def accounts(*, permitted_revenues: Sequence[PermittedRevenue], today: date) -> list[Account]:
    """The accounts of several operations in a fixed number of queries, in the order given."""
    own = {each.authorisation_id for each in permitted_revenues}
    by_authorisation: dict[int, list[DataProduct]] = defaultdict(list)
    for product in DataProduct.objects.filter(authorisation__in=own, regime__in=GUIDED).order_by("name_key", "id"):
        by_authorisation[product.authorisation_id or 0].append(product)
    products = [product.pk for group in by_authorisation.values() for product in group]
    begins = min((each.period.lower for each in permitted_revenues), default=today)
    ends = max((each.period.upper for each in permitted_revenues), default=today)
    earned = earnings(products=products, from_date=begins, to_date=ends, today=today)
    return [_account(each, by_authorisation[each.authorisation_id], earned, today) for each in permitted_revenues]


def revenue_by_month(
    *, authorisation: Authorisation, from_date: date, to_date: date, today: date | None = None
) -> dict[date, int]:
    """Fen net of VAT by service month in [from_date, to_date): closed charges, and with ``today`` the running months too."""
    products = DataProduct.objects.filter(authorisation=authorisation, regime__in=GUIDED).values_list("id", flat=True)
    earned = earnings(products=list(products), from_date=from_date, to_date=to_date, today=today)
    found: dict[date, int] = defaultdict(int)
    for cells in (earned.closed, earned.running):
        for (_product, month), minor in cells.items():
            found[month] += minor
    return dict(sorted(found.items()))


def earnings(*, products: Sequence[int], from_date: date, to_date: date, today: date | None) -> Earned:
    """What products earned in the service months of [from_date, to_date)."""
    earned = Earned()
    charges = Charge.objects.filter(
        entitlement__product__in=products, service_month__gte=from_date, service_month__lt=to_date, month__state="closed"
    )
    rows = charges.values_list("entitlement__product_id", "service_month").annotate(net=Sum("net"))
    for product, month, net in rows.order_by("entitlement__product_id", "service_month"):
        earned.closed[product, month] += int(net.scaleb(2))
    bounds = BillingMonth.objects.values_list("state").annotate(first=Min("month"), last=Max("month"))
    found = {state: (first, last) for state, first, last in bounds}
    if "closed" in found:
        earned.closed_until = next_month(found["closed"][1])
    if today is None:
        return earned
    this_month = today.replace(day=1)
    start = earned.closed_until or min(found.get("open", (this_month, this_month))[0], this_month)
    try:
        for month in months_of(start, next_month(this_month)) if start <= this_month else []:
            _add_running(earned.running, products, month, from_date, to_date, today)
    except Refused as refused:
        earned.running.clear()
        earned.problem = str(refused)
    return earned


def _add_running(cells: Cells, products: Sequence[int], month: date, from_date: date, to_date: date, today: date) -> None:
    """Rate a month that is not closed, as the close would; the running month's fixed fees up to the end of today."""
    works, book = gather(month, products)
    works = [work for work in works if work.holder.plan_id is not None and from_date <= work.service_month < to_date]
    until = day_start(today + ONE_DAY)
    for work in works:
        if work.service_month == today.replace(day=1):
            work.holder = replace(work.holder, valid_to=min(work.holder.valid_to, until))
            work.segments = segments_of(work, book)
    for draft in drafts([work for work in works if work.segments], book, month):
        cells[draft.holder.product_id, draft.service_month] += draft.rating.rated.net_minor


def _account(own: PermittedRevenue, products: Iterable[DataProduct], earned: Earned, today: date) -> Account:
    months = months_of(own.period.lower, own.period.upper)
    rows = tuple(_product_row(product, months, earned) for product in products)
    closed = sum(earned.closed.get((row.product.pk, month), 0) for row in rows for month in months)
    by_month = {month: sum(row.by_month.get(month, 0) for row in rows) for month in months}
    return Account(
        permitted_revenue=own,
        today=today,
        months=tuple(_month_rows(by_month, earned.closed_until, today)),
        products=tuple(sorted(rows, key=lambda row: (-row.net_minor, row.product.code))),
        closed_minor=closed,
        running_minor=sum(by_month.values()) - closed,
        crossing=_crossing(own, by_month, today) if not earned.problem else None,
        problem=earned.problem,
    )


def _product_row(product: DataProduct, months: Sequence[date], earned: Earned) -> ProductRow:
    both = ((month, earned.closed.get((product.pk, month), 0) + earned.running.get((product.pk, month), 0)) for month in months)
    by_month = {month: minor for month, minor in both if minor}
    return ProductRow(product, sum(by_month.values()), by_month)


def _month_rows(by_month: dict[date, int], closed_until: date | None, today: date) -> Iterable[MonthRow]:
    so_far = 0
    for month, minor in by_month.items():
        so_far += minor
        state = "closed" if closed_until and month < closed_until else "running" if month <= today else "ahead"
        yield MonthRow(month, state, minor, so_far)


def _crossing(own: PermittedRevenue, by_month: dict[date, int], today: date) -> Crossing | None:
    """The crossing day by the months since the first revenue; the estimate takes whole days, so it begins tomorrow."""
    tomorrow = today + ONE_DAY
    first = next((month for month, minor in by_month.items() if minor), None)
    known = {month: minor for month, minor in by_month.items() if first and first <= month < tomorrow}
    return crossing_day(
        by_month=known,
        permitted_minor=own.amount_minor,
        from_date=own.period.lower,
        to_date=own.period.upper - ONE_DAY,
        today=tomorrow,
    )
