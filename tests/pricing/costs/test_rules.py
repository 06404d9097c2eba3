"""What counts as operating cost, and shares of a shared cost that sum to it, whatever the parts."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pricing.costs.rules import (
    MOST_MINOR,
    Part,
    PartsWrong,
    admit,
    allocate,
    is_public,
    largest_remainder,
    lines_of,
    parse_parts,
)
from pricing.rules.exact import FULL_PERCENT, quantity

MINOR = st.integers(1, MOST_MINOR)
LINES = st.lists(
    st.sampled_from(["public_data", "public_data.score", "public_data.index", "smart_city", "系统集成", "咨询"]),
    min_size=2,
    max_size=6,
    unique=True,
)


@st.composite
def divisions(draw):
    """Parts of whole millionths of a per cent that sum to 100 %."""
    lines = draw(LINES)
    cuts = sorted(draw(st.lists(st.integers(1, FULL_PERCENT - 1), min_size=len(lines) - 1, max_size=len(lines) - 1, unique=True)))
    edges = [0, *cuts, FULL_PERCENT]
    return [{"business_line": line, "percent": quantity(edges[place + 1] - edges[place])} for place, line in enumerate(lines)]


@settings(deadline=None)  # the machine may be busy
@given(MINOR, divisions())
def test_the_parts_of_a_shared_cost_sum_to_it(amount, division):
    shares = allocate(amount, parse_parts(division))
    assert sum(minor for _line, minor in shares) == amount
    for part, (_line, minor) in zip(parse_parts(division), shares, strict=True):
        assert abs(minor * FULL_PERCENT - amount * part.share) < FULL_PERCENT  # less than a fen off, in whole numbers


@settings(deadline=None)  # the machine may be busy
@given(MINOR, divisions())
def test_what_is_admitted_of_a_shared_cost_is_the_sum_of_our_lines(amount, division):
    parts = parse_parts(division)
    said = admit(item="人员", nature="staff", funding="own", business_line="shared", amount_minor=amount, parts=parts)
    ours = sum(minor for line, minor in allocate(amount, parts) if is_public(line))
    assert said.admitted_minor == ours
    if any(is_public(part.line) for part in parts):
        named = {"business_line": "shared", "parts": parts, "amount_minor": amount, "admitted_minor": ours}
        assert sum(minor for _line, minor in lines_of(overruled_minor=None, **named)) == ours
        assert sum(minor for _line, minor in lines_of(overruled_minor=amount, **named)) == amount


@settings(deadline=None)  # the machine may be busy
@given(MINOR, divisions(), st.integers(1, FULL_PERCENT - 1))
def test_parts_that_miss_100_per_cent_by_any_bit_are_refused(amount, division, less):
    share = parse_parts(division)[0].share
    wrong = [{**division[0], "percent": quantity((share + less) % FULL_PERCENT or 1)}, *division[1:]]
    if wrong != division:
        with pytest.raises(PartsWrong) as caught:
            parse_parts(wrong)
        assert caught.value.problem == "not_whole"


@pytest.mark.parametrize(
    ("parts", "problem", "place"),
    [
        ([("public_data", "100")], "too_few", 0),
        ([("public_data", "60"), ("a", "39.999999")], "not_whole", 0),
        ([("public_data", "60"), ("a", "-40")], "not_percent", 2),
        ([("public_data", "60"), ("a", "4e1")], "not_percent", 2),
        ([("public_data", "60.0000001"), ("a", "39.9999999")], "not_percent", 1),
        ([("public_data", "100"), ("a", "0")], "not_positive", 1),
        ([("public_data", "60"), ("public_data", "40")], "line_twice", 2),
        ([("", "60"), ("a", "40")], "no_line", 1),
        ([("public_data", "60"), ("shared", "40")], "shared_line", 2),
        ([(f"l{n}", "1") for n in range(21)], "too_many", 0),
    ],
)
def test_parts_that_are_no_division_are_refused_with_their_place(parts, problem, place):
    with pytest.raises(PartsWrong) as caught:
        parse_parts([{"business_line": line, "percent": percent} for line, percent in parts])
    assert (caught.value.problem, caught.value.place) == (problem, place)


@pytest.mark.parametrize(
    ("item", "nature", "funding", "line", "rule"),
    [
        ("服务器", "platform", "own", "public_data", "admitted"),
        ("服务器", "platform", "own", "public_data.score", "admitted"),
        ("服务器", "platform", "fiscal", "public_data", "fiscally_funded"),
        ("服务器", "platform", "user", "public_data", "paid_by_users"),
        ("滞纳金", "fine", "own", "public_data", "fine"),
        ("滞纳金", "fine", "fiscal", "public_data", "fine"),
        ("赞助", "donation", "own", "public_data", "donation"),
        ("集成", "staff", "own", "public_database", "unrelated"),
        ("集成", "staff", "own", "系统集成", "unrelated"),
        ("企业所得税", "taxes", "own", "public_data", "counted_as_tax"),
        ("印花税", "taxes", "own", "public_data", "admitted"),
    ],
)
def test_each_cost_is_admitted_or_not_by_a_named_rule(item, nature, funding, line, rule):
    said = admit(item=item, nature=nature, funding=funding, business_line=line, amount_minor=100)
    assert (said.rule, said.admitted_minor) == (rule, 100 if rule == "admitted" else 0)


def test_a_shared_cost_without_a_part_of_ours_is_unrelated():
    said = admit(
        item="房租", nature="other", funding="own", business_line="shared", amount_minor=100, parts=[Part("a", 1), Part("b", 1)]
    )
    assert (said.rule, said.is_admitted, said.admitted_minor) == ("unrelated", False, 0)


def test_scenario_66_equal_parts_get_the_odd_fen_in_order():
    assert largest_remainder(10000, [1, 1, 1]) == [3334, 3333, 3333]
