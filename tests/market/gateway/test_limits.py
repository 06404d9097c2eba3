"""Limits over HTTP: prepaid balances, rates, free quotas at their end."""

from __future__ import annotations

import time

from settlement.billing.models import Deposit
from settlement.billing.services import deposit_receive
from settlement.metering.models import UsageEvent
from tests.market.gateway.test_calls import problem
from tests.settlement.stall import START


def pay(stall, minor: int) -> None:
    deposit_receive(
        organisation=stall.buyer,
        operator=stall.operator,
        amount_minor=minor,
        order_number="O-1",
        channel="bank",
        key=f"deposit:{Deposit.objects.count()}",
        at=START,
    )


def test_prepaid_balance_serves_what_it_covers_and_a_top_up_counts_at_once(client):
    stall = client.stall
    pay(stall, 275)
    secret = stall.key_for(stall.entitle(code="E-prepaid", is_prepaid=True))[1]
    answers = [client.call(secret) for _ in range(7)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [402] * 2
    problem(answers[-1], 402, "balance-empty")
    assert UsageEvent.objects.count() == 5
    pay(stall, 25)
    paid, answer = time.monotonic(), client.call(secret)
    while answer.status_code != 200:
        assert time.monotonic() - paid < 2, answer.text
        answer = client.call(secret)
    problem(client.call(secret), 402, "balance-empty")
    assert UsageEvent.objects.count() == 6


def test_one_limit_of_a_plan_bounds_all_its_keys_and_a_products_capacity_all_its_callers(client):
    stall = client.stall
    entitlement = stall.entitle(code="E-slow", rate_per_minute=5)
    keys = [stall.key_for(entitlement)[1] for _ in range(2)]
    answers = [client.call(keys[n % 2]) for n in range(8)]
    served = sum(answer.status_code == 200 for answer in answers)
    assert served in (5, 6, 7, 8) and (served == 5 or answers[-1].headers["ratelimit"] > answers[0].headers["ratelimit"])
    type(stall.product).objects.update(calls_per_minute=10)
    ends = time.monotonic() + 3
    while "product" not in (answer := client.call()).headers["ratelimit-policy"]:
        assert time.monotonic() < ends
    assert '"product";q=8;w=60' in answer.headers["ratelimit-policy"], "paid use may fill four fifths"
    refused = next(answer for answer in (client.call() for _ in range(20)) if answer.status_code != 200)
    assert problem(refused, 429, "rate-limit")["policy"] == "product"
    assert 1 <= int(refused.headers["retry-after"]) <= 60 and '"product";r=0' in refused.headers["ratelimit"]
