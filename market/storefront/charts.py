"""Charts: drawn on the server as SVG with real text, always beside the table of their numbers.

``line_chart`` and ``bar_chart`` return a Chart; ``{% include "market/components/chart.html" with chart=chart %}`` shows it.
Each is drawn twice, for wide and for narrow screens, so that its letters stay readable at 390 px. The picture is a data: URI: no
script, no file, nothing that a content security policy has to allow beyond images. Values may be Decimal, int or float; they are
drawn, never counted with. Texts are resolved in the reader's language.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TypeAlias

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from market.storefront import drawing

Text: TypeAlias = str | Promise
Number: TypeAlias = Decimal | int | float


@dataclass(frozen=True)
class Line:
    """A line over the days; None leaves a gap. ``is_dashed`` for what is expected rather than measured."""

    label: Text
    values: Sequence[Number | None]
    is_dashed: bool = False


@dataclass(frozen=True)
class Band:
    """A range around a line, for example the 10 % and 90 % quantiles of a forecast; None where there is none."""

    label: Text
    low: Sequence[Number | None]
    high: Sequence[Number | None]


@dataclass(frozen=True)
class Limit:
    """A ceiling, drawn across the whole chart, for example the maximum permitted revenue."""

    label: Text
    value: Number


@dataclass(frozen=True)
class Mark:
    """A day that matters, drawn upright, for example the expected crossing."""

    label: Text
    day: date


@dataclass(frozen=True)
class Chart:
    """What the component shows: two pictures (data: URIs), a text for those who do not see them, and the table."""

    title: str
    alt: str
    wide: str
    narrow: str
    header: list[str]
    rows: list[list[str]]
    note: str = ""
    is_open: bool = False
    size: tuple[int, int] = field(default=(0, 0))
    narrow_size: tuple[int, int] = field(default=(0, 0))


def line_chart(
    *,
    title: Text,
    days: Sequence[date],
    lines: Sequence[Line],
    band: Band | None = None,
    limit: Limit | None = None,
    marks: Sequence[Mark] = (),
    unit: Text = "",
    alt: Text = "",
    note: Text = "",
    from_zero: bool = True,
    is_open: bool = False,
) -> Chart:
    """Lines over days, with an optional band, limit line and marked days. ``unit`` stands at the axis and in the table's head.

    Every line and band has as many values as there are days, else ValueError. ``from_zero`` keeps 0 on the axis. ``is_open``
    shows the table at once. Without ``alt`` the text says title, span, and each line's last value.
    """
    columns: list[tuple[Text, Sequence[Number | None]]] = [(line.label, line.values) for line in lines]
    if band:
        low, high = _("%(band)s, low"), _("%(band)s, high")
        columns += [(low % {"band": band.label}, band.low), (high % {"band": band.label}, band.high)]
    if any(len(values) != len(days) for _label, values in columns):
        raise ValueError("every line and band has one value a day")
    pictures = [drawing.lines(days, lines, band, limit, marks, str(unit), from_zero, size) for size in drawing.SIZES]
    header = [_("Date"), *(_headed(label, unit) for label, _values in columns)]
    rows = [[day.isoformat(), *(number_text(values[at]) for _label, values in columns)] for at, day in enumerate(days)]
    if limit:
        header.append(_headed(limit.label, unit))
        rows = [[*row, number_text(limit.value)] for row in rows]
    said = str(alt) or _line_words(str(title), days, lines, limit, marks, str(unit))
    return _chart(title, said, pictures, drawing.SIZES, header, rows, note, is_open)


def bar_chart(
    *,
    title: Text,
    labels: Sequence[Text],
    values: Sequence[Number],
    unit: Text = "",
    label_head: Text = "",
    value_head: Text = "",
    limit: Limit | None = None,
    is_good: bool | None = None,
    alt: Text = "",
    note: Text = "",
    is_open: bool = False,
) -> Chart:
    """Bars lying beside each other, the first on top; negative values go to the left.

    ``is_good`` says whether more is good: True paints plus green and minus red, False the other way round, None paints plus blue
    and minus ochre. The sign is written at the bar, so that no one depends on the colour. ValueError where the numbers of labels
    and values differ.
    """
    if len(labels) != len(values):
        raise ValueError("every bar has a label and a value")
    words = [str(label) for label in labels]
    sizes = [drawing.bar_size(len(values), is_narrow) for is_narrow in (False, True)]
    pictures = [drawing.bars(words, values, limit, is_good, str(unit), size) for size in sizes]
    header = [str(label_head) or _("Item"), _headed(value_head or _("Value"), unit)]
    rows = [[word, number_text(value)] for word, value in zip(words, values, strict=True)]
    said = str(alt) or _bar_words(str(title), rows, str(unit))
    return _chart(title, said, pictures, sizes, header, rows, note, is_open)


def number_text(value: Number | None) -> str:
    """1234567.5 → 1,234,567.5; empty for None; at most four decimals."""
    if value is None:
        return ""
    text = f"{Decimal(str(value)):,.4f}".rstrip("0").rstrip(".")
    return text.replace("-", "−") if text != "-0" else "0"


def _chart(
    title: Text,
    alt: str,
    pictures: list[bytes],
    sizes: Sequence[tuple[int, int]],
    header: list[str],
    rows: list[list[str]],
    note: Text,
    is_open: bool,
) -> Chart:
    wide, narrow = ("data:image/svg+xml;base64," + base64.b64encode(picture).decode() for picture in pictures)
    return Chart(str(title), alt, wide, narrow, header, rows, str(note), is_open, sizes[0], sizes[1])


def _headed(label: Text, unit: Text) -> str:
    return f"{label} ({unit})" if unit else str(label)


def _line_words(
    title: str, days: Sequence[date], lines: Sequence[Line], limit: Limit | None, marks: Sequence[Mark], unit: str
) -> str:
    if not days:
        return _("%(title)s: no data yet.") % {"title": title}
    parts = [_("%(title)s, %(first)s to %(last)s.") % {"title": title, "first": days[0], "last": days[-1]}]
    for line in lines:
        known = [(day, value) for day, value in zip(days, line.values, strict=True) if value is not None]
        if known:
            facts = {"line": line.label, "value": number_text(known[-1][1]), "unit": unit, "day": known[-1][0]}
            parts.append(_("%(line)s: %(value)s %(unit)s on %(day)s.") % facts)
    if limit:
        parts.append(f"{limit.label}: {number_text(limit.value)} {unit}.")
    return " ".join([*parts, *(f"{mark.label}: {mark.day}." for mark in marks)])


def _bar_words(title: str, rows: list[list[str]], unit: str) -> str:
    if not rows:
        return _("%(title)s: no data yet.") % {"title": title}
    shown = "; ".join(f"{label} {value} {unit}".strip() for label, value in rows[:8])
    more = _(" and %(count)s more, in the table") % {"count": len(rows) - 8} if len(rows) > 8 else ""
    return f"{title}: {shown}{more}."
