"""Charts: what stands in the picture, in its text and in its table."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
import warnings
from datetime import date, timedelta
from decimal import Decimal
from xml.etree import ElementTree

import pytest
from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

from market.storefront import drawing
from market.storefront.charts import Band, Limit, Line, Mark, bar_chart, line_chart

DAYS = [date(2026, 1, 1) + timedelta(days=30 * n) for n in range(4)]
LINES = [
    Line("累计收入", [Decimal("1000000.50"), 2_000_000, None, None]),
    Line("预测", [None, 2_000_000, 3e6, 4e6], is_dashed=True),
]


def revenue(**changes):
    given = {"title": "本期收入", "days": DAYS, "lines": LINES, "unit": "元"}
    given |= {
        "band": Band("80%区间", [None, 2e6, 2.5e6, 3e6], [None, 2e6, 3.5e6, 5e6]),
        "limit": Limit("最高准许收入", 3_500_000),
    }
    return line_chart(**(given | {"marks": [Mark("预计越线", DAYS[2])]} | changes))


def picture(address: str) -> str:
    kind, _, data = address.partition(",")
    assert kind == "data:image/svg+xml;base64"
    return base64.b64decode(data).decode()


def words(svg: str) -> list[str]:
    return [text.strip() for text in ElementTree.fromstring(svg).itertext() if text.strip()]


@pytest.mark.parametrize("screen", ["wide", "narrow"])
def test_chinese_stays_text_that_the_browser_sets_in_its_own_font(screen):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a missing glyph is a warning of matplotlib
        svg = picture(getattr(revenue(), screen))
    found = words(svg)
    assert {"累计收入", "预测", "最高准许收入", "80%区间", "元"} <= set(found) and any("预计越线" in word for word in found)
    assert "PingFang SC" in svg and "sans-serif" in svg


def test_letters_keep_their_size_on_a_phone():
    for address, (width, _height) in zip((revenue().wide, revenue().narrow), drawing.SIZES, strict=True):
        svg = picture(address)
        assert f'width="{width}pt"' in svg
        assert all(float(size) >= 11 for size in re.findall(r"font: ([\d.]+)px", svg))


def test_the_picture_asks_for_nothing_outside_and_runs_nothing():
    svg = picture(revenue().wide)
    assert not re.search(r"<script|<!DOCTYPE|<image|@import|javascript:", svg, re.I)
    assert set(re.findall(r"https?://[^\"'\s]+", svg)) <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


def test_the_same_numbers_give_the_same_picture():
    assert revenue().wide == revenue().wide


def test_the_table_has_every_number_and_says_the_unit():
    chart = revenue()
    assert chart.header[1:3] == ["累计收入 (元)", "预测 (元)"] and len(chart.header) == 6
    assert chart.rows[0][:3] == ["2026-01-01", "1,000,000.5", ""]
    assert chart.rows[3] == ["2026-04-01", "", "4,000,000", "3,000,000", "5,000,000", "3,500,000"]


def test_who_does_not_see_the_picture_hears_its_numbers():
    for part in ("本期收入", "累计收入", "2,000,000", "最高准许收入", "3,500,000", str(DAYS[2])):
        assert part in revenue().alt


def test_bars_go_both_ways_and_write_their_sign():
    chart = bar_chart(title="影响", labels=["甲", "乙 & <b>$x$"], values=[Decimal(-120000), 35000], unit="元", is_good=False)
    with translation.override("zh-hans"):
        found = words(picture(bar_chart(title="影响", labels=["甲", "乙 & <b>$x$"], values=[-120000, 35000]).wide))
    assert {"甲", "乙 & <b>$x$", "−12万", "+3.5万"} <= set(found)
    assert chart.rows == [["甲", "−120,000"], ["乙 & <b>$x$", "35,000"]]
    assert drawing.TOKENS["jade"] in picture(chart.wide) and drawing.TOKENS["cinnabar"] in picture(chart.wide)


def test_numbers_on_the_axis_are_short_in_the_readers_language():
    with translation.override("zh-hans"):
        assert [drawing.compact(n) for n in (0.5, -12.25, 35_000, 8_835_200, 3e8)] == ["0.5", "−12.25", "3.5万", "883.5万", "3亿"]
    with translation.override("en"):
        assert drawing.compact(8_835_200) == "8.8M"


def test_nothing_to_draw_is_said():
    html = render_to_string("market/components/chart.html", {"chart": line_chart(title="空", days=[], lines=[Line("a", [])])})
    assert "<img" not in html and "<table" not in html
    assert bar_chart(title="空", labels=[], values=[]).rows == []


def test_the_component_shows_picture_text_and_table():
    html = render_to_string("market/components/chart.html", {"chart": revenue(note="示例")})
    assert html.count("data:image/svg+xml") == 2 and "<details>" in html and "1,000,000.5" in html and 'alt="本期收入' in html
    assert "<details open>" in render_to_string("market/components/chart.html", {"chart": revenue(is_open=True)})


def test_uneven_columns_are_a_mistake():
    with pytest.raises(ValueError, match="one value a day"):
        line_chart(title="x", days=DAYS, lines=[Line("a", [1])])
    with pytest.raises(ValueError, match="label and a value"):
        bar_chart(title="x", labels=["a"], values=[])


def test_the_colours_are_those_of_the_house():
    css = (settings.BASE_DIR / "market/static/market/gongshu.css").read_text(encoding="utf-8")
    for name, colour in drawing.TOKENS.items():
        assert f"--{name}: {colour};" in css


def test_the_site_starts_without_loading_the_drawing_library():
    code = "import django; django.setup(); import market.storefront.charts, sys; sys.exit('matplotlib' in sys.modules)"
    assert (
        subprocess.run(
            [sys.executable, "-c", code], env={"DJANGO_SETTINGS_MODULE": "market.settings"}, cwd=settings.BASE_DIR, check=False
        ).returncode
        == 0
    )
