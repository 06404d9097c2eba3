"""A draft on real history: the same engine, exact, each kind of change against sums made by hand or by `pricing.rules`."""

from datetime import date
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pricing.documents import parse_tariff, parse_usage
from pricing.rules import rate
from pricing.tariffs.rules import clamp
from products.record.refusals import Refused
from settlement.billing.models import Charge
from settlement.shares.models import Share
from settlement.shares.rules import Part, split
from settlement.whatif import drafts
from settlement.whatif.drafts import DraftAboveCap, DraftLeavesBasisOpen, DraftRefused
from settlement.whatif.history import load
from settlement.whatif.parties import MOST, agreements, divided, shares
from settlement.whatif.replay import CounterChanged, UsageWithoutPrice, replay
from settlement.whatif.results import summed_up
from tests.settlement.books import NOVEMBER, OCTOBER, TIERS, component, document, merchant_right
from tests.settlement.whatif.past import AT, live_through, publish_cap, scope

pytestmark = pytest.mark.django_db
ON = date(2026, 12, 10)
MONTH = {"from_month": OCTOBER, "to_month": NOVEMBER}


def tried(books, draft, **changes):
    """(history, replay) of a draft document."""
    where = scope(books, **changes)
    past = load(scope=where, at=AT)
    read = drafts.read(draft, where.products())
    return past, replay(history=past, draft=read, on=ON)


def cap(books, amount, basis="calls", period=""):
    code = books.stall.product.code
    return {"product": code, "purpose_class": "industry", "basis": basis, "period": period, "cap": amount}


# As yuan: calls, records, a year's base fee; a minimum counts against the cap of its month.
CAPS = [("0.40", "calls", ""), ("0.15", "records", ""), ("12000.00", "periods", "year"), ("60.00", "periods", "month")]


def test_a_draft_that_changes_nothing_gives_what_was_charged(books):
    live_through(books)
    past, replayed = tried(books, {"caps": [cap(books, "20000.00", *more) for _amount, *more in CAPS]})
    assert replayed.documents == {}
    for name in ("gross", "payable", "total", "net", "vat", "free_value"):
        assert np.array_equal(getattr(past.ratings, name), getattr(replayed.ratings, name)), name


def test_lower_caps_cut_every_tariff_as_a_real_cut_would_and_the_rules_agree_row_by_row(books):
    live_through(books)
    past, replayed = tried(books, {"caps": [cap(books, *each) for each in CAPS]}, **MONTH)
    document = {"caps": [{"basis": b, "cap": a} | ({"period": p} if p else {}) for a, b, p in CAPS]}
    stored = Charge.objects.filter(month=OCTOBER).order_by("entitlement", "from_date")
    expected = []
    for charge, row in zip(stored, range(len(past)), strict=True):
        late = Charge.objects.filter(entitlement=charge.entitlement, service_month=OCTOBER, month=NOVEMBER).first()
        usage = late.usage["all"] if late else charge.usage
        terms = parse_tariff(clamp(past.tariffs[int(past.rows.tariff[row])].document, document))
        expected.append(rate(terms, parse_usage({k: v for k, v in usage.items() if v is not None}, terms)))
    assert replayed.ratings.total.tolist() == [each.total_minor for each in expected]
    assert replayed.ratings.net.tolist() == [each.net_minor for each in expected]
    assert replayed.ratings.free_value.tolist() == [each.free_value_minor for each in expected]
    assert int(replayed.ratings.total.sum()) < int(past.ratings.total.sum())


def test_caps_that_leave_a_charged_basis_open_are_refused_by_name(books):
    live_through(books)
    with pytest.raises(DraftLeavesBasisOpen, match="Service time"):
        tried(books, {"caps": [cap(books, "0.40"), cap(books, "0.15", "records")]})


def test_a_new_tariff_prices_the_same_units_by_its_own_components(books):
    """10 001 and 10 000 calls at 0.25 instead of three tiers: 2 500.25 instead of 5 000.30."""
    books.price(document(component(model="graduated", tiers=TIERS)))
    publish_cap(books, "0.50")
    books.use("10001", "2026-10-02 09:00")
    books.close(OCTOBER, "2026-11-04 09:00")
    draft = {"tariffs": [{"plan": books.stall.plan.pk, "document": document(component("queries", unit_price="0.25"))}]}
    past, replayed = tried(books, draft, **MONTH)
    assert (past.ratings.total.tolist(), replayed.ratings.total.tolist()) == ([500030], [250025])


def test_a_new_tariff_above_its_cap_is_refused_with_the_smallest_counter_example(books):
    live_through(books)
    publish_cap(books, "0.50")
    draft = {"tariffs": [{"plan": books.stall.plan.pk, "document": document(component(unit_price="0.51"))}]}
    with pytest.raises(
        DraftAboveCap, match=r"at a quantity of 1 \(Number of calls\) the price is 0\.510000, above the cap of 0\.50"
    ):
        tried(books, draft)
    draft["caps"] = [cap(books, "0.60", *more) for _amount, *more in CAPS]
    tried(books, draft)


