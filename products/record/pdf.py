"""Documents on paper: a calm A4 page in Chinese, as bytes that are the same whenever the content is the same.

Typst sets the page (products/record/document.typ) with the fonts of a package, embedded as subsets; the file is PDF/A-2a, tagged
for screen readers, and bears the document's own date, never the clock's. Words reach Typst as JSON data and are never markup.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from django.utils.translation import override

FORM = Path(__file__).with_name("document.typ")
STANDARD: Final = "a-2a"
GETA = "〓"  # printed where no font has the character, as Chinese typesetters do
UNDATED = date(2000, 1, 1)


@dataclass(frozen=True)
class Heading:
    """``level`` 1 or 2, below the document's title."""

    text: object
    level: int = 1

    def content(self) -> dict[str, Any]:
        return {"kind": "heading", "text": _words(self.text), "level": min(max(self.level, 1), 2)}


@dataclass(frozen=True)
class Text:
    """Running text; a line break begins a new paragraph, each indented by two characters."""

    text: object

    def content(self) -> dict[str, Any]:
        return {"kind": "text", "text": _words(self.text)}


@dataclass(frozen=True)
class Facts:
    """Pairs of label and value, one a line."""

    rows: Sequence[tuple[object, object]]

    def content(self) -> dict[str, Any]:
        return {"kind": "facts", "rows": [[_words(label), _words(value)] for label, value in self.rows]}


@dataclass(frozen=True)
class Table:
    """A table whose header is repeated on every page. ``alignments``: left, right or center a column (default left).

    ``widths`` are shares of the width, equal where they are left out. A row of another length than the header is a ValueError.
    """

    header: Sequence[object]
    rows: Sequence[Sequence[object]]
    alignments: Sequence[str] = ()
    widths: Sequence[float] = ()
    caption: object = ""

    def content(self) -> dict[str, Any]:
        columns = len(self.header)
        if not columns or any(len(row) != columns for row in self.rows):
            raise ValueError("every row of a table has as many cells as its header, and the header has at least one")
        alignments = [*self.alignments, *["left"] * columns][:columns]
        if set(alignments) - {"left", "right", "center"}:
            raise ValueError("a column is aligned left, right or center")
        return {
            "kind": "table",
            "header": [_words(cell) for cell in self.header],
            "rows": [[_words(cell) for cell in row] for row in self.rows],
            "alignments": alignments,
            "widths": [*map(float, self.widths), *[1.0] * columns][:columns],
            "caption": _words(self.caption),
        }


Section = Heading | Text | Facts | Table


def content_of(
    *, title: object, sections: Sequence[Section], number: str = "", issuer: object = "", on: date | None = None
) -> dict[str, Any]:
    """What a document says, as plain JSON: the PDF is made from this and from nothing else. Lazy texts become Chinese."""
    with override("zh-hans"):
        return {
            "title": _words(title),
            "number": _words(number),
            "issuer": _words(issuer),
            "date": on.isoformat() if on else "",
            "sections": [section.content() for section in sections],
        }


def render(*, title: object, sections: Sequence[Section], number: str = "", issuer: object = "", on: date | None = None) -> bytes:
    """The PDF of a document. The same content gives the same bytes."""
    return render_content(content_of(title=title, sections=sections, number=number, issuer=issuer, on=on))


def render_content(content: dict[str, Any]) -> bytes:
    """The PDF of what ``content_of`` gave; the copy in the archive can be compared with one made anew."""
    import typst  # a large library: only those who print pay for it

    day = date.fromisoformat(content["date"]) if content["date"] else UNDATED
    form = {
        **content,
        "on": f"{day.year}年{day.month}月{day.day}日" if content["date"] else "",
        "date": {"year": day.year, "month": day.month, "day": day.day},
    }
    return typst.compile(
        str(FORM),
        font_paths=[_font_folder()],
        ignore_system_fonts=True,
        sys_inputs={"document": json.dumps(_printable(form), ensure_ascii=False)},
        timestamp=int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()),
        pdf_standards=[STANDARD],
    )


@cache
def _font_folder() -> str:
    import pylopdf_fonts_zh_cn

    return str(pylopdf_fonts_zh_cn.sans_path().parent)


@cache
def _drawable() -> frozenset[int]:
    """Every character that one of the two fonts can draw."""
    import pylopdf_fonts_zh_cn
    from fontTools.ttLib import TTFont

    found: set[int] = set()
    for path in (pylopdf_fonts_zh_cn.sans_path(), pylopdf_fonts_zh_cn.serif_path()):
        with TTFont(path, lazy=True) as font:
            found |= set(font.getBestCmap())
    return frozenset(found)


def _printable(value: Any) -> Any:
    """The same content with 〓 for what no font draws: an archive file must not hold a character that nobody can see."""
    if isinstance(value, dict):
        return {key: _printable(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_printable(part) for part in value]
    if isinstance(value, str):
        return "".join(c if c == "\n" or ord(c) in _drawable() else GETA for c in value)
    return value


def _words(value: object) -> str:
    """A text as it will be printed: composed, without control characters."""
    text = unicodedata.normalize("NFC", str(value)).replace("\r\n", "\n").replace("\t", " ")
    return "".join(c for c in text if c == "\n" or unicodedata.category(c) not in {"Cc", "Cf", "Co", "Cs", "Cn"})
