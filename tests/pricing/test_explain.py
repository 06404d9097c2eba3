"""The trace of a line is true: its sums hold, they end in what is paid, and each step has words in both languages."""

import re
from decimal import Decimal

import pytest
from django.utils import translation
from hypothesis import given, settings

from pricing.documents import parse_tariff, parse_usage
from pricing.explain import KINDS, step_text
from pricing.quote import quote_terms
from pricing.rules import Step
from tests.pricing.price_documents import WORKED_TARIFF, WORKED_USAGE, documents, graduated, tariff

NUMBER = r"-?[0-9]+(?:\.[0-9]+)?"


def priced(document, usage):
    terms = parse_tariff(document)
    return quote_terms(tariff=terms, usage=parse_usage(usage, terms))


@settings(max_examples=150, deadline=None)
@given(documents())
def test_every_trace_ends_in_what_is_paid_and_its_sums_hold(pair):
    result = priced(*pair)
    for line in result.rated.lines:
        steps = result.steps(line)
        assert {step.kind for step in steps} <= set(KINDS)
        assert Decimal(re.findall(NUMBER, steps[-1].text)[-1]) * 100 == line.payable_minor
        for step in steps:
            for a, sign, b, c in re.findall(rf"(?<![⌉÷×] )({NUMBER}) ([×−+]) ({NUMBER}) = ({NUMBER})", step.text):
                a, b, c = Decimal(a), Decimal(b), Decimal(c)
                assert c == {"×": a * b, "−": a - b, "+": a + b}[sign], step.text


def test_the_worked_trace_reads_as_plain_arithmetic():
    result = priced(WORKED_TARIFF, WORKED_USAGE)
    calls, base, storage = ([step.text for step in result.steps(line)] for line in result.rated.lines)
    assert calls == ["10000 × 0.50 = 5000.00", "2000 × 0.30 = 600.00", "Σ = 5600.00", "5600.00 × (100 − 30) % = 3920.00"]
    assert base == ["2026-01-15 – 2026-02-01: 12000.00 × 17 ÷ 365 ≈ 558.90"]
    assert storage == ["0 × 1.20 = 0.00", "0.00 → 0.00"]
    assert [step.text for step in result.tax_steps()] == ["4478.90 ÷ (1 + 0.06) ≈ 4225.38", "4478.90 − 4225.38 = 253.52"]


def test_a_trace_with_units_counted_before_shows_both_totals():
    result = priced(tariff(graduated()), {"units": {"calls": "2"}, "before": {"calls": "9999"}})
    assert [step.text for step in result.steps(result.rated.lines[0])] == [
        "9999 + 2 = 10001",
        "f(10001): 10000 × 0.50 = 5000.00",
        "f(10001): 1 × 0.30 = 0.30",
        "f(10001): Σ = 5000.30",
        "f(9999): 9999 × 0.50 = 4999.50",
        "5000.30 − 4999.50 = 0.80",
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_has_words_for_people(kind):
    with translation.override("en"):
        text = step_text(Step(kind, "1 + 1 = 2"))
    assert text.endswith(": 1 + 1 = 2")
    assert len(text) > len(": 1 + 1 = 2")
