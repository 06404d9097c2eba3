"""The only door to matplotlib: lines and bars as SVG bytes, the same bytes for the same numbers.

Imported on the first chart, not with the site. Text is measured with the font that also prints documents and kept as text in
the SVG, where the browser sets it in its own Chinese font. Figures are drawn without pyplot, which keeps state between requests.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Sequence
from datetime import date
from functools import cache, wraps
from threading import Lock
from typing import TYPE_CHECKING, Any

from babel.numbers import format_compact_decimal
from django.conf import settings
from django.utils.translation import get_language

if TYPE_CHECKING:
    from market.storefront.charts import Band, Limit, Line, Mark, Number

SIZES = ((760, 320), (360, 300))  # CSS pixels: beside a console's menu, and on a phone
BAR_HEIGHT, BAR_FRAME = 30, 56
WIDEST = 500  # narrower than this is a phone
# The house's colours: static/market/gongshu.css, compared by a test.
TOKENS = {
    "ink": "#17212b",
    "ink-3": "#5b6672",
    "line": "#dddcd3",
    "azurite": "#1d4e6b",
    "cinnabar": "#a5301f",
    "jade": "#28644a",
    "ochre": "#7a5208",
    "plum": "#633a63",
}
LINE_COLOURS = ("azurite", "ochre", "plum", "jade")
FONTS = "'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', 'Source Han Sans SC', 'Noto Sans SC', sans-serif"
PIXELS_AN_INCH = 72  # so that a point is a pixel
LETTERS = 12


_ONE_AT_A_TIME = Lock()  # matplotlib promises nothing to threads


def alone(draw: Callable[..., bytes]) -> Callable[..., bytes]:
    @wraps(draw)
    def waiting(*args: Any) -> bytes:
        with _ONE_AT_A_TIME:
            return draw(*args)

    return waiting


def bar_size(count: int, is_narrow: bool) -> tuple[int, int]:
    """A picture grows with its bars."""
    return (360 if is_narrow else 760, BAR_FRAME + BAR_HEIGHT * max(count, 1))


@alone
def lines(
    days: Sequence[date],
    shown: Sequence[Line],
    band: Band | None,
    limit: Limit | None,
    marks: Sequence[Mark],
    unit: str,
    from_zero: bool,
    size: tuple[int, int],
) -> bytes:
    figure, axes = _paper(size)
    numbers: Any = list(days)
    for at, line in enumerate(shown):
        values: Any = [_float(value) for value in line.values]
        style: Any = (0, (5, 3)) if line.is_dashed else "-"
        dots = "o" if len(days) == 1 else ""
        colour = TOKENS[LINE_COLOURS[at % len(LINE_COLOURS)]]
        axes.plot(numbers, values, color=colour, linewidth=2, linestyle=style, marker=dots, label=str(line.label))
    if band:
        low: Any = [_float(value) for value in band.low]
        high: Any = [_float(value) for value in band.high]
        axes.fill_between(numbers, low, high, color=TOKENS["azurite"], alpha=0.16, linewidth=0, label=str(band.label))
    if limit:
        axes.axhline(float(limit.value), color=TOKENS["cinnabar"], linewidth=1.5, linestyle=(0, (2, 2)), label=str(limit.label))
    for mark in marks:
        axes.axvline(mark.day, color=TOKENS["ink"], linewidth=1, linestyle=(0, (1, 2)), label=f"{mark.label} {mark.day}")
    if from_zero:
        axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]) if _has_negative(shown, band) else 0)
    axes.margins(x=0.01)
    _date_axis(axes, days, size)
    _number_axis(axes.yaxis)
    axes.grid(axis="y", color=TOKENS["line"], linewidth=0.8)
    if unit:
        axes.set_title(unit, loc="left", fontsize=LETTERS, color=TOKENS["ink-3"])
    _legend(figure, axes, size)
    return _svg(figure)


@alone
def bars(
    labels: Sequence[str],
    values: Sequence[Number],
    limit: Limit | None,
    is_good: bool | None,
    unit: str,
    size: tuple[int, int],
) -> bytes:
    figure, axes = _paper(size)
    numbers = [float(value) for value in values]
    plus, minus = {True: ("jade", "cinnabar"), False: ("cinnabar", "jade"), None: ("azurite", "ochre")}[is_good]
    places = range(len(numbers))
    axes.barh(places, numbers, height=0.62, color=[TOKENS[minus if number < 0 else plus] for number in numbers])
    axes.set_yticks(list(places), [_short(label, size) for label in labels])
    axes.set_ylim(len(numbers) - 0.4, -0.6)
    axes.axvline(0, color=TOKENS["ink-3"], linewidth=1)
    signed = any(number < 0 for number in numbers)
    for place, number in zip(places, numbers, strict=True):
        word = ("+" if signed and number > 0 else "") + compact(number)
        axes.annotate(
            word,
            (number, place),
            xytext=(5 if number >= 0 else -5, 0),
            textcoords="offset points",
            ha="left" if number >= 0 else "right",
            va="center",
            fontsize=LETTERS,
        )
    if limit:
        axes.axvline(float(limit.value), color=TOKENS["cinnabar"], linewidth=1.5, linestyle=(0, (2, 2)), label=str(limit.label))
        _legend(figure, axes, size)
    axes.margins(x=0.14 if size[0] > WIDEST else 0.28)  # room for the numbers at the bars' ends
    _number_axis(axes.xaxis)
    axes.grid(axis="x", color=TOKENS["line"], linewidth=0.8)
    axes.tick_params(axis="y", length=0)
    if unit:
        axes.set_xlabel(unit, fontsize=LETTERS, color=TOKENS["ink-3"], loc="right")
    return _svg(figure)


def compact(value: float) -> str:
    """12 000 000 → 1200万 in Chinese, 12M in English; small numbers with two decimals."""
    language = "zh_Hans" if (get_language() or "zh").startswith("zh") else "en"
    if abs(value) < 1000:
        return f"{value:,.2f}".rstrip("0").rstrip(".").replace("-", "−")
    return format_compact_decimal(value, locale=language, fraction_digits=1).replace("-", "−")


@cache
def _settings() -> str:
    """Set matplotlib up once and give the name of the font that measures. Its own font cache stays in our data folder."""
    os.environ.setdefault("MPLCONFIGDIR", str(settings.DATA_DIR / "matplotlib"))
    import matplotlib
    import pylopdf_fonts_zh_cn
    from matplotlib import font_manager

    path = str(pylopdf_fonts_zh_cn.sans_path())
    font_manager.fontManager.addfont(path)
    name = font_manager.FontProperties(fname=path).get_name()
    matplotlib.rcParams.update(
        {
            "font.family": [name],
            "font.size": LETTERS,
            "svg.fonttype": "none",
            "svg.hashsalt": "gongshu",
            "text.parse_math": False,  # a dollar sign is a dollar sign
            "text.color": TOKENS["ink"],
            "xtick.labelcolor": TOKENS["ink-3"],
            "ytick.labelcolor": TOKENS["ink-3"],
            "axes.unicode_minus": True,
        }
    )
    return name


def _paper(size: tuple[int, int]) -> tuple[Any, Any]:
    _settings()
    from matplotlib.figure import Figure

    figure = Figure(figsize=(size[0] / PIXELS_AN_INCH, size[1] / PIXELS_AN_INCH), dpi=PIXELS_AN_INCH, layout="constrained")
    figure.patch.set_alpha(0)
    axes = figure.add_subplot()
    axes.patch.set_alpha(0)
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0, pad=6)
    axes.set_axisbelow(True)
    return figure, axes


def _date_axis(axes: Any, days: Sequence[date], size: tuple[int, int]) -> None:
    from matplotlib.dates import AutoDateLocator, DateFormatter

    span = (days[-1] - days[0]).days if days else 0
    form = "%Y" if span > 5 * 366 else "%Y-%m" if span > 100 else "%m-%d"
    axes.xaxis.set_major_locator(AutoDateLocator(minticks=2, maxticks=9 if size[0] > WIDEST else 5))
    axes.xaxis.set_major_formatter(DateFormatter(form))
    if len(days) < 3:
        axes.set_xticks(list(days))


def _number_axis(axis: Any) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda value, _place: compact(value)))


def _legend(figure: Any, axes: Any, size: tuple[int, int]) -> None:
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        columns = min(len(handles), 4 if size[0] > WIDEST else 1)
        look = {"frameon": False, "fontsize": LETTERS, "handlelength": 1.8, "borderpad": 0}
        figure.legend(handles, labels, loc="outside lower left", ncols=columns, **look)


def _short(label: str, size: tuple[int, int]) -> str:
    room = 20 if size[0] > WIDEST else 9
    wide = sum(2 if ord(letter) > 0x2E7F else 1 for letter in label)
    if wide <= 2 * room:
        return label
    kept = ""
    for letter in label:
        if sum(2 if ord(c) > 0x2E7F else 1 for c in kept + letter) > 2 * room - 2:
            break
        kept += letter
    return kept + "…"


def _float(value: Number | None) -> float:
    return float("nan") if value is None else float(value)


def _has_negative(shown: Sequence[Line], band: Band | None) -> bool:
    values = [value for line in shown for value in line.values] + (list(band.low) if band else [])
    return any(value is not None and value < 0 for value in values)


def _svg(figure: Any) -> bytes:
    name = _settings()
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = out.getvalue().replace(f"'{name}'", FONTS)
    text = re.sub(r"<\?xml.*?<svg ", "<svg ", text, count=1, flags=re.S)  # the DOCTYPE names an outside address
    return re.sub(r"<metadata>.*?</metadata>", "", text, count=1, flags=re.S).encode()
