"""An emergency on a phone, with the keyboard alone: stop, see it everywhere, let another person lift it; and the pages of keys."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
from playwright.sync_api import Page

from settlement.entitlements.models import ApiKey, EmergencyStop
from settlement.entitlements.services import key_issue
from tests.browser.test_shop import enter
from tests.factories.cast import make_cast
from tests.factories.offers import make_offer
from tests.settlement.stall import entitle

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def seen(page: Page, name: str) -> None:
    """No sideways scrolling; with ``SHOTS`` set, a picture to look at."""
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"], name
    if os.environ.get("SHOTS"):
        page.screenshot(path=f"{os.environ['SHOTS']}/{name}.png", full_page=True)


@pytest.mark.parametrize(("language", "width"), [("zh-hans", 390), ("en", 1280)])
def test_a_product_is_stopped_and_a_key_changed_in_the_browser(page: Page, live_server, clock, language: str, width: int):
    cast = make_cast(clock.now)
    offer = make_offer(cast, clock.now)
    facts = {"purposes": [offer.product.purposes[0]], "valid_from": clock.now - timedelta(days=9), "created_at": clock.now}
    held = entitle(offer.product, cast.buyer.organisation, offer.plan, code="E-held", **facts)
    key_issue(entitlement=held, mode="live", name="一号", networks=["203.0.113.0/24"], user=cast.buyer.owner, at=clock.now)
    page.set_viewport_size({"width": width, "height": 844})
    enter(page, live_server.url, cast.platform.reviewer.email)
    page.context.add_cookies([{"name": "django_language", "value": language, "url": live_server.url}])
    page.goto(f"{live_server.url}/console/stops/new/")
    page.focus("#id_kind_0")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type(offer.product.code)
    page.keyboard.press("Tab")
    page.keyboard.type("Wrong figures")
    page.keyboard.press("Tab")
    page.keyboard.type("Identifiers seen in the answers")
    seen(page, f"new-{width}")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator("input[name=confirm]").wait_for(state="attached")
    seen(page, f"confirm-{width}")
    page.locator("main form button.danger").press("Enter")
    page.wait_for_url("**/console/stops/*/")
    stop = EmergencyStop.objects.get()
    seen(page, f"stop-{width}")
    page.goto(f"{live_server.url}/console/stops/")
    seen(page, f"stops-{width}")
    for path, name in ((f"/products/{offer.product.code}/", "product"), ("/operators/operator/capabilities", "capabilities")):
        page.goto(live_server.url + path)
        assert "Wrong figures" in page.locator("main").inner_text()
        seen(page, f"{name}-{width}")
    page.context.clear_cookies()
    enter(page, live_server.url, cast.data_bureau.owner.email)
    page.goto(f"{live_server.url}/console/stops/{stop.pk}/")
    page.fill("#id_reason", "Repaired")
    page.locator("form[action$='/ask/'] button").click()
    page.context.clear_cookies()
    enter(page, live_server.url, cast.platform.reviewer.email)
    page.goto(f"{live_server.url}/console/stops/{stop.pk}/")
    seen(page, f"decide-{width}")
    page.locator("form[action$='/lift/'] button").click()
    page.locator("main .badge").first.wait_for()
    stop.refresh_from_db()
    assert stop.lifted_by == cast.platform.reviewer
    page.context.clear_cookies()
    enter(page, live_server.url, cast.buyer.owner.email)
    page.context.add_cookies([{"name": "django_language", "value": language, "url": live_server.url}])
    page.goto(f"{live_server.url}/console/buyer/keys/")
    seen(page, f"keys-{width}")
    page.locator("table.data a").first.click()
    page.locator("form[action$='/rotate/']").wait_for()
    seen(page, f"key-{width}")
    page.locator("form[action$='/rotate/'] button").click()
    secret = page.locator("output.secret").inner_text()
    seen(page, f"rotated-{width}")
    assert secret.startswith("gs_live_") and ApiKey.objects.count() == 2
