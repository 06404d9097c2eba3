"""Concentration: known values, properties, what is kept from public pages, and exclusivity of resources."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from products.models import Authorisation, DataResource, Purpose, Scenario, ScopeItem
from settlement.oversight.concentration import by_operator, exclusive_resources, months_known, public
from settlement.oversight.concentration_rules import Paid, concentration, hhi, is_public
from tests.settlement.books import OCTOBER, component, document

amounts = st.lists(st.integers(1, 10**12), min_size=1, max_size=30)


def test_known_values():
    assert hhi([100]) == Decimal(10_000)
    assert hhi([50, 50]) == Decimal(5_000)
    assert hhi([40, 30, 20, 10]) == Decimal(3_000)
    assert hhi([]) is None


@given(amounts)
def test_the_index_lies_between_equal_shares_and_one_buyer_and_does_not_see_the_unit(paid):
    index = hhi(paid)
    assert Decimal(10_000) / len(paid) - Decimal("0.1") <= index <= 10_000
    assert hhi([amount * 100 for amount in paid]) == index


@given(amounts)
def test_a_merger_of_two_buyers_never_lowers_the_index(paid):
    assert hhi([sum(paid[:2]), *paid[2:]]) >= hhi(paid)


def test_small_and_micro_enterprises_in_buyers_and_revenue_of_those_that_stated_a_size():
    rows = [Paid(1, "large", 600), Paid(2, "small", 200), Paid(3, "micro", 200), Paid(4, "", 1000), Paid(5, "medium", 0)]
    found = concentration(rows)
    assert (found.buyers, found.small_buyers, found.small_revenue, found.without_size) == (
        *(4, Decimal("0.6667"), Decimal("0.4000")),
        1,
    )
    assert (found.top_three, found.level) == (Decimal("0.9000"), "high")


def test_nothing_paid_is_no_figure():
    found = concentration([Paid(1, "small", 0)])
    assert (found.buyers, found.hhi, found.top_three, found.small_buyers, found.level) == (0, None, None, None, None)


def test_figures_that_would_tell_what_a_buyer_buys_are_kept_back():
    assert not is_public([25, 25, 25, 25])  # too few
    assert is_public([20] * 5)
    assert not is_public([900, 50, 20, 20, 10])  # two of them nearly alone


def test_where_one_sector_is_kept_back_so_is_the_next_smallest(market, django_assert_num_queries):
    market.books.price(document(component()))
    sizes = ["large", "micro", "small", "medium", "", "small"]
    for number, size in enumerate(sizes):
        market.sell(f"bank-{number}", calls=str(1000 + number), size=size)
    for number in range(2):
        market.sell(f"insurer-{number}", calls="700", purposes=["industry.insurance.claims"])
    market.books.close()
    with django_assert_num_queries(2):
        rows = by_operator(from_month=OCTOBER, to_month=OCTOBER)
    assert [(row.sector, row.figures.buyers) for row in rows] == [("", 8), ("industry.finance", 6), ("industry.insurance", 2)]
    assert [is_shown for _row, is_shown in public(rows)] == [True, False, False]
    assert months_known() == (OCTOBER, OCTOBER)
    whole = rows[0].figures
    assert (whole.without_size, whole.small_buyers) == (1, Decimal("0.4286"))  # three of the seven that stated a size


def test_free_use_counts_in_the_free_share_and_never_in_revenue(market):
    market.sell("bank", calls="300")
    free = market.books.grant()
    market.books.use("100", entitlement=free)
    market.books.close()
    (row,) = [row for row in by_operator(from_month=OCTOBER, to_month=OCTOBER) if row.sector == ""]
    assert (row.free_share, row.figures.buyers) == (Decimal("0.2500"), 1)


def test_a_resource_of_one_operator_alone_is_named_until_a_second_one_may_use_it(cast, clock):
    resource = DataResource.objects.create(
        code="R-1",
        name="社保参保信息",
        provider=cast.provider.organisation,
        data_class="社会保障",
        grade=3,
        open_type="conditional",
        has_personal_data=True,
        has_security_impact=False,
        update_frequency="monthly",
        created_at=clock.now,
    )
    on = date(2026, 10, 20)
    authorise(cast, clock.now, resource, cast.operator, "A-1")
    authorise(cast, clock.now, resource, cast.operator, "A-2")
    (found,) = exclusive_resources(on=on)
    assert (found.code, found.operator, found.authorisations) == ("R-1", cast.operator.organisation.name, 2)
    assert exclusive_resources(on=on, operators=[cast.operator_b.organisation.pk]) == []
    authorise(cast, clock.now, resource, cast.operator_b, "A-3")
    assert exclusive_resources(on=on) == []


def authorise(cast, at, resource, operator, number):
    made = Authorisation.objects.create(
        number=number,
        title="授权协议",
        authorising_body=cast.authority.organisation,
        operator=operator.organisation,
        mode="scenario",
        from_date=date(2026, 1, 1),
        to_date=date(2028, 12, 31),
        state="active",
        created_at=at,
    )
    ScopeItem.objects.create(
        authorisation=made,
        resource=resource,
        product_type="model",
        purpose=Purpose.objects.get(code="industry.finance"),
        scenario=Scenario.objects.first(),
    )
