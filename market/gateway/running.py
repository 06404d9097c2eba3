"""Running the release behind a product: loading it, checking the input, what its answer needs to pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from market.gateway import outputs, probing
from market.gateway.call import Call
from market.gateway.http import speaking
from market.gateway.problems import Problem
from market.gateway.resources import Resources
from products.record.refusals import Refused
from products.runtimes import host
from products.runtimes.base import InputRefused, Loaded, RunResult, RuntimeBusy, RuntimeTimeout
from products.runtimes.pool import FREE, GOVERNMENT, PAID
from settlement.entitlements.access import Access
from settlement.metering.capacity import is_government
from settlement.metering.rules import usage_id


async def load(held: Resources, release_id: int) -> tuple[Loaded, dict[str, Any]]:
    try:
        return await held.loaded(release_id)
    except Refused as refused:
        raise Problem("runtime-failed", refused.code) from refused


def check_input(call: Call, loaded: Loaded, body: Any) -> None:
    with speaking(call.request.language):
        try:
            loaded.check(body)
        except InputRefused as refused:
            raise Problem("input-refused", errors=refused.errors) from refused


def _priority(call: Call, access: Access) -> int:
    if is_government(call.purpose):
        return GOVERNMENT
    return FREE if access.is_free else PAID


async def run(held: Resources, call: Call, access: Access, body: Any) -> RunResult:
    assert access.release_id is not None
    loaded, release = await load(held, access.release_id)
    check_input(call, loaded, body)
    subject = loaded.subject(body)
    if subject is not None:
        await probing.admit(held, call, access, release["config"]["limits"], subject, body)
    call.identifier = usage_id(call.at)
    try:
        with speaking(call.request.language):
            result = await host.run(loaded, body, call.at, call_id=str(call.identifier), priority=_priority(call, access))
    except InputRefused as refused:
        raise Problem("input-refused", errors=refused.errors) from refused
    except RuntimeBusy as refused:
        wait = str(refused.facts.get("retry_after", 1))
        raise Problem("runtime-busy", headers={"retry-after": wait}) from refused
    except RuntimeTimeout as refused:
        raise Problem("runtime-timeout") from refused
    except Refused as refused:
        raise Problem("runtime-failed") from refused
    outputs.check(held, access.release_id, release, result.output)
    if subject is not None:
        probing.answered(held, call, access, release["config"]["limits"], result.output)
    return result if result.has_result else _without_result(result, release["config"])


def _without_result(result: RunResult, config: Mapping[str, Any]) -> RunResult:
    """What an answer that found nothing meters: its units, or zero of them where the release says that it costs nothing.

    Zero units are on record with a receipt like every other call; they are worth 0.00 and take nothing from a quota.
    """
    if config.get("charges_no_result", True):
        return result
    return replace(result, units=dict.fromkeys(result.units, "0"))
