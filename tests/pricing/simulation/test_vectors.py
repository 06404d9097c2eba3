"""Vectors and `pricing.rules` agree on every case, to the fen, up to the largest a document allows."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pricing import rules
from pricing.documents import parse_tariff, parse_usage
from pricing.rules.periods import period_of
from pricing.rules.terms import Usage
from pricing.simulation import Layout, compile_book, pack, rate
from pricing.simulation.book import MOST_UNITS, PERIOD_CODES, TOP
from pricing.simulation.spans import period_bounds
from tests.pricing.price_documents import (
    TIERS,
    WORKED_TARIFF,
    days,
    decimals,
    documents,
    flat,
    graduated,
    package,
    per_unit,
    tariff,
    volume,
)

MANY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SOME = settings(MANY, max_examples=25)  # whole documents: the proof tries a thousand of them
LARGEST = 10**18 - 1  # eighteen digits before the point


def sizes(places, least=0):
    """Decimal strings of every size, up to eighteen digits with all the decimals that are allowed."""
    top = LARGEST * 10**places
    numbers = st.one_of(
        st.integers(0, 10**4), st.integers(0, 62).map(lambda n: min(top, 2**n)), st.integers(0, top), st.just(top)
    )
    return numbers.filter(lambda n: n >= least).map(lambda n: f"{n // 10**places}.{n % 10**places:0{places}d}".rstrip("."))


@st.composite
def large_tiers(draw):
    ends = sorted(draw(st.sets(st.integers(1, LARGEST * 10**6), max_size=3)) | draw(st.sets(st.integers(1, 10**9), max_size=2)))
    tiers = []
    for end in [*ends, None]:
        up_to = None if end is None else f"{end // 10**6}.{end % 10**6:06d}"
        tiers.append({"up_to": up_to, "unit_price": draw(sizes(6)), "flat_fee": draw(sizes(2))})
    return tiers


@st.composite
def large_documents(draw):
    """Tariffs and usages with numbers of every size that a document may hold."""
    components, usage = [], {"units": {}, "before": {}}
    for index in range(draw(st.integers(1, 4))):
        code = f"c{index}"
        more = {"included": draw(sizes(6))} if draw(st.booleans()) else {}
        kind = draw(st.sampled_from(["per_unit", "graduated", "volume", "package", "flat"]))
        if kind == "flat":
            components.append(flat(draw(sizes(2)), draw(st.sampled_from(list(PERIOD_CODES))), code))
            continue
        if kind == "per_unit":
            components.append(per_unit(draw(sizes(6)), code, **more))
        elif kind == "package":
            components.append(package(draw(sizes(6, least=1)), draw(sizes(2)), code, **more))
        else:
            components.append((graduated if kind == "graduated" else volume)(draw(large_tiers()), code, **more))
        usage["units"][code] = draw(sizes(6))
        if draw(st.booleans()):
            usage["before"][code] = draw(sizes(6))
    codes = [component["code"] for component in components]
    discounts = [{"reason": "key", "percent": draw(decimals(100, 6)), "components": codes}]
    bounds = {}
    if draw(st.booleans()):
        bounds["minimum"] = draw(sizes(2))
    if draw(st.booleans()) and "minimum" not in bounds:
        bounds["maximum"] = draw(sizes(2))
    start = draw(days)
    usage["from"], usage["to"] = start.isoformat(), (start + timedelta(days=draw(st.integers(1, 800)))).isoformat()
    usage["discounts"] = draw(st.sampled_from([[], ["key"]]))
    usage["free"] = draw(st.booleans())
    tax = {"rate": draw(decimals(1, 6).filter(lambda text: float(text) <= 1)), "inclusive": draw(st.booleans())}
    return {**tariff(*components, **bounds), "tax": tax, "discounts": discounts}, usage


def parsed(pairs):
    terms = [parse_tariff(document) for document, _usage in pairs]
    return terms, [(place, parse_usage(usage, terms[place])) for place, (_document, usage) in enumerate(pairs)]


def assert_same(terms, usages):
    """Every number of the vectors is the number of `pricing.rules.rate`."""
    rated = rate(compile_book(terms), pack(terms, usages))
    for row, (place, usage) in enumerate(usages):
        expected = rules.rate(terms[place], usage)
        lines = [line for line in expected.lines if line.component not in ("minimum", "maximum")]
        mine = slice(int(rated.layout.first[row]), int(rated.layout.first[row + 1]))
        assert rated.gross[mine].tolist() == [line.gross_minor for line in lines]
        assert rated.payable[mine].tolist() == [line.payable_minor for line in lines]
        assert rated.bound[row] == sum(line.payable_minor for line in expected.lines[len(lines) :])
        for name in ("total", "net", "vat", "free_value"):
            assert getattr(rated, name)[row] == getattr(expected, f"{name}_minor"), name


@settings(MANY, max_examples=60)
@given(st.lists(documents(), min_size=1, max_size=6))
def test_vectors_and_rules_agree_on_every_document(pairs):
    assert_same(*parsed(pairs))


@SOME
@given(st.lists(large_documents(), min_size=1, max_size=4))
def test_vectors_and_rules_agree_up_to_the_largest_numbers_a_document_allows(pairs):
    assert_same(*parsed(pairs))


@SOME
@given(st.lists(documents(), min_size=1, max_size=3), large_documents())
def test_one_huge_usage_does_not_disturb_the_others(pairs, huge):
    assert_same(*parsed([*pairs, huge, *pairs]))


@pytest.mark.proof
@settings(MANY, max_examples=1000)
@given(st.lists(documents() | large_documents(), min_size=1, max_size=6))
def test_vectors_and_rules_agree_on_a_thousand_books_of_documents_of_every_size(pairs):
    assert_same(*parsed(pairs))


@MANY
@given(
    st.sampled_from([per_unit, graduated, volume, package]),
    st.integers(-3, 3),
    sizes(6),
    decimals(100, 6),
    st.integers(0, 10**6),
)
def test_nothing_overflows_at_the_edge_of_what_is_proven(make, step, price, percent, included):
    """Units at, just below and just above the bound that the book proves for the component."""
    if make in (graduated, volume):
        tiers = [{"up_to": "7.5", "unit_price": price, "flat_fee": "3.33"}, {"up_to": None, "unit_price": price}]
        component = make(tiers, included=str(included))
    elif make is package:
        component = package("2.5", f"{int(price.split('.')[0]) % 10**16}.11", included=str(included))
    else:
        component = per_unit(price, included=str(included))
    terms = parse_tariff(tariff(component, discounts=[{"reason": "key", "percent": percent, "components": ["calls"]}]))
    edge = int(compile_book([terms]).most[0])
    units = max(0, edge + step)
    for before in (0, units // 3):
        usage = Usage(units={"calls": units - before}, before={"calls": before}, discounts=frozenset({"key"}))
        assert_same([terms], [(0, usage)])


@MANY
@given(st.sampled_from(["week", "month", "quarter", "year"]), days, days | st.just(date(2024, 2, 29)))
@example("year", date(2026, 2, 28), date(2024, 2, 29))
@example("year", date(2028, 2, 28), date(2024, 2, 29))
def test_periods_in_vectors_are_those_of_the_rules(period, day, anchor):
    def number(one):
        return np.array([(one - date(1970, 1, 1)).days])

    begins, ends = period_of(day, period, anchor)
    found = period_bounds(number(day), PERIOD_CODES[period], number(anchor))
    assert (found[0].tolist(), found[1].tolist()) == (number(begins).tolist(), number(ends).tolist())


@MANY
@given(st.lists(st.integers(0, 400_000), min_size=2, max_size=4), decimals(500, 2), decimals(500, 2), st.integers(1, 3))
def test_a_minimum_and_a_maximum_hold_for_the_parts_of_a_month_together(amounts, low, width, others):
    """As the close cuts them: the last part pays what is missing, each one at most what is left (`rate_month`)."""
    from settlement.billing.rules import Segment, rate_month

    high = f"{float(low) + float(width):.2f}"
    terms = parse_tariff(tariff(per_unit("0.01"), minimum=low, maximum=high))
    start = date(2026, 5, 1)
    spans = [(start + timedelta(days=n), start + timedelta(days=n + 1)) for n in range(len(amounts))]
    segments = [Segment(1, *span, {"calls": amount * 10**6}, {}) for span, amount in zip(spans, amounts, strict=True)]
    month = rate_month(
        month=start,
        segments=segments,
        tariffs={1: terms},
        anchor=start,
        discounts=(),
        is_free=False,
        is_late=False,
        span_before={},
    )
    usages = [(0, parse_usage({k: v for k, v in rating.usage.items() if v is not None}, terms)) for rating in month]
    rows = pack([terms], usages * others)
    group = np.repeat(np.arange(others), len(usages))
    rank = np.tile(np.arange(len(usages)), others)
    rated = rate(compile_book([terms]), replace(rows, group=group, rank=rank))
    assert rated.total.tolist() == [rating.rated.total_minor for rating in month] * others


def test_a_book_knows_how_far_int64_reaches():
    """0.50 yuan a unit: 2⁶² of 10⁻¹² yuan are 9 223 372.036854 units; one more is left to the rules."""
    book = compile_book([parse_tariff(tariff(per_unit("0.50"))), parse_tariff(tariff(graduated(TIERS)))])
    assert book.most[0] == TOP // 500_000
    assert book.most[1] > book.most[0]
    assert compile_book([parse_tariff(tariff(per_unit("0")))]).most[0] == MOST_UNITS


def test_the_layout_gives_each_row_the_components_of_its_tariff():
    terms = [parse_tariff(tariff(per_unit())), parse_tariff(WORKED_TARIFF)]
    layout = Layout.of(compile_book(terms), np.array([1, 0, 1]))
    assert layout.first.tolist() == [0, 3, 4, 7]
    assert layout.row.tolist() == [0, 0, 0, 1, 2, 2, 2]
    assert layout.component.tolist() == [1, 2, 3, 0, 1, 2, 3]


@pytest.mark.parametrize("count", [0, 1])
def test_no_rows_and_no_lines_are_rated_as_nothing(count):
    terms = parse_tariff({"currency": "CNY", "components": [], "minimum": "5", "tax": {"rate": "0.06", "inclusive": True}})
    rated = rate(compile_book([terms]), pack([terms], [(0, Usage())] * count))
    assert rated.total.tolist() == [500] * count


@pytest.mark.parametrize("period", ["week", "month", "quarter", "year"])
def test_many_days_share_one_calendar(period):
    """Above a thousand rows the calendar is looked up, not computed: the same periods."""
    first = (date(2023, 11, 20) - date(1970, 1, 1)).days
    many, anchor = np.arange(first, first + 2000), np.full(2000, (date(2024, 2, 29) - date(1970, 1, 1)).days)
    begins, ends = period_bounds(many, PERIOD_CODES[period], anchor)
    for place in range(0, 2000, 7):
        one = period_bounds(many[place : place + 1], PERIOD_CODES[period], anchor[:1])
        assert (begins[place], ends[place]) == (one[0][0], one[1][0])
