"""Scenario 68: no floating point in price data, neither in the code that prices nor in what it is given."""

import ast
from dataclasses import fields, is_dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pricing.documents import parse_caps, parse_tariff, parse_usage
from pricing.quote import quote, quote_terms
from pricing.reading import DocumentRefused
from pricing.rules.exact import half_up, plain, scaled
from tests.pricing.price_documents import WORKED_CAP, WORKED_TARIFF, WORKED_USAGE, changed, documents
from tests.pricing.test_documents import places

ROOT = Path(__file__).parents[2]
# Estimates and alarms are statistics, not prices; what they find becomes a price only through an exact document.
NOT_PRICES = (
    "pricing/estimation/",
    "settlement/oversight/comparables.py",
    "settlement/oversight/forecasts.py",
    "settlement/watch.py",
    "settlement/whatif/estimates.py",
)
TIMES = ("timeout", "seconds", "interval", "delay", "wait")
EXACT_ONLY = ("pricing/rules/", "pricing/simulation/", "pricing/documents.py", "pricing/quote.py", "pricing/cap_check.py")


def named_values(node):
    """(name, value) of keyword arguments and of annotated or plain assignments."""
    if isinstance(node, ast.Call):
        yield from ((k.arg or "", k.value) for k in node.keywords)
    elif isinstance(node, ast.AnnAssign | ast.Assign) and node.value:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        yield from ((getattr(t, "id", getattr(t, "attr", "")).lower(), node.value) for t in targets)


def float_uses(source, is_strict=False):
    """Line numbers where Python code makes a float: literals, `float(…)`, FloatField, and where strict also true division."""
    tree = ast.parse(source)
    times = {id(value) for node in ast.walk(tree) for name, value in named_values(node) if any(t in name for t in TIMES)}
    for node in ast.walk(tree):
        if (
            (isinstance(node, ast.Constant) and isinstance(node.value, float) and id(node) not in times)
            or (
                isinstance(node, ast.Call)
                and getattr(node.func, "id", getattr(node.func, "attr", ""))
                in (
                    "float",
                    "FloatField",
                    "float64",
                )
            )
            or (is_strict and isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div))
        ):
            yield node.lineno


def price_files():
    for floor in ("pricing", "settlement"):
        for path in sorted((ROOT / floor).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if not name.startswith(NOT_PRICES):
                yield name, path.read_text(encoding="utf-8")


def test_no_code_that_prices_makes_a_float():
    found = [
        f"{name}:{line}" for name, source in price_files() for line in float_uses(source, is_strict=name.startswith(EXACT_ONLY))
    ]
    assert found == []


@pytest.mark.parametrize("source", ["x = 0.5", "x = float(y)", "x = models.FloatField()", "x = a / b", "x /= 3", "f(price=1.0)"])
def test_the_search_for_floats_finds_them(source):
    assert list(float_uses(source, is_strict=True)) == [1]


def test_the_search_for_floats_lets_times_be():
    assert list(float_uses("get(url, timeout=0.5)\nself.WAIT_SECONDS = 0.5\ntimeout_seconds: float = 10.0")) == []


def numbers_in(value):
    if is_dataclass(value):
        value = [getattr(value, field.name) for field in fields(value)]
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from numbers_in(item)
    else:
        yield value


@settings(max_examples=50, deadline=None)
@given(documents())
def test_no_float_reaches_terms_rating_or_answer(pair):
    tariff = parse_tariff(pair[0])
    result = quote_terms(tariff=tariff, usage=parse_usage(pair[1], tariff))
    assert not [n for n in numbers_in([result, result.as_dict(), parse_caps(WORKED_CAP)]) if isinstance(n, float)]


def decimal_places_of(document):
    def at(path):
        value = document
        for key in path:
            value = value[key]
        return value

    return [path for path in places(document) if path and isinstance(at(path), str) and at(path).replace(".", "", 1).isdigit()]


@pytest.mark.parametrize("number", [0.5, 1, Decimal("0.5")])
def test_a_number_is_refused_wherever_a_decimal_string_belongs(number):
    for path in decimal_places_of(WORKED_TARIFF):
        with pytest.raises(DocumentRefused):
            quote(changed(WORKED_TARIFF, path, number), WORKED_USAGE)
    with pytest.raises(DocumentRefused):
        quote(WORKED_TARIFF, changed(WORKED_USAGE, ("units", "calls"), number))
    for path in decimal_places_of(WORKED_CAP):
        with pytest.raises(DocumentRefused):
            parse_caps(changed(WORKED_CAP, path, number))


@given(st.integers(-(10**25), 10**25), st.integers(1, 10**12))
def test_half_up_rounds_as_decimal_does(numerator, denominator):
    with localcontext(prec=80):
        twice = Decimal(2 * numerator) / denominator  # exact enough: a tie is a whole odd number of halves
        if (2 * numerator) % denominator == 0:
            expected = (twice / 2).quantize(Decimal(1), ROUND_HALF_UP)
        else:
            expected = (Decimal(numerator) / denominator).quantize(Decimal(1), ROUND_HALF_UP)
    assert half_up(numerator, denominator) == expected


@given(st.integers(-(10**20), 10**20), st.integers(0, 12))
def test_a_scaled_number_is_written_and_read_back_unchanged(number, places_):
    text = plain(number, places_)
    assert Decimal(text) == Decimal(number).scaleb(-places_)
    assert scaled(text.removeprefix("-"), places_) == abs(number)


def test_a_small_decimal_context_changes_nothing():
    expected = quote(WORKED_TARIFF, WORKED_USAGE)
    with localcontext(prec=2):
        assert quote(WORKED_TARIFF, WORKED_USAGE) == expected
