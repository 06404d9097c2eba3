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
