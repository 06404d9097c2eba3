"""Rates shared by gateways: no window serves more than its limit, whoever leases; what is not used is given back."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from django.db import connection
from psycopg_pool import AsyncConnectionPool

from market.gateway.rates import Rates, Wanted
from settlement.metering import leases
from settlement.metering.capacity import capacity_of, is_government
from tests.market.gateway.conftest import test_conninfo

pytestmark = pytest.mark.django_db(transaction=True)
NOON = 1_800_000_000 // 60 * 60


class Gateways:
    """Several gateways' rates over one table."""

    def __init__(self, pool: AsyncConnectionPool, count: int) -> None:
        self.pool, self.asked = pool, 0
        self.rates = [Rates(self._lease) for _ in range(count)]

    async def _lease(self, **wanted):
        self.asked += 1
        return await leases.lease(self.pool, **wanted)


def with_gateways(count, play):
    async def run():
        async with AsyncConnectionPool(test_conninfo(), min_size=2, max_size=8, kwargs={"autocommit": True}, open=False) as pool:
            return await play(Gateways(pool, count))

    return asyncio.run(run())


@pytest.mark.parametrize("limit", [1, 7, 20, 100, 997])
def test_four_gateways_serve_exactly_the_limit_of_a_minute(limit):
    async def play(gateways):
        async def caller(rates):
            served = 0
            for _call in range(limit // 8 + 8):
                served += not (await rates.take([Wanted("rate", "e1", limit)], NOON)).refused
            return served

        served = await asyncio.gather(*(caller(gateways.rates[n % 4]) for n in range(32)))
        return sum(served), gateways.asked

    served, asked = with_gateways(4, play)
    assert served == limit
    assert asked <= 4 * leases.BLOCKS + limit // 4 + 40, "calls are leased in blocks, not one by one"
    with connection.cursor() as cursor:
        cursor.execute("SELECT taken FROM settlement_ratelease WHERE bucket = 'e1'")
        assert cursor.fetchall() == [(limit,)]


def test_window_begins_anew_each_minute_and_a_late_call_counts_in_the_new_one():
    async def play(gateways):
        (rates,) = gateways.rates
        want = [Wanted("rate", "e1", 2)]
        found = [(await rates.take(want, NOON + second)).refused for second in (0, 59.9, 59.9, 60, 59, 61)]
        return found, (await rates.take(want, NOON + 61)).seconds

    assert with_gateways(1, play) == (["", "", "rate", "", "", "rate"], 59)


def test_call_that_one_limit_refuses_takes_nothing_of_the_others():
    async def play(gateways):
        (rates,) = gateways.rates
        both = [Wanted("rate", "e1", 10), Wanted("product", "p1", 3)]
        found = Counter([(await rates.take(both, NOON)).refused for _ in range(8)])
        alone = Counter([(await rates.take(both[:1], NOON)).refused for _ in range(9)])
        return found, alone

    assert with_gateways(1, play) == ({"": 3, "product": 5}, {"": 7, "rate": 2})


def test_remaining_counts_what_other_gateways_have_taken():
    async def play(gateways):
        want = [Wanted("rate", "e1", 100)]
        first, second = gateways.rates
        for _ in range(10):
            await first.take(want, NOON)
        return (await second.take(want, NOON)).states, (await first.take(want, NOON)).states

    (second,), (first,) = with_gateways(2, play)
    assert second == ("rate", 100, 89), "ten are used, one by this call"
    assert 80 <= first[2] <= 89, "never more than is left for sure"


def test_stopping_gives_back_and_a_crash_loses_a_block_at_most_until_the_window_ends():
    async def play(gateways):
        want = [Wanted("rate", "e1", 100)]
        stopped, crashed, last = gateways.rates
        await stopped.take(want, NOON)
        await leases.give_back(gateways.pool, list(stopped.left()))
        await crashed.take(want, NOON)
        served = 0
        while not (await last.take(want, NOON)).refused:
            served += 1
        return served, (await last.take(want, NOON + 60)).refused

    served, after = with_gateways(3, play)
    assert 100 - 1 - leases.block_of(100) <= served <= 98 and after == ""


def test_windows_that_are_over_are_forgotten():
    async def play(gateways):
        (rates,) = gateways.rates
        for minute in range(5):
            await rates.take([Wanted("rate", "e1", 5)], NOON + 60 * minute)
        await leases.forget(gateways.pool, began=NOON + 120 + 60 * leases.KEPT_WINDOWS)

    with_gateways(1, play)
    with connection.cursor() as cursor:
        cursor.execute("SELECT began FROM settlement_ratelease ORDER BY began")
        assert [row[0] for row in cursor.fetchall()] == [NOON + 120, NOON + 180, NOON + 240]


def test_lease_that_fails_is_said_to_those_who_wait_and_tried_again():
    calls = Counter()

    async def lease(**_wanted):
        calls["lease"] += 1
        if calls["lease"] == 1:
            raise OSError("away")
        return leases.Lease(1, 1)

    async def play():
        rates = Rates(lease)
        with pytest.raises(OSError):
            await rates.take([Wanted("rate", "e1", 5)], NOON)
        return (await rates.take([Wanted("rate", "e1", 5)], NOON)).refused

    assert asyncio.run(play()) == ""


def test_free_use_fills_three_fifths_paid_use_four_and_government_all_of_a_products_capacity():
    async def play(gateways):
        (rates,) = gateways.rates
        capacity = capacity_of(product_id=1, calls_per_minute=50, free_share=None, paid_share=None, organisation_calls=None)
        found = []
        for purpose, is_free in (("welfare.health", True), ("industry.finance", False), ("governance.tax", True)):
            limit = capacity.limit_of(purpose=purpose, is_free=is_free)
            served = 0
            while not (await rates.take([Wanted("product", "p1", limit)], NOON)).refused:
                served += 1
            found.append(served)
        return found

    assert with_gateways(1, play) == [30, 10, 10]


def test_government_is_told_by_the_purpose():
    assert is_government("governance") and is_government("governance.emergency") and is_government("welfare.emergency")
    assert not is_government("industry.finance") and not is_government("governances.x")


def test_gateway_whose_clock_is_minutes_ahead_doubles_no_limit_of_a_slower_one():
    async def play(gateways):
        want = [Wanted("rate", "e1", 3)]
        slow, ahead, late = gateways.rates
        found = [(await slow.take(want, NOON)).refused for _ in range(3)]
        await ahead.take(want, NOON + 600)
        await leases.forget(gateways.pool, began=NOON + 600)
        return found, (await late.take(want, NOON)).refused

    assert with_gateways(3, play) == ([""] * 3, "rate")


def test_clock_that_is_set_back_from_a_jump_ahead_is_followed():
    async def play(gateways):
        (rates,) = gateways.rates
        want = [Wanted("rate", "e1", 2)]
        found = [(await rates.take(want, second)).refused for second in (NOON, NOON + 3600, NOON + 1, NOON + 2, NOON + 60)]
        return found, (await rates.take(want, NOON + 61)).seconds

    assert with_gateways(1, play) == (["", "", "", "rate", ""], 59)
