"""Limits over HTTP: prepaid balances, rates, free quotas at their end."""

from __future__ import annotations

import time
from datetime import date, timedelta

from market.gateway.resources import _tags_of_capacity
from pricing.grants.models import FreeUseGrant
from pricing.tariffs.models import Tariff
from settlement.billing.models import Deposit
from settlement.billing.services import deposit_receive
from settlement.metering.capacity import capacity_of
from settlement.metering.models import UsageEvent
from tests.market.gateway.test_calls import problem
from tests.settlement.stall import START, TARIFF


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


def foundation(stall, quota: int, plan=None, **paid):
    """A free grant of so many calls, a right of a plan beside it, and a key of the free one."""
    grant = FreeUseGrant.objects.create(
        number="FU-2026-0001",
        organisation=stall.buyer,
        product=stall.product,
        purpose="welfare.health",
        scenario="port",
        statement="…",
        quota_asked=quota,
        asked_until=date(2026, 12, 1),
        continues_on=plan,
        created_at=START,
    )
    free = stall.entitle(code="E-free", plan=None, grant=grant, purposes=["welfare.health"])
    stall.limit(free, quota)
    return stall.entitle(**{"code": "E-paid", "purposes": ["welfare"]} | paid), stall.key_for(free)[1]


def test_scenario_49_call_after_a_free_quota_is_denied_where_nothing_else_was_chosen(client):
    _paid, secret = foundation(client.stall, 2)
    answers = [client.call(secret) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
    problem(answers[2], 429, "quota-used-up")
    assert [event.is_free for event in UsageEvent.objects.all()] == [True, True], "never silently charged"


def test_scenario_49_call_after_a_free_quota_is_paid_by_the_choice_made_before_and_says_so(client):
    paid, secret = foundation(client.stall, 2, client.stall.plan)
    answers = [client.call(secret, headers={"Idempotency-Key": f"n{n}"}) for n in range(5)]
    assert [answer.status_code for answer in answers] == [200] * 5, answers[-1].text
    charged = [answer.json().get("charged") for answer in answers]
    assert charged == [None] * 2 + [{"entitlement": paid.code, "because": "quota-used-up"}] * 3
    found = UsageEvent.objects.order_by("id").values_list("entitlement__code", "is_free")
    assert list(found) == [("E-free", True)] * 2 + [("E-paid", False)] * 3
    receipt = client.get(answers[-1].json()["receipt"]["url"], secret).json()
    assert (receipt["entitlement"], receipt["free"], receipt["purpose"]) == ("E-paid", False, "welfare.health")
    again = client.call(secret, headers={"Idempotency-Key": "n4"})
    assert again.content == answers[4].content and UsageEvent.objects.count() == 5


def test_scenario_49_paid_right_must_serve_the_call_by_itself(client):
    _paid, secret = foundation(client.stall, 1, client.stall.plan, purposes=["industry.finance"])
    assert client.call(secret).status_code == 200
    refused = problem(client.call(secret), 429, "quota-used-up")
    assert (refused["continues"], refused["refusal"]) == (client.stall.entitlement.code, "purpose-outside")
    assert UsageEvent.objects.count() == 1


def test_included_calls_are_served_though_a_flat_price_took_the_whole_balance(client):
    stall = client.stall
    base = {"code": "base", "label": "基础费", "basis": "periods", "model": "flat", "period": "month", "price": "100.00"}
    calls = TARIFF["components"][0] | {"model": "graduated", "included": "3", "tiers": [{"up_to": None, "unit_price": "0.50"}]}
    calls.pop("unit_price")
    stall.tariff.state = "withdrawn"
    stall.tariff.save()
    facts = {"version": 2, "digest": "1" * 64, "document": TARIFF | {"components": [base, calls]}}
    facts |= {name: getattr(stall.tariff, name) for name in ("plan", "period", "filed_by", "filed_at")}
    Tariff.objects.create(**facts)
    stall.entitlement.is_prepaid = True
    stall.entitlement.save()
    pay(stall, 10_000)
    assert [client.call().status_code for _ in range(4)] == [200, 200, 200, 402]


def test_call_that_took_the_last_fen_has_its_answer_when_it_is_repeated(client):
    stall = client.stall
    pay(stall, 100)
    paid = stall.entitle(code="E-prepaid", is_prepaid=True)
    secret = stall.key_for(paid)[1]
    named = {"headers": {"Idempotency-Key": "last"}}
    first = client.call(secret, **named)
    assert first.status_code == 200
    assert [client.call().status_code for _ in range(2)] == [200, 200], "postpaid use is drawn from the same deposits"
    time.sleep(1.1)
    problem(client.call(secret), 402, "balance-empty")
    assert client.call(secret, **named).content == first.content and UsageEvent.objects.count() == 3


def test_call_that_goes_on_takes_one_of_the_paid_plans_rate(client):
    _paid, secret = foundation(client.stall, 1, client.stall.plan, rate_per_minute=3)
    while time.time() % 60 > 50:
        time.sleep(0.5)
    assert [client.call(secret).status_code for _ in range(5)] == [200] * 4 + [429]


def test_call_goes_on_under_the_right_that_is_valid_now_not_under_its_renewal(client):
    stall = client.stall
    paid, secret = foundation(stall, 1, stall.plan)
    renewal = {"valid_from": paid.valid_to, "valid_to": paid.valid_to + timedelta(days=300), "purposes": ["welfare"]}
    stall.entitle(code="E-renewal", **renewal)
    assert [client.call(secret).status_code for _ in range(2)] == [200, 200]
    assert UsageEvent.objects.order_by("-id")[0].entitlement == paid


def test_shares_of_a_capacity_are_never_believed_for_more_than_a_second():
    """Nobody is told of a new rule set, so no notice can forget them."""
    shares = capacity_of(product_id=1, calls_per_minute=9, free_share=None, paid_share=None, organisation_calls=None)
    assert _tags_of_capacity(shares) is None
