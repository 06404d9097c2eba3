"""Documents are refused with everything that is wrong and where; parser and published JSON Schema agree."""

import json
from pathlib import Path

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pricing
from pricing.documents import parse_caps, parse_tariff, parse_usage
from pricing.explain import KINDS, problem_text
from pricing.quote import quote
from pricing.reading import BEYOND_SCHEMA, TEXTS, DocumentRefused, load_json
from tests.pricing.price_documents import (
    TIERS,
    WORKED_CAP,
    WORKED_TARIFF,
    WORKED_USAGE,
    changed,
    documents,
    flat,
    graduated,
    package,
    per_unit,
    tariff,
    volume,
)

SCHEMAS = Path(pricing.__file__).parent / "schemas"
VALIDATORS = {
    name: jsonschema_rs.validator_for(json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8")))
    for name in ("tariff", "usage", "cap", "quote")
}


def problems_of(parse, *args):
    try:
        parse(*args)
    except DocumentRefused as refusal:
        return [(problem.pointer, problem.rule) for problem in refusal.problems]
    return []


def parse_worked_usage(document):
    return parse_usage(document, parse_tariff(WORKED_TARIFF))


PARSERS = {"tariff": parse_tariff, "usage": parse_worked_usage, "cap": parse_caps}
WORKED = {"tariff": WORKED_TARIFF, "usage": WORKED_USAGE, "cap": WORKED_CAP}
CALLS, BASE = ("components", 0), ("components", 1)
REFUSED = [
    ("tariff", ("colour",), "red", "/colour", "unknown_key"),
    ("tariff", ("a/b~c",), "red", "/a~1b~0c", "unknown_key"),
    ("tariff", (*CALLS, "colour"), "red", "/components/0/colour", "unknown_key"),
    ("tariff", (*CALLS, "unit_price"), "1", "/components/0/unit_price", "unknown_key"),
    ("tariff", (*CALLS, "tiers", 0, "price"), "1", "/components/0/tiers/0/price", "unknown_key"),
    ("tariff", ("discounts", 0, "cap"), "1", "/discounts/0/cap", "unknown_key"),
    ("tariff", ("tax", "kind"), "vat", "/tax/kind", "unknown_key"),
    ("tariff", (*CALLS, "model"), "stairs", "/components/0/model", "unknown_value"),
    ("tariff", (*CALLS, "model"), ["flat"], "/components/0/model", "unknown_value"),
    ("tariff", (*CALLS, "model"), ..., "/components/0/model", "missing"),
    ("tariff", (*CALLS, "basis"), "minutes", "/components/0/basis", "unknown_value"),
    ("tariff", (*CALLS, "counts_over"), "week", "/components/0/counts_over", "unknown_value"),
    ("tariff", (*CALLS, "collected"), "no", "/components/0/collected", "not_boolean"),
    ("tariff", (*CALLS, "code"), "", "/components/0/code", "bad_text"),
    ("tariff", (*CALLS, "code"), "minimum", "/components/0/code", "reserved_code"),
    ("tariff", (*CALLS, "code"), "base", "/components/1/code", "duplicate_code"),
    ("tariff", (*BASE, "period"), "decade", "/components/1/period", "unknown_value"),
    ("tariff", (*BASE, "included"), "1", "/components/1/included", "unknown_key"),
    ("tariff", (*BASE, "price"), ..., "/components/1/price", "missing"),
    ("tariff", (*BASE, "price"), "1.005", "/components/1/price", "too_many_decimals"),
    ("tariff", (*BASE, "price"), "-1", "/components/1/price", "negative"),
    ("tariff", (*BASE, "price"), 12000, "/components/1/price", "number_not_string"),
    ("tariff", (*BASE, "price"), 12000.5, "/components/1/price", "number_not_string"),
    ("tariff", (*BASE, "price"), None, "/components/1/price", "not_decimal"),
    ("tariff", (*BASE, "price"), "1e3", "/components/1/price", "not_decimal"),
    ("tariff", (*BASE, "price"), "１", "/components/1/price", "not_decimal"),
    ("tariff", (*BASE, "price"), "1\n", "/components/1/price", "not_decimal"),
    ("tariff", (*BASE, "price"), "+1", "/components/1/price", "not_decimal"),
    ("tariff", (*CALLS, "tiers", 0, "unit_price"), "0.1234567", "/components/0/tiers/0/unit_price", "too_many_decimals"),
    ("tariff", (*CALLS, "tiers", 0, "unit_price"), 0.5, "/components/0/tiers/0/unit_price", "number_not_string"),
    ("tariff", (*CALLS, "tiers", 0, "flat_fee"), "0.125", "/components/0/tiers/0/flat_fee", "too_many_decimals"),
    ("tariff", (*CALLS, "tiers", 1, "up_to"), "10000", "/components/0/tiers/1/up_to", "tier_order"),
    ("tariff", (*CALLS, "tiers", 0, "up_to"), "0", "/components/0/tiers/0/up_to", "tier_order"),
    ("tariff", (*CALLS, "tiers", 0, "up_to"), None, "/components/0/tiers/0/up_to", "tier_end"),
    ("tariff", (*CALLS, "tiers", 2, "up_to"), "200000", "/components/0/tiers/2/up_to", "tier_end"),
    ("tariff", (*CALLS, "tiers", 2, "up_to"), ..., "/components/0/tiers/2/up_to", "missing"),
    ("tariff", (*CALLS, "tiers"), [], "/components/0/tiers", "empty_list"),
    ("tariff", (*CALLS, "tiers"), {}, "/components/0/tiers", "not_list"),
    ("tariff", (*CALLS, "included"), "-5", "/components/0/included", "negative"),
    ("tariff", ("components",), {}, "/components", "not_list"),
    ("tariff", ("components", 2), "storage", "/components/2", "not_object"),
    ("tariff", ("discounts", 0, "percent"), "100.01", "/discounts/0/percent", "percent_range"),
    ("tariff", ("discounts", 0, "percent"), "-1", "/discounts/0/percent", "negative"),
    ("tariff", ("discounts", 0, "percent"), 30, "/discounts/0/percent", "number_not_string"),
    ("tariff", ("discounts", 0, "components", 0), "nothing", "/discounts/0/components/0", "unknown_component"),
    ("tariff", ("minimum",), 100, "/minimum", "number_not_string"),
    ("tariff", ("maximum",), "1.001", "/maximum", "too_many_decimals"),
    ("tariff", ("tax",), ..., "/tax", "missing"),
    ("tariff", ("tax",), None, "/tax", "not_object"),
    ("tariff", ("tax", "rate"), 0.06, "/tax/rate", "number_not_string"),
    ("tariff", ("tax", "rate"), "6", "/tax/rate", "rate_range"),
    ("tariff", ("tax", "inclusive"), ..., "/tax/inclusive", "missing"),
    ("tariff", ("currency",), "USD", "/currency", "unknown_value"),
    ("tariff", ("currency",), ..., "/currency", "missing"),
    ("usage", ("units", "call"), "1", "/units/call", "unknown_component"),
    ("usage", ("units", "base"), "1", "/units/base", "units_of_flat"),
    ("usage", ("before", "call"), "1", "/before/call", "unknown_component"),
    ("usage", ("units", "calls"), 12000, "/units/calls", "number_not_string"),
    ("usage", ("units", "calls"), "-1", "/units/calls", "negative"),
    ("usage", ("units", "calls"), "0.0000001", "/units/calls", "too_many_decimals"),
    ("usage", ("units",), [], "/units", "not_object"),
    ("usage", ("to",), "2026-01-15", "/to", "not_after"),
    ("usage", ("to",), ..., "/to", "dates_needed"),
    ("usage", ("from",), ..., "/from", "dates_needed"),
    ("usage", ("from",), "2026-02-30", "/from", "no_such_day"),
    ("usage", ("from",), "20260115", "/from", "not_date"),
    ("usage", ("anchor",), "2026-1-5", "/anchor", "not_date"),
    ("usage", ("discounts",), "key_scenario", "/discounts", "not_list"),
    ("usage", ("discounts", 0), 5, "/discounts/0", "not_text"),
    ("usage", ("free",), "false", "/free", "not_boolean"),
    ("usage", ("till",), "2026-02-01", "/till", "unknown_key"),
    ("cap", ("caps", 0, "basis"), "minutes", "/caps/0/basis", "unknown_value"),
    ("cap", ("caps", 0, "cap"), 0.5, "/caps/0/cap", "number_not_string"),
    ("cap", ("caps", 0, "cap"), "0.1234567", "/caps/0/cap", "too_many_decimals"),
    ("cap", ("caps", 0, "period"), "year", "/caps/0/period", "unknown_key"),
    ("cap", ("caps", 1, "period"), ..., "/caps/1/period", "missing"),
    ("cap", ("caps", 1, "period"), "decade", "/caps/1/period", "unknown_value"),
    ("cap", ("caps", 1, "cap"), "0.125", "/caps/1/cap", "too_many_decimals"),
    ("cap", ("caps", 1), {"basis": "calls", "cap": "1"}, "/caps/1", "duplicate_cap"),
    ("cap", ("caps",), ..., "/caps", "missing"),
    ("cap", ("purposes", 0), "fun", "/purposes/0", "bad_text"),
    ("cap", ("from",), "2026-13-01", "/from", "not_date"),
    ("cap", ("colour",), "red", "/colour", "unknown_key"),
]


@pytest.mark.parametrize(("kind", "path", "value", "pointer", "rule"), REFUSED)
def test_a_fault_is_refused_at_its_place(kind, path, value, pointer, rule):
    document = changed(WORKED[kind], path, value)
    assert (pointer, rule) in problems_of(PARSERS[kind], document)
    assert VALIDATORS[kind].is_valid(document) is (rule in BEYOND_SCHEMA)


@pytest.mark.parametrize("kind", PARSERS)
def test_worked_documents_are_accepted_by_parser_and_schema(kind):
    assert problems_of(PARSERS[kind], WORKED[kind]) == []
    assert VALIDATORS[kind].is_valid(WORKED[kind])


def test_all_faults_of_both_documents_are_told_at_once():
    with pytest.raises(DocumentRefused) as refusal:
        quote({**WORKED_TARIFF, "currency": "USD", "tax": None}, {**WORKED_USAGE, "to": "2026-01-01", "free": 1})
    assert {(error["document"], error["pointer"]) for error in refusal.value.errors} == {
        ("tariff", "/currency"),
        ("tariff", "/tax"),
        ("usage", "/to"),
        ("usage", "/free"),
    }


def test_other_shapes_are_judged_alike_by_parser_and_schema():
    for document in (
        tariff(package("0")),
        tariff(package("0.000000")),
        tariff(package("0.000001")),
        tariff(package("100", "1.234")),
        tariff(volume([{"up_to": None, "unit_price": "1"}], included="5")),
        tariff(graduated(TIERS, included=5)),
        tariff(per_unit("1", unit="")),
        tariff(per_unit("1", label=5)),
        tariff(flat(counts_over="year", unit="年")),
        tariff(),
        {**tariff(per_unit()), "discounts": [{"reason": "a", "percent": "100.000000", "components": []}]},
        {**tariff(per_unit()), "discounts": [{"reason": "a", "percent": "0100", "components": []}]},
        {**tariff(per_unit()), "discounts": [{"reason": "", "percent": "1", "components": [""]}]},
        {**tariff(per_unit()), "tax": {"rate": "1.000000", "inclusive": True}},
        {**tariff(per_unit()), "tax": {"rate": "1.000001", "inclusive": True}},
        {**tariff(per_unit("1" * 19))},
        [],
        None,
    ):
        faults = {rule for _, rule in problems_of(parse_tariff, document)} - BEYOND_SCHEMA
        assert VALIDATORS["tariff"].is_valid(document) is (not faults), document


JUNK = st.sampled_from(
    [
        None,
        True,
        5,
        0.5,
        "",
        "x",
        "-1",
        "0.5",
        "1.234",
        "1.2345678",
        [],
        {},
        ["x"],
        {"x": "1"},
        "flat",
        "year",
        "2026-01-15",
        "month",
    ]
)


def places(value, path=()):
    yield path
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        yield from places(member, (*path, key))


@settings(max_examples=120, deadline=None)
@given(documents(), st.data())
def test_parser_and_schema_agree_on_documents_with_a_place_made_wrong(pair, data):
    document = pair[data.draw(st.integers(0, 1))]
    kind = "tariff" if document is pair[0] else "usage"
    path = data.draw(st.sampled_from([path for path in places(document) if path]))
    broken = changed(document, path, data.draw(JUNK | st.just(...)))
    parse = parse_tariff if kind == "tariff" else lambda d: parse_usage(d, parse_tariff(pair[0]))
    rules = {rule for _, rule in problems_of(parse, broken)}
    assert VALIDATORS[kind].is_valid(broken) is (not rules - BEYOND_SCHEMA), (broken, rules)


def test_the_published_schemas_are_json_schema():
    published = {path.name.removesuffix(".schema.json") for path in SCHEMAS.glob("*.schema.json")}
    assert published >= set(VALIDATORS)
    for name in published:
        document = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
        assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema" and jsonschema_rs.meta.is_valid(document), (
            name
        )
    assert not jsonschema_rs.meta.is_valid(document | {"type": "no such type"})


