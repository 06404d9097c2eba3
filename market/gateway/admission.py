"""How much a caller may ask for: rates, and the quota as it was read a moment ago (the commit decides)."""

from __future__ import annotations

from collections.abc import Sequence

from market.gateway.call import Call
from market.gateway.problems import Problem
from market.gateway.rates import Wanted
from market.gateway.resources import Resources
from settlement.entitlements.access import Access
from settlement.metering.leases import WINDOW_SECONDS


async def take_rates(held: Resources, call: Call, access: Access) -> None:
    """One call of the plan's rate, of the organisation's and of the product's capacity. Raises ``Problem`` (429)."""
    assert access.product_id is not None
    capacity = held.capacities.peek(access.product_id) or await held.capacities.get(access.product_id)
    wanted = [Wanted("rate", f"e{access.entitlement_id}", access.rate_per_minute or 0)]
    if capacity is not None:
        if capacity.organisation_calls is not None:
            wanted.append(Wanted("organisation", f"o{access.organisation_id}", capacity.organisation_calls))
        limit = capacity.limit_of(purpose=call.purpose, is_free=access.is_free)
        if limit is not None:
            wanted.append(Wanted("product", f"p{access.product_id}", limit))
    await _take(held, call, wanted)


async def take_key_rate(held: Resources, call: Call, access: Access, per_minute: int) -> None:
    """Of what uses nothing up: the sandbox, withdrawals of consent."""
    await _take(held, call, [Wanted("rate", f"k{access.key_id}", per_minute)])


async def _take(held: Resources, call: Call, wanted: Sequence[Wanted]) -> None:
    """Headers of draft-ietf-httpapi-ratelimit-headers-10: what bounds the call, a quota among it, and what is left of each."""
    second = call.at.timestamp()
    allowance = held.rates.spend(wanted, second) or await held.rates.take(wanted, second)
    seconds = allowance.seconds
    policy = ", ".join([f'"{name}";q={limit};w={WINDOW_SECONDS}' for name, limit, _left in allowance.states])
    state = ", ".join([f'"{name}";r={left};t={seconds}' for name, _limit, left in allowance.states])
    access = call.access
    if access is not None and access.quota_limit is not None:
        policy += f', "quota";q={access.quota_limit}'
        state += f', "quota";r={max(0, access.quota_limit - (access.quota_used or 0))}'
    call.headers = {"ratelimit-policy": policy, "ratelimit": state}
    if allowance.refused:
        raise Problem("rate-limit", headers={"retry-after": str(seconds)}, policy=allowance.refused)


async def check_balance(held: Resources, access: Access) -> None:
    """Whether the prepaid balance, as it was a moment ago, is overdrawn: spares the run.

    With nothing left a call may still cost nothing (included calls), and what has no price cannot be told: the commit decides.
    """
    if access.is_prepaid and not access.is_free:
        left = await held.balances.get((access.operator_id, access.organisation_id))
        if left is not None and left < 0:
            raise Problem("balance-empty")


async def take_plan_rate(held: Resources, call: Call, access: Access) -> None:
    """Of the plan alone, where a call goes on under another right: what bounds buyer and product was taken before."""
    await _take(held, call, [Wanted("rate", f"e{access.entitlement_id}", access.rate_per_minute or 0)])


def quota_problem(access: Access, **more: str | None) -> Problem:
    """A quota does not fill up by waiting; a day is when it is worth looking again. ``more`` says why the call does not go on."""
    problem = Problem("quota-used-up", headers={"retry-after": "86400"}, limit=access.quota_limit)
    problem.extra |= more
    return problem
