"""Many callers at once, several gateways: quotas hold, repeats count once, nothing answered is lost, nothing unmetered is answered."""

from __future__ import annotations

import asyncio
import json
from datetime import date
from uuid import UUID

import pytest
from django.db import transaction

from bench.load import Answer, Connection, drive
from settlement.billing.models import BillingMonth
from settlement.metering.models import UsageEvent
from tests.settlement.stall import Stall

pytestmark = pytest.mark.proof  # four servers at once; kills and cuts are made in tests/faults

BODY = b'{"ask": "latest"}'


def request_of(stall: Stall, **headers: str) -> bytes:
    lines = {"Authorization": f"Bearer {stall.secret}", "Content-Type": "application/json", **headers}
    head = f"POST /v1/products/{stall.product.code} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(BODY)}\r\n"
    return (head + "".join(f"{name}: {value}\r\n" for name, value in lines.items()) + "\r\n").encode() + BODY


def receipts(answers: list[Answer]) -> list[UUID]:
    return [UUID(json.loads(answer.body)["receipt"]["id"]) for answer in answers if answer.status == 200]


def events() -> list[UUID]:
    return list(UsageEvent.objects.values_list("id", flat=True))


def test_quota_of_a_hundred_serves_a_hundred_over_four_processes(serve, stall):
    quota = stall.limit(stall.entitlement, 100)
    server = serve(workers=4)
    answers = asyncio.run(drive([server.port], connections=48, request=lambda _n: request_of(stall), total=400))
    assert sorted({answer.status for answer in answers}) == [200, 429]
    quota.refresh_from_db()
    assert sum(answer.status == 200 for answer in answers) == quota.used == len(events()) == 100
    assert sorted(receipts(answers)) == sorted(events())


def test_repeats_at_the_same_moment_count_once_and_get_the_same_answer(serve, stall):
    server = serve(workers=2)
    answers = asyncio.run(
        drive(
            [server.port], connections=32, request=lambda n: request_of(stall, **{"Idempotency-Key": f"order-{n % 8}"}), total=160
        )
    )
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == len(events()) == 8


def test_call_that_cannot_be_committed_is_answered_503_and_not_counted(client):
    """The month is held as by a close that takes long; the gateway's statement gives up and says so."""
    BillingMonth.objects.create(month=date(2026, 10, 1))
    with transaction.atomic():
        BillingMonth.objects.select_for_update().get(month=date(2026, 10, 1))
        response = client.call()
    assert (response.status_code, response.json()["type"]) == (503, "/problems/recording-failed")
    assert response.headers["retry-after"]
    assert events() == []
    assert client.call().status_code == 200 and len(events()) == 1


def test_stop_answers_what_it_has_taken(serve, stall):
    """SIGTERM under load: every answered call is in the table, and no call is in it without having been answered or cut off."""
    server = serve()
    answers: list[Answer] = []

    async def load() -> None:
        async def one() -> None:
            link = Connection("127.0.0.1", server.port)
            try:
                while True:
                    answers.append(await link.post(f"/v1/products/{stall.product.code}", BODY, headers(stall)))
            except OSError:
                return

        async def stop() -> None:
            while len(answers) < 200:
                await asyncio.sleep(0.01)
            await asyncio.to_thread(server.stop)

        await asyncio.gather(stop(), *(one() for _ in range(16)))

    asyncio.run(load())
    answered = receipts(answers)
    assert len(answered) == len(set(answered)) >= 200 and set(answered) <= set(events())
    assert len(events()) - len(answered) <= 16, "at most one call a connection was cut off"


def headers(stall: Stall) -> dict[str, str]:
    return {"Authorization": f"Bearer {stall.secret}", "Content-Type": "application/json"}
