"""The shop in a real browser: the price answers as one types, buying works, a phone needs no sideways scrolling."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.factories.cast import PASSWORD, make_cast
from tests.factories.offers import USAGE_ONLY, make_offer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def enter(page: Page, url: str, email: str) -> None:
    page.goto(f"{url}/sign-in/")
    page.fill("#id_username", email)
    page.fill("#id_password", PASSWORD)
    page.locator("main form button").click()
    page.wait_for_url("**/console/")


def test_a_buyer_sees_the_price_while_typing_and_buys(page: Page, live_server, clock):
    cast = make_cast(clock.now)
    make_offer(cast, clock.now, document=USAGE_ONLY)
    enter(page, live_server.url, cast.buyer.owner.email)
    page.goto(f"{live_server.url}/products/credit-pre-loan/")
    page.fill("#q-calls", "12000")
    page.locator("#price-quote").get_by_text("¥2,400.00").first.wait_for()
    page.locator("aside form button").click()
    page.wait_for_url("**/basket/")
    page.locator("a.button[href^='/checkout/']").click()
    page.check("#id_accept")
    page.locator("main form > button").click()
    page.wait_for_url("**/checkout/done/**")
    page.locator("main form button").click()
    assert page.locator("output.secret").inner_text().startswith("gs_live_")


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_no_page_scrolls_sideways_on_a_phone(page: Page, live_server, clock, language: str):
    cast = make_cast(clock.now)
    make_offer(cast, clock.now)
    enter(page, live_server.url, cast.buyer.owner.email)
    page.context.add_cookies([{"name": "django_language", "value": language, "url": live_server.url}])
    page.set_viewport_size({"width": 390, "height": 800})
    wide = {}
    for path in (
        "/",
        "/products/",
        "/products/credit-pre-loan/",
        "/basket/",
        "/console/",
        "/console/buyer/",
        "/console/buyer/keys/",
    ):
        page.goto(live_server.url + path)
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > 390:
            wide[path] = width
    assert wide == {}
