"""Quotes through the one price door, and both proofs of a tariff: what a page, a basket or the editor waits for."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from bench.scale import scaled
from bench.table import Figure
from pricing.documents import parse_caps, parse_tariff, parse_usage
from pricing.quote import quote, quote_terms
from pricing.rules import prove
from pricing.rules.falls import first_fall

TIERS = (("10000", "0.50"), ("100000", "0.30"), (None, "0.10"))
TARIFF = {
    "currency": "CNY",
    "components": [
        {
            "code": "calls",
            "basis": "calls",
            "model": "graduated",
            "tiers": [{"up_to": end, "unit_price": price} for end, price in TIERS],
        }
    ],
    "tax": {"rate": "0.06", "inclusive": True},
}
CAPS = {"caps": [{"basis": "calls", "cap": "0.50"}]}
VOLUME = {
    "currency": "CNY",
    "components": [
        {
            "code": f"c{number}",
            "basis": "calls",
            "model": "volume",
            "tiers": [
                *(
                    {"up_to": str(1000 * step), "unit_price": f"0.{60 - step:02d}", "flat_fee": f"{step * 20}.00"}
                    for step in range(1, 20)
                ),
                {"up_to": None, "unit_price": "0.30", "flat_fee": "900.00"},
            ],
        }
        for number in range(3)
    ],
    "discounts": [{"reason": f"r{n}", "percent": str(5 * n), "components": ["c0", "c1"]} for n in range(1, 5)],
    "tax": {"rate": "0.06", "inclusive": True},
}


def run() -> list[Figure]:
    terms, caps, volume = parse_tariff(TARIFF), parse_caps(CAPS), parse_tariff(VOLUME)
    usages = [{"units": {"calls": str(number * 7919 % 250_000)}} for number in range(scaled(5_000))]
    parsed = [parse_usage(usage, terms) for usage in usages]
    how = "graduated, three tiers; one core"
    return [
        Figure("quotes, documents in and out", per_second(lambda usage: quote(TARIFF, usage), usages), "quotes/s", note=how),
        Figure(
            "quotes, parsed terms", per_second(lambda usage: quote_terms(tariff=terms, usage=usage), parsed), "quotes/s", note=how
        ),
        Figure("cap proofs", per_second(lambda _usage: prove(terms, caps), parsed[:500]), "proofs/s", note=how),
        Figure(
            "proofs that the total never falls",
            per_second(lambda _usage: first_fall(volume), parsed[:100]),
            "proofs/s",
            note="three volume prices of 20 tiers on one basis, four discounts",
        ),
    ]


def per_second(act: Callable[[Any], Any], asked: list[Any]) -> float:
    began = time.perf_counter()
    for each in asked:
        act(each)
    return len(asked) / (time.perf_counter() - began)
