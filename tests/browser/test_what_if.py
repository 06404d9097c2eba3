"""The what-if bench in a real browser: the result comes without a new page, is saved, and fits a phone."""

from __future__ import annotations

import os

import pytest
from playwright.sync_api import Page

from tests.browser.test_shop import enter
from tests.factories.cast import make_cast
from tests.market.consoles.test_what_if import NOW, ROOT, SCOPE, cap_field, past  # noqa: F401  a fixture

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def cast(clock, transactional_db):
    return make_cast(clock.now)


def look(page: Page, name: str) -> None:
    """A picture for people, where LOOK names a folder."""
    if os.environ.get("LOOK"):
        page.screenshot(path=f"{os.environ['LOOK']}/{name}.png", full_page=True)


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_a_regulator_tries_a_lower_cap_and_keeps_it(page: Page, live_server, cast, past, language: str):  # noqa: F811
    enter(page, live_server.url, cast.regulator.decider.email)
    page.context.add_cookies([{"name": "django_language", "value": language, "url": live_server.url}])
    page.goto(live_server.url + ROOT + SCOPE + "&percent=-10")
    look(page, f"bench-{language}")
    page.fill(f"input[name='{cap_field(past)}']", "0.40")
    page.click("button[name='try']")
    page.locator("#result").get_by_text("¥480.00").first.wait_for()
    assert page.url.endswith("percent=-10"), "the page stays, the result comes into it"
    look(page, f"result-{language}")
    page.fill("#title", "四角")
    page.click("button[name='save']")
    page.locator("h1").get_by_text("四角").wait_for()
    look(page, f"case-{language}")
    page.set_viewport_size({"width": 390, "height": 844})
    wide = "document.documentElement.scrollWidth"
    for path in ("", SCOPE):
        page.goto(live_server.url + ROOT + path)
        assert page.evaluate(wide) <= 390, path
    page.goto(live_server.url + ROOT)
    page.locator("main table a").first.click()
    assert page.evaluate(wide) <= 390
    look(page, f"case-phone-{language}")
    page.goto(live_server.url + ROOT + SCOPE)
    look(page, f"bench-phone-{language}")
