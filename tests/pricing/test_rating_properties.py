"""Properties of every price, over random documents, against an oracle in Fractions that shares no code with the rules."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pricing.documents import parse_tariff, parse_usage
from pricing.quote import quote
from pricing.rules import rate
from tests.pricing.price_documents import days, decimals, documents, f, fen, flat, metered_components, money, oracle_line, tariff

MANY = settings(max_examples=100, deadline=None)


@MANY
@given(documents())
def test_every_document_costs_what_an_independent_reading_of_section_7_says(pair):
    document, usage = pair
    answer = quote(document, usage)
    payables = Fraction(0)
    for component, line in zip(document["components"], answer["lines"], strict=False):
        gross, payable = oracle_line(document, component, usage)
        assert line["component"] == component["code"]
        assert line["gross"] == money(gross)
        is_waived = usage["free"] or component.get("collected") is False
        assert line["payable"] == money(Fraction(0) if is_waived else payable)
        assert line["discount"] == money(Fraction(0) if is_waived else gross - payable)
        payables += payable
    low = Fraction(document.get("minimum", "0"))
    high = Fraction(document.get("maximum", "1000000000000"))
    total = payables if usage["free"] is None else max(low, min(high, payables)) if "minimum" in document else min(high, payables)
    rate_ = Fraction(document["tax"]["rate"])
    if document["tax"]["inclusive"]:
        net = fen(total / (1 + rate_))
        vat = total - net
    else:
        net, vat = total, fen(total * rate_)
        total = net + vat
    if usage["free"]:
        assert (answer["total"], answer["net"], answer["vat"]) == ("0.00", "0.00", "0.00")
        assert answer["free_value"] == money(total)
        assert answer["effective_unit_price"] == {}
    else:
        assert (answer["total"], answer["net"], answer["vat"]) == (money(total), money(net), money(vat))
        assert answer["free_value"] == "0.00"


@MANY
@given(documents())
def test_every_answer_adds_up_and_follows_its_schema(pair):
    answer = quote(*pair)
    assert Decimal(answer["net"]) + Decimal(answer["vat"]) == Decimal(answer["total"])
    for line in answer["lines"]:
        if not pair[1]["free"] and line["payable"] != "0.00":
            assert Decimal(line["gross"]) - Decimal(line["payable"]) == Decimal(line["discount"])
        assert line["trace"]
    amounts = [line[name] for line in answer["lines"] for name in ("gross", "discount", "payable")]
    assert "-0.00" not in [*amounts, answer["total"], answer["net"], answer["vat"]]
    schema_of("quote").validate(answer)


def schema_of(name):
    import json
    from pathlib import Path

    import pricing

    path = Path(pricing.__file__).parent / "schemas" / f"{name}.schema.json"
    return jsonschema_rs.validator_for(json.loads(path.read_text(encoding="utf-8")))


@MANY
@given(metered_components(), st.lists(decimals(60, 6), min_size=2, max_size=5), st.sampled_from(["0", "30", "33.3333"]))
def test_usage_cut_into_parts_costs_what_it_costs_whole(component, parts, percent):
    discount = {"reason": "key", "percent": percent, "components": ["calls"]}
    terms = parse_tariff(tariff(component, discounts=[discount]))

    def line(units, before):
        document = {"units": {"calls": f"{units:f}"}, "before": {"calls": f"{before:f}"}, "discounts": ["key"]}
        rated = rate(terms, parse_usage(document, terms)).lines[0]
        return rated.gross_minor, rated.payable_minor

    sizes = [Decimal(part) for part in parts]
    cut = [line(size, sum(sizes[:index], Decimal(0))) for index, size in enumerate(sizes)]
    assert tuple(map(sum, zip(*cut, strict=True))) == line(sum(sizes), Decimal(0))


@MANY
@given(
    st.sampled_from(["week", "month", "quarter", "year"]),
    decimals(20000, 2),
    days,
    st.lists(st.integers(1, 400), min_size=2, max_size=5),
    days,
)
def test_a_flat_price_cut_into_parts_costs_what_it_costs_whole(period, price, start, lengths, anchor):
    discount = {"reason": "key", "percent": "12.5", "components": ["base"]}
    terms = parse_tariff(tariff(flat(price, period), discounts=[discount]))

    def line(first, last):
        document = {"from": first.isoformat(), "to": last.isoformat(), "anchor": anchor.isoformat(), "discounts": ["key"]}
        rated = rate(terms, parse_usage(document, terms)).lines[0]
        return rated.gross_minor, rated.payable_minor

    ends = [start + timedelta(days=sum(lengths[:count])) for count in range(len(lengths) + 1)]
    cut = [line(first, last) for first, last in pairwise(ends)]
    assert tuple(map(sum, zip(*cut, strict=True))) == line(ends[0], ends[-1])


@MANY
@given(metered_components(), decimals(80, 3), decimals(80, 3))
def test_more_units_never_cost_less_except_under_the_volume_model(component, less, more):
    if component["model"] == "volume":
        return
    terms = parse_tariff(tariff(component))
    low, high = sorted((Decimal(less), Decimal(more)))
    gross = [rate(terms, parse_usage({"units": {"calls": f"{q:f}"}}, terms)).lines[0].gross_minor for q in (low, high)]
    assert gross[0] <= gross[1]


@MANY
@given(metered_components())
def test_the_price_is_that_of_the_oracle_at_and_around_every_edge(component):
    edges = {Fraction(component.get("included", "0"))}
    edges |= {Fraction(t["up_to"]) + Fraction(component.get("included", "0")) for t in component.get("tiers", []) if t["up_to"]}
    terms = parse_tariff(tariff(component)).components[0]
    for edge in edges:
        for micro in (int(edge * 10**6) + step for step in (-1, 0, 1)):
            if micro >= 0:
                assert terms.value(micro) == f(component, Fraction(micro, 10**6)) * 10**12


@pytest.mark.parametrize("anchor", [date(2024, 2, 29), date(2023, 3, 1), date(2026, 1, 15), date(2027, 12, 31)])
@pytest.mark.parametrize("price", ["12000.00", "0.01", "9999.99"])
def test_a_year_paid_month_by_month_is_the_price_of_the_year(anchor, price):
    from pricing.rules.periods import anniversary

    terms = parse_tariff(tariff(flat(price, "year")))
    day, end, paid = anchor, anniversary(anchor, 1), 0
    while day < end:
        following = min(end, date(day.year + day.month // 12, day.month % 12 + 1, 1))
        usage = {"from": day.isoformat(), "to": following.isoformat(), "anchor": anchor.isoformat()}
        paid += rate(terms, parse_usage(usage, terms)).lines[0].payable_minor
        day = following
    assert paid == Decimal(price) * 100
