"""What stops the listing of a protected table, and shows who explores one.

Each question about a subject is counted in one statement before the run (``products.runtimes.limits``). What looks like probing
is told to the journal, which opens a risk case behind the calls; while one is open, questions under the entitlement are answered
429.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from market.gateway import signing
from market.gateway.call import Call
from market.gateway.http import speaking
from market.gateway.problems import Problem
from market.gateway.resources import Resources
from products.record.clock import business_date
from products.runtimes.limits import ADMIT_SQL, PROBING, SubjectLimitReached, asked, parameters, raise_unless_admitted
from settlement.entitlements.access import Access


@cache
def _key() -> bytes:
    return signing.derived("probing")


async def admit(held: Resources, call: Call, access: Access, limits: dict[str, Any], subject: bytes, body: Any) -> None:
    """Count the question about a subject, or refuse it. Raises ``Problem`` (429)."""
    assert access.product_id is not None and access.entitlement_id is not None
    given = body if isinstance(body, dict) else {}
    text = given.get("subject") or subject.hex()  # a remote service names its subject otherwise: it has no neighbours
    question = asked(key=_key(), subject=subject, text=str(text), claims=given.get("claims", body))
    named = parameters(
        product=access.product_id,
        organisation=access.organisation_id,
        watched=str(access.entitlement_id),
        limits=limits,
        question=question,
        at=call.at,
    )
    async with held.pool.connection() as connection:
        row = await (await connection.execute(ADMIT_SQL, named)).fetchone()
    answer = row[0] if row else "subjects"
    if answer in PROBING:
        held.journal.probing(access.entitlement_id, answer)
    try:
        raise_unless_admitted(answer, limits=limits, at=call.at)
    except SubjectLimitReached as refused:
        with speaking(call.request.language):
            detail = str(refused)
        raise Problem("subject-limit", detail, headers={"retry-after": str(refused.facts["retry_after"])}) from refused


def answered(held: Resources, call: Call, access: Access, limits: dict[str, Any], output: dict[str, Any]) -> None:
    """Tell the journal whether anything matched; it adds up the day's questions and looks at their share."""
    assert access.product_id is not None and access.entitlement_id is not None
    results = output.get("results")
    if not isinstance(results, dict):
        return
    missed = "match" not in results.values()
    key = (access.product_id, access.organisation_id, business_date(call.at))
    held.journal.asked(key, access.entitlement_id, limits, missed=missed)
