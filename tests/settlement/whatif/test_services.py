"""Trying, estimating, keeping and sharing: what is kept never changes, estimates stay apart, and who may open a case."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange

from pricing.models import PermittedRevenue
from products.models import AuditEntry, Authorisation, Membership, Organisation
from products.organisations.selectors import RoleMissing
from settlement.whatif import services
from settlement.whatif.estimates import DemandRefused
from settlement.whatif.models import WhatIfCase
from settlement.whatif.scope import ScopeNotYours, operators_of, scope_for, sectors_of
from settlement.whatif.selectors import cases_of
from settlement.whatif.services import NothingChanges, TitleMissing, try_out, what_if_save, what_if_share
from tests.settlement.books import NOVEMBER, OCTOBER, START, make_books
from tests.settlement.stall import organisation
from tests.settlement.whatif.past import AT, DECEMBER, live_through, scope

pytestmark = pytest.mark.django_db
HALF = {"discount": {"percent": "50"}}


@pytest.fixture
def past(books):
    live_through(books)
    return books


def body(books, serial, kind, region=""):
    found = organisation(700 + serial, kind, f"{kind.replace('_', '-')}-{serial}", user=books.stall.user)
    Organisation.objects.filter(pk=found.pk).update(region=region)
    found.refresh_from_db()
    return found


def member(books, organisation_, *roles):
    Membership.objects.create(user=books.checker, organisation=organisation_, roles=list(roles), created_at=START)
    return books.checker


def save(books, organisation_, draft=None, **changes):
    facts = {"title": "每次降到一半", "scope": scope(books), "draft": draft or HALF, "is_shared": False, "at": AT}
    return what_if_save(user=books.checker, organisation=organisation_, **facts | changes)


# --- trying ---------------------------------------------------------------------------------------------------------------------


def test_a_draft_that_says_nothing_is_refused(past):
    with pytest.raises(NothingChanges):
        try_out(scope=scope(past), draft={}, at=AT)


def test_trying_writes_nothing_and_the_second_try_reads_no_charges(past, django_assert_max_num_queries):
    first = try_out(scope=scope(past), draft=HALF, at=AT)
    before = AuditEntry.objects.count()
    with django_assert_max_num_queries(12) as seen:
        again = try_out(scope=scope(past), draft=HALF, at=AT)
    assert not any("FROM settlement_charge c" in query["sql"] for query in seen.captured_queries)
    assert again == first
    assert (WhatIfCase.objects.count(), AuditEntry.objects.count()) == (0, before)
    assert first.result["is_exact"]


def test_revenue_is_held_against_the_permitted_revenue_of_the_months_by_days(past):
    """12 000 000 yuan for 365 days of 2026; October and November have 61: 2 005 479.45."""
    permitted(past, 1_200_000_000)
    result = try_out(scope=scope(past), draft=HALF, at=AT).result
    (against,) = result["permitted"]
    assert (against["months"], against["whole"], against["permitted"]) == (2, "12000000.00", "2005479.45")
    assert against["revenue"] == result["totals"]["revenue"]
    room = Decimal(against["permitted"]) - Decimal(against["revenue"]["after"])
    assert Decimal(against["room_after"]) == room


def permitted(books, minor):
    people = [books.stall.user, books.checker, make_books(7).checker]
    amounts = {"cost_minor": minor, "profit_minor": 0, "tax_minor": 0, "year_minor": minor, "prorated_minor": minor}
    return PermittedRevenue.objects.create(
        authorisation=books.stall.authorisation,
        regulator=body(books, 50, "price_regulator"),
        data_bureau=body(books, 51, "data_bureau"),
        period=DateRange(date(2026, 1, 1), date(2027, 1, 1)),
        treasury_yield="0.0183",
        treasury_source="示例",
        profit_rate="0.0783",
        income_tax_rate="0.25",
        amount_minor=minor,
        state="determined",
        drafted_by=people[0],
        drafted_at=START,
        agreed_by=people[1],
        agreed_at=START,
        determined_by=people[2],
        determined_at=START,
        **amounts,
    )


# --- estimates ------------------------------------------------------------------------------------------------------------------


def test_estimates_stand_apart_from_the_exact_figures_and_repeat_with_their_seed(past):
    exact = try_out(scope=scope(past), draft=HALF, at=AT).result
    demand = {"elasticity": "-0.8", "elasticity_error": "0.1", "forecast_error": "0.05", "draws": "400", "seed": "7"}
    one = try_out(scope=scope(past), draft=HALF | {"demand": demand}, at=AT).result
    two = try_out(scope=scope(past), draft=HALF | {"demand": demand}, at=AT).result
    other = try_out(scope=scope(past), draft=HALF | {"demand": {**demand, "seed": "8"}}, at=AT).result
    assert one == two
    assert one["estimates"] != other["estimates"]
    bands = one.pop("estimates")
    assert one == exact, "no exact figure is touched by an estimate"
    assert Decimal(bands["volume_percent"]["p50"]) > 0, "cheaper is used more"
    assert Decimal(bands["revenue_after"]["p50"]) > Decimal(exact["totals"]["revenue"]["after"])
    order = [Decimal(bands["revenue_after"][f"p{band}"]) for band in (5, 25, 50, 75, 95)]
    assert order == sorted(order) and order[0] < order[-1]


def test_without_response_and_error_the_estimate_is_the_exact_replay(past):
    demand = {"elasticity": "0", "elasticity_error": "0", "forecast_error": "0", "draws": "3"}
    result = try_out(scope=scope(past), draft=HALF | {"demand": demand}, at=AT).result
    for name, side in (("revenue_before", "before"), ("revenue_after", "after")):
        assert set(result["estimates"][name].values()) == {result["totals"]["revenue"][side]}


@pytest.mark.parametrize(
    ("demand", "field"),
    [
        ({"elasticity": "0.5"}, "elasticity"),
        ({"elasticity": "much"}, "elasticity"),
        ({"elasticity": "nan"}, "elasticity"),
        ({"forecast_error": "2"}, "forecast_error"),
        ({"draws": "0"}, "draws"),
        ({"draws": "1000000"}, "draws"),
        ({"seed": "-1"}, "seed"),
    ],
)
def test_demand_that_makes_no_sense_is_refused_at_its_field(past, demand, field):
    with pytest.raises(DemandRefused) as refused:
        try_out(scope=scope(past), draft=HALF | {"demand": demand}, at=AT)
    assert refused.value.field == field


# --- keeping --------------------------------------------------------------------------------------------------------------------


def test_a_saved_case_holds_draft_result_and_digest_and_never_changes(past):
    office = body(past, 1, "price_regulator")
    member(past, office, "pricing")
    case = save(past, office)
    outcome = try_out(scope=scope(past), draft=HALF, at=AT)
    assert (case.draft, case.result, case.inputs_digest) == (HALF, outcome.result, outcome.inputs_digest)
    assert AuditEntry.objects.get(action="what_if.saved").object_id == str(case.pk)
    for change in ({"title": "other"}, {"draft": {}}, {"result": {}}, {"inputs_digest": "0" * 64}):
        with pytest.raises(IntegrityError, match="immutable"), transaction.atomic():
            WhatIfCase.objects.filter(pk=case.pk).update(**change)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM settlement_whatifcase")
    assert what_if_share(case=case, user=past.checker, is_shared=True, at=AT).is_shared


def test_saving_needs_a_title_and_a_role(past):
    office = body(past, 1, "price_regulator")
    member(past, office, "auditor")
    with pytest.raises(RoleMissing):
        save(past, office)
    Membership.objects.filter(organisation=office).update(roles=["decider"])
    with pytest.raises(TitleMissing):
        save(past, office, title="  ")
    assert WhatIfCase.objects.count() == 0


# --- who may look ---------------------------------------------------------------------------------------------------------------


def months(**more):
    return {"sector": "", "from_month": OCTOBER, "to_month": DECEMBER} | more


def test_each_kind_of_body_sees_its_part_only(past):
    other = make_books(2)
    regulator, bureau = body(past, 1, "price_regulator"), body(past, 2, "data_bureau")
    mine, theirs = past.stall.operator, other.stall.operator
    for office in (regulator, bureau):
        assert set(operators_of(office)) == {mine, theirs}
        assert scope_for(organisation=office, operator=mine, **months()).authorising_body_id is None
    authority = past.stall.authority
    assert operators_of(authority) == [mine]
    assert scope_for(organisation=authority, operator=mine, **months()).authorising_body_id == authority.pk
    assert operators_of(mine) == [mine] and sectors_of(mine) == []
    for organisation_, operator in ((authority, theirs), (mine, theirs), (past.stall.buyer, mine), (regulator, None)):
        with pytest.raises(ScopeNotYours):
            scope_for(organisation=organisation_, operator=operator, **months())
    with pytest.raises(ScopeNotYours):
        scope_for(organisation=mine, operator=mine, **months(sector="港航物流"))
    assert operators_of(past.stall.buyer) == [] and sectors_of(past.stall.buyer) == []


def test_an_office_sees_the_operators_of_its_region_only(past):
    far = body(past, 3, "price_regulator", "510100")
    Authorisation.objects.filter(pk=past.stall.authorisation.pk).update(region="330200")
    near = body(past, 4, "price_regulator", "330000")
    assert operators_of(far) == []
    assert operators_of(near) == [past.stall.operator]
    with pytest.raises(ScopeNotYours, match="outside your region"):
        scope_for(organisation=far, operator=past.stall.operator, **months())


def test_a_shared_case_is_open_to_the_bodies_over_that_operator_and_to_nobody_else(past):
    other = make_books(2)
    regulator, bureau = body(past, 1, "price_regulator"), body(past, 2, "data_bureau")
    member(past, regulator, "pricing")
    private, shared = save(past, regulator), save(past, regulator, is_shared=True, title="公开的")
    assert set(cases_of(organisation=regulator)) == {private, shared}
    for office in (bureau, past.stall.authority):
        assert list(cases_of(organisation=office)) == [shared]
    for outsider in (past.stall.operator, other.stall.operator, other.stall.authority, past.stall.buyer, past.provider):
        assert list(cases_of(organisation=outsider)) == []
    second = Authorisation.objects.get(pk=other.stall.authorisation.pk)
    Authorisation.objects.filter(pk=second.pk).update(operator=past.stall.operator)
    assert list(cases_of(organisation=past.stall.authority)) == [], "the operator holds an authorisation of another body too"


def test_an_authorising_body_replays_its_own_products_only(past):
    other = make_books(2)
    where = scope_for(organisation=past.stall.authority, operator=past.stall.operator, **months())
    assert set(where.products()) == {past.stall.product.pk}
    type(past.stall.product).objects.filter(pk=past.stall.product.pk).update(authorisation=other.stall.authorisation)
    assert where.products() == {}


def test_what_is_kept_in_memory_is_let_go(past):
    services._loaded.clear()
    for to_month in (NOVEMBER, DECEMBER):
        services.history_of(scope=scope(past, to_month=to_month), at=AT)
    assert len(services._loaded) == 2