def test_a_new_tariff_must_price_what_was_used_and_keep_its_counters(books):
    live_through(books)
    publish_cap(books, "0.50"), publish_cap(books, "0.50", "records")
    records = {**component("rows"), "basis": "records"}
    for tariff, refusal in (
        (document(records), UsageWithoutPrice),
        (document(component(counts_over="year")), CounterChanged),
    ):
        with pytest.raises(refusal):
            tried(books, {"tariffs": [{"plan": books.stall.plan.pk, "document": tariff}]})


def test_a_discount_reaches_the_sizes_it_names_and_the_largest_counts(books):
    people = live_through(books)
    past, replayed = tried(books, {"discount": {"percent": "50", "sizes": ["small"]}})
    mine = past.buyer == people["small"].pk
    assert replayed.ratings.total[~mine].tolist() == past.ratings.total[~mine].tolist()
    assert int(replayed.ratings.total[mine].sum()) < int(past.ratings.total[mine].sum())


def test_a_half_price_of_407_point_5_calls_is_101_point_88(books):
    """7.5 calls on time and 400 late, at 0.50: 203.75; the better discount of 50 % counts, 33.3333 % is not added: 101.88."""
    people = live_through(books)
    past, replayed = tried(books, {"discount": {"percent": "50"}}, **MONTH)
    row = next(n for n in np.flatnonzero(past.buyer == people["small"].pk) if past.rows.reasons[n])
    assert past.ratings.gross[past.layout.first[row]] == 20375
    assert int(past.ratings.total[row]) == 13583
    assert int(replayed.ratings.total[row]) == 10188


def test_a_purpose_that_becomes_free_moves_its_revenue_into_the_value_of_free_use(books):
    live_through(books)
    past, replayed = tried(books, {"free_purposes": ["industry.finance"]})
    assert int(replayed.ratings.total.sum()) == 0
    assert int(replayed.free_value.sum()) == int(past.ratings.total.sum()) + int(past.ratings.free_value.sum())
    assert (replayed.became_free, replayed.stayed_charged) == (5, 0)
    _past, sibling = tried(books, {"free_purposes": ["industry.finance.in_loan", "industry.fin"]})
    assert (sibling.became_free, int(sibling.ratings.total.sum())) == (0, int(past.ratings.total.sum()))


def test_an_entitlement_that_holds_other_purposes_too_stays_charged_and_is_counted(books):
    mixed = books.sell(purposes=["industry.finance.pre_loan", "sector.transport"])
    books.use("10", "2026-10-05 09:00", mixed)
    books.close(OCTOBER, "2026-11-04 09:00")
    past, replayed = tried(books, {"free_purposes": ["industry.finance"]}, **MONTH)
    assert (replayed.became_free, replayed.stayed_charged) == (0, 1)
    assert replayed.ratings.total.tolist() == past.ratings.total.tolist() == [500]


def test_a_free_quota_takes_the_first_units_of_each_month_and_values_them(books):
    """10 001 calls, 1 000 free: 9 001 in the first tier; the value is what the whole cost less that."""
    books.price(document(component(model="graduated", tiers=TIERS)))
    books.use("10001", "2026-10-02 09:00")
    books.close(OCTOBER, "2026-11-04 09:00")
    _past, replayed = tried(books, {"free_quota": {"basis": "calls", "units": "1000"}}, **MONTH)
    assert replayed.ratings.total.tolist() == [450050]
    assert replayed.free_value.tolist() == [500030 - 450050]
    _past, all_free = tried(books, {"free_quota": {"basis": "calls", "units": "20000"}}, **MONTH)
    assert (all_free.ratings.total.tolist(), all_free.free_value.tolist()) == ([0], [500030])


def test_a_free_quota_goes_on_where_a_month_is_cut(books):
    """300 calls at 0.50, then 300 at 0.40 in one month, 400 free: 0 and 200 × 0.40."""
    books.price(document(component(unit_price="0.40")), from_date=date(2026, 10, 15))
    books.use("300", "2026-10-02 09:00")
    books.use("300", "2026-10-20 09:00")
    books.close(OCTOBER, "2026-11-04 09:00")
    _past, replayed = tried(books, {"free_quota": {"basis": "calls", "units": "400"}}, **MONTH)
    assert replayed.ratings.total.tolist() == [0, 8000]


def test_a_free_quota_a_month_is_refused_for_a_counter_over_a_year(books):
    live_through(books)
    with pytest.raises(CounterChanged):
        tried(books, {"free_quota": {"basis": "calls", "units": "400"}})


