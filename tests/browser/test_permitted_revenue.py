"""The drafting page answers while someone types."""

from __future__ import annotations

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from tests.pricing.revenue.operation import SOURCE, make_filing, make_operation

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_arithmetic_stands_beside_the_form_as_it_is_filled_in(live_server, page: Page, cast, clock):
    operation = make_operation(cast, clock.now)
    make_filing(cast, operation, clock.now)
    client = Client()
    client.force_login(cast.regulator.owner)
    page.context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    page.goto(f"{live_server.url}/console/regulator/revenue/new/{operation.pk}/")
    page.fill("[name=treasury_yield]", "1.83")
    page.fill("[name=treasury_source]", SOURCE)
    page.fill("[name=profit_rate]", "8")
    expect(page.locator("#worked")).to_contain_text("7.83%")
    page.fill("[name=profit_rate]", "7.83")
    expect(page.locator("#worked .amount")).to_contain_text("¥8,835,200.00")
