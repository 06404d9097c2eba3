"""What happens when a free quota is used up: calls stop, or go on under the paid right that the claimant chose beforehand.

The choice stands in the grant (``FreeUseGrant.continues_on``, a plan); the right is an entitlement of that plan that the same
organisation bought for the product. Nothing is charged that was not chosen, and every answer that is charged says so.
"""

from __future__ import annotations

from market.gateway.admission import check_balance, quota_problem, take_plan_rate
from market.gateway.call import Call
from market.gateway.resources import Resources
from settlement.entitlements import keys
from settlement.entitlements.access import Access


async def continuing(held: Resources, call: Call, access: Access) -> Access:
    """The paid right under which the call goes on. Raises ``Problem`` (429) where none was chosen or it does not serve this."""
    if not access.is_free or access.continues_id is None:
        raise quota_problem(access)
    secret = call.request.header(b"authorization").partition(" ")[2].strip()
    asked = (keys.digest(secret), access.continues_id)
    paid = held.continued.peek(asked)
    if paid is not None and paid.turns_at <= call.at:  # it may say something else by itself now
        held.continued.drop(asked)
        paid = None
    paid = paid or await held.continued.get(asked)
    if paid is None or paid.is_free:
        raise quota_problem(access)
    refusal = paid.refusal(call.purpose, call.at)
    if refusal is not None:
        raise quota_problem(access, continues=paid.entitlement, refusal=refusal)
    await check_balance(held, paid)
    await take_plan_rate(held, call, paid)
    return paid
