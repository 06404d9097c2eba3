"""The tariff editor and a bundle in a real browser: the proof answers as one types, and a phone needs no sideways scrolling."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Page

from pricing.tariffs.models import Bundle, Plan, Tariff
from tests.browser.test_shop import enter
from tests.factories.cast import make_cast
from tests.factories.offers import BEFORE, USAGE_ONLY, make_offer
from tests.pricing.market import caps, filed, make_plan, make_product, per_call, published

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PICTURES = os.environ.get("GONGSHU_PICTURES", "")


def look(page: Page, name: str) -> None:
    """Both widths; nothing may stick out. Pictures are kept where GONGSHU_PICTURES names a folder."""
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        sticks_out = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert page.evaluate(sticks_out) is False, f"{name} at {width} px"
        if PICTURES:
            page.screenshot(path=str(Path(PICTURES) / f"{name}-{width}.png"), full_page=True)


def test_the_editor_proves_the_tariff_while_it_is_typed(page: Page, live_server, clock):
    cast = make_cast(clock.now)
    product = make_product(cast, clock.now)
    today = date(2026, 10, 20)
    published(cast, product, caps(("calls", "0.50"), ("year", "12000"), start=today), clock.now)
    plan = make_plan(cast, product, clock.now)
    filed(cast, plan, per_call("0.40"), today, clock.now)
    enter(page, live_server.url, cast.operator.owner.email)
    page.goto(f"{live_server.url}/console/operator/tariffs/plans/{plan.pk}/new/")
    page.fill("#id_components-0-price", "0.51")
    page.locator("#check").get_by_text("¥0.51").first.wait_for()
    assert page.locator("#check [role=alert]").count() == 1
    page.select_option("#id_components-0-model", "volume")
    page.fill("#id_components-0-tiers", "100: 0.50\n*: 0.25")
    page.locator("#check").get_by_text("¥25.25").first.wait_for()
    assert "¥50.00" in page.locator("#check").inner_text()  # 100 for 50.00, 101 for 25.25: the total falls
    assert Tariff.objects.count() == 1  # nothing is filed by typing
    look(page, "editor")
    page.goto(f"{live_server.url}/console/operator/tariffs/")
    look(page, "prices")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.locator("header button[lang=en]").click()
    page.get_by_text("Headroom").first.wait_for()
    look(page, "prices-en")


def test_a_bundle_is_quoted_while_typing_and_bought_whole(page: Page, live_server, clock):
    cast = make_cast(clock.now)
    offers = [make_offer(cast, clock.now, code, document=USAGE_ONLY) for code in ("credit-pre-loan", "tax-check")]
    bundle = Bundle.objects.create(
        operator=cast.operator.organisation,
        code="lending",
        name="小微信贷组合",
        name_en="Lending bundle",
        description="贷前评分与税务核验一并使用。",
        purpose="industry.finance",
        scenario="small-business-lending",
        state="open",
        made_by=cast.operator.owner,
        made_at=clock.now,
    )
    for offer in offers:
        plan = Plan.objects.create(
            product=offer.product, code="b", name=bundle.name, purposes=["industry.finance"], bundle=bundle, created_at=clock.now
        )
        facts = {"state": "accepted", "filed_by": cast.operator.owner, "filed_at": BEFORE, "digest": "0" * 64}
        Tariff.objects.create(plan=plan, version=1, document=USAGE_ONLY, period=offer.tariff.period, **facts)
    enter(page, live_server.url, cast.buyer.owner.email)
    page.goto(f"{live_server.url}/bundles/lending/")
    page.locator("aside input[inputmode=decimal]").first.fill("12000")
    page.locator("#bundle-quote").get_by_text("¥2,600.00").first.wait_for()
    look(page, "bundle")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.locator("aside form button").click()
    page.wait_for_url("**/basket/")
    assert page.locator("article.panel").count() == 2
    page.goto(f"{live_server.url}/bundles/")
    look(page, "bundles")
    enter_console(page, live_server.url, cast)


def enter_console(page: Page, url: str, cast) -> None:
    page.context.clear_cookies()
    enter(page, url, cast.operator.owner.email)
    page.goto(f"{url}/console/operator/bundles/lending/")
    look(page, "console-bundle")