@pytest.mark.parametrize(
    "draft",
    [
        {"tarifs": []},
        {"caps": [{"product": "elsewhere", "purpose_class": "industry", "basis": "calls", "cap": "0.40"}]},
        {"discount": {"percent": "101"}},
        {"discount": {"percent": "-5"}},
        {"discount": {"percent": "5", "sizes": ["huge"]}},
        {"free_quota": {"basis": "periods", "units": "5"}},
        {"free_quota": {"basis": "calls", "units": "many"}},
        {"tariffs": [{"plan": 0, "document": document(component())}]},
        {"caps": [{"product": "port-index-1", "purpose_class": "industry", "basis": "calls", "cap": "-1"}]},
        {"tariffs": [{"plan": 0, "document": {}}]},
    ],
)
def test_a_draft_that_cannot_be_read_is_refused(books, draft):
    with pytest.raises(Refused):
        drafts.read(draft, scope(books).products())


def test_a_plan_of_another_operator_is_refused(books):
    from tests.settlement.books import make_books

    other = make_books(2)
    with pytest.raises(DraftRefused, match="outside this operator"):
        drafts.read({"tariffs": [{"plan": other.stall.plan.pk, "document": document(component())}]}, scope(books).products())


def test_caps_are_prefilled_with_those_in_force_changed_by_a_percentage_and_rounded_down(books):
    publish_cap(books, "0.333333"), publish_cap(books, "99.99", "periods", "month")
    rows = drafts.caps_prefilled(scope(books).products(), on=ON, percent=-10)
    assert [(row["basis"], row["period"], row["cap"]) for row in rows] == [
        ("calls", "", "0.299999"),
        ("periods", "month", "89.99"),
    ]
    assert [row["cap"] for row in drafts.caps_prefilled(scope(books).products(), on=ON)] == ["0.333333", "99.99"]


# --- results --------------------------------------------------------------------------------------------------------------------


def test_the_result_says_who_pays_less_and_who_more_and_what_each_party_gets(books):
    people = live_through(books)
    where = scope(books, **MONTH)
    past, replayed = tried(books, {"caps": [cap(books, *each) for each in CAPS]}, **MONTH)
    result = summed_up(history=past, replayed=replayed, products=where.products())
    assert result["is_exact"] and result["rows"] == len(past)
    billed = result["totals"]["billed"]
    assert Decimal(billed["before"]) * 100 == int(past.ratings.total.sum())
    assert Decimal(billed["after"]) * 100 == int(replayed.ratings.total.sum())
    assert result["buyers"] == {"count": 3, "winners": 3, "losers": 0, "same": 0, "left_out": 0}
    assert {row["name"] for row in result["winners"]} >= {people["small"].name, people["large"].name}
    assert [row["size"] for row in result["sizes"]] == ["small", "large", "enterprise"]
    assert sum(Decimal(row["share"]["after"]) for row in result["parties"]) == Decimal(result["totals"]["revenue"]["after"])
    assert sum(Decimal(row["revenue"]["after"]) for row in result["months"]) == Decimal(result["totals"]["revenue"]["after"])


def test_the_parties_shares_in_force_are_those_of_the_closed_month(books):
    books.use("7", "2026-10-02 09:00")
    books.use("33.33", "2026-10-03 09:00", books.sell())
    books.close(OCTOBER, "2026-11-04 09:00")
    past, replayed = tried(books, {"discount": {"percent": "1"}}, **MONTH)
    result = summed_up(history=past, replayed=replayed, products=scope(books).products())
    stored = {share.role: f"{share.amount_minor / 100:.2f}" for share in Share.objects.all()}
    assert {row["role"]: row["share"]["before"] for row in result["parties"]} == stored


def test_what_no_agreement_divides_is_a_merchants_own_in_a_replay_too(books):
    merchant = merchant_right(books)
    books.use("33.33", "2026-10-03 09:00", merchant)
    books.close(OCTOBER, "2026-11-04 09:00")
    past = load(scope=scope(books, operator_id=merchant.operator_id, **MONTH), at=AT)
    (own,) = Share.objects.filter(agreement=None)
    assert shares(agreements(past), past.charged["net"]) == {(merchant.operator_id, "operator"): own.amount_minor}


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.integers(0, 10**7) | st.integers(MOST - 3, MOST + 3), min_size=1, max_size=8),
    st.lists(st.integers(0, 25_000_000), min_size=1, max_size=4),
)
def test_shares_in_vectors_are_those_of_the_split(amounts, percents):
    parts = (*(Part(n, "provider", percent) for n, percent in enumerate(percents)), Part(99, "operator", None))
    expected = [sum(column) for column in zip(*(split(amount, parts) for amount in amounts), strict=True)]
    assert divided(np.array(amounts, dtype=np.int64), parts) == expected
