"""How much a caller may ask for: rates, and the quota as it was read a moment ago (the commit decides)."""

from __future__ import annotations

import time

from market.gateway.call import Call
from market.gateway.problems import Problem
from market.gateway.resources import Resources
from settlement.entitlements.access import Access


def take_rate(held: Resources, call: Call, key_id: int, per_minute: int) -> None:
    """Headers of draft-ietf-httpapi-ratelimit-headers-10: the rate of the key and, where there is one, the quota."""
    allowance = held.rates.take(key_id, per_minute, time.monotonic())
    policy, state = f'"rate";q={per_minute};w=60', f'"rate";r={allowance.remaining};t={allowance.seconds}'
    access = call.access
    if access is not None and access.quota_limit is not None:
        policy += f', "quota";q={access.quota_limit}'
        state += f', "quota";r={max(0, access.quota_limit - (access.quota_used or 0))}'
    call.headers = {"ratelimit-policy": policy, "ratelimit": state}
    if not allowance.is_allowed:
        raise Problem("rate-limit", headers={"retry-after": str(allowance.seconds)})


async def check_balance(held: Resources, access: Access) -> None:
    """Whether the prepaid balance, as it was a moment ago, covers anything at all: spares the run (the commit decides)."""
    if access.is_prepaid and not access.is_free:
        left = await held.balances.get((access.operator_id, access.organisation_id))
        if not left or left <= 0:
            raise Problem("balance-empty")


def quota_problem(access: Access) -> Problem:
    """A quota does not fill up by waiting; a day is when it is worth looking again."""
    return Problem("quota-used-up", headers={"retry-after": "86400"}, limit=access.quota_limit)