def test_a_key_written_twice_is_refused():
    content = b'{"currency": "CNY", "components": [], "tax": {"rate": "0.06", "rate": "0.09", "inclusive": true}}'
    assert problems_of(parse_tariff, load_json(content, "tariff")) == [("/tax/rate", "duplicate_key")]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff", b'{"a": NaN}', b"[" * 100000, b'{"a": 1e999999999999999999999}x', b"{'a': 1}"]
)
def test_what_is_not_json_is_refused(content):
    assert problems_of(load_json, content, "tariff.json") == [("", "not_json")]


def test_numbers_of_a_file_are_refused_whatever_their_size():
    content = b'{"currency": "CNY", "components": [], "minimum": ' + b"9" * 6000 + b', "tax": {"rate": 0.06, "inclusive": true}}'
    assert problems_of(parse_tariff, load_json(content, "t")) == [
        ("/minimum", "number_not_string"),
        ("/tax/rate", "number_not_string"),
    ]


def test_every_sentence_of_a_refusal_can_be_written():
    values = {"places": 2, "value": '"x"', "known": "a, b", "reason": "gone", "most": 8}
    assert all("%(" not in text % values for text in TEXTS.values())
    with pytest.raises(DocumentRefused) as refusal:
        parse_tariff({})
    assert all(problem_text(problem) for problem in refusal.value.problems)
    assert all(str(label) for label in KINDS.values())
