"""Four gateways hammering one limit: not a unit more than it, and answered = events = what was moved or drawn, to the unit."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import date, datetime

import pytest
from django.db import connection

from bench.load import drive
from settlement.billing.models import Invoice
from settlement.billing.services import close_month
from settlement.metering.models import UsageEvent
from tests.market.gateway.conftest import serve  # noqa: F401  # a fixture
from tests.market.gateway.test_limits import pay
from tests.settlement.books import make_books

pytestmark = pytest.mark.proof
BODY = b'{"ask": "latest"}'
GATEWAYS = 4


def hammer(servers, product, secret, total):
    head = f"POST /v1/products/{product.code} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(BODY)}\r\n"
    head += f"Authorization: Bearer {secret}\r\nContent-Type: application/json\r\n\r\n"
    request = head.encode() + BODY
    ports = [server.port for server in servers]
    answers = asyncio.run(drive(ports, connections=64, request=lambda _n: request, total=total))
    return Counter(answer.status for answer in answers)


def test_four_gateways_overrun_no_quota_no_balance_and_no_rate(serve, transactional_db):  # noqa: F811
    books = make_books()
    stall = books.stall
    quota_of, prepaid, slow = (
        stall.entitle(code="E-quota"),
        stall.entitle(code="E-prepaid", is_prepaid=True),
        stall.entitle(code="E-slow", rate_per_minute=97),
    )
    quota = stall.limit(quota_of, 150)
    pay(stall, 10_033)
    servers = [serve() for _ in range(GATEWAYS)]

    found = hammer(servers, stall.product, stall.key_for(quota_of)[1], 600)
    quota.refresh_from_db()
    assert found == {200: 150, 429: 450} and quota.used == 150 == UsageEvent.objects.filter(entitlement=quota_of).count()

    secret = stall.key_for(prepaid)[1]
    found = hammer(servers, stall.product, secret, 400)
    assert set(found) == {200, 402}
    assert found[200] == UsageEvent.objects.filter(entitlement=prepaid).count() == (10_033 - 150 * 50) // 50

    found = hammer(servers, stall.product, stall.key_for(slow)[1], 400)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), max(taken) FROM settlement_ratelease WHERE bucket = %s", [f"e{slow.pk}"])
        windows, most = cursor.fetchone()
    assert most <= 97 and found[200] == UsageEvent.objects.filter(entitlement=slow).count() <= 97 * windows
    assert found[200] == 97 * windows or windows > 1

    close_month(month=date(2026, 10, 1), at=datetime.fromisoformat("2026-11-04T09:00:00+08:00"))
    invoice = Invoice.objects.get()
    assert invoice.total * 100 == UsageEvent.objects.count() * 50
    assert invoice.drawn_from_deposit * 100 == min(10_033, UsageEvent.objects.count() * 50)
