"""What the paper looks like from outside: bytes, text, pages."""

from __future__ import annotations

import re
import zlib
from datetime import date

import pytest

from products.record.pdf import Facts, Heading, Table, Text, content_of, render, render_content

SECTIONS = [
    Text("根据发改价格〔2025〕65号，核定如下。\n第二段。"),
    Facts([("核定期间", "2026年1月1日—2028年12月31日"), ("最高准许收入", "8,835,200.00元")]),
    Heading("一、构成"),
    Table(["项目", "金额（元）"], [["经营成本", "8,000,000.00"]], ["left", "right"], [2, 1], caption="表1"),
]


def paper(**changes) -> bytes:
    given = {"title": "关于核定最高准许收入的通知", "sections": SECTIONS, "number": "江发改价〔2026〕7号"}
    return render(**(given | {"issuer": "江海市发展和改革委员会", "on": date(2026, 11, 10)} | changes))


def pages(pdf: bytes) -> int:
    """How many pages the file says that it has (its XMP packet, which is not compressed)."""
    found = re.search(rb"<xmpTPg:NPages>(\d+)</xmpTPg:NPages>", pdf)
    assert found
    return int(found[1])


def fonts(pdf: bytes) -> set[str]:
    objects = b"".join(
        zlib.decompress(part)
        for part in re.findall(rb"/FlateDecode.*?stream\r?\n(.*?)\r?\nendstream", pdf, re.S)
        if part[:1] == b"x"
    )
    return {name.decode() for name in re.findall(rb"/BaseFont/([\w+-]+)", pdf + objects)}


def test_the_same_content_gives_the_same_bytes():
    assert paper() == paper()
    assert paper() != paper(on=date(2026, 11, 11))
    assert paper() != paper(number="江发改价〔2026〕8号")


def test_the_content_alone_makes_the_paper():
    content = content_of(
        title="通知", sections=SECTIONS, number="江发改价〔2026〕7号", issuer="市发展改革委", on=date(2026, 11, 10)
    )
    assert render_content(content) == render(
        title="通知", sections=SECTIONS, number="江发改价〔2026〕7号", issuer="市发展改革委", on=date(2026, 11, 10)
    )


def test_the_file_is_an_archive_pdf_with_its_own_date_and_embedded_fonts():
    pdf = paper()
    assert pdf.startswith(b"%PDF-1.7")
    assert b"<pdfaid:part>2</pdfaid:part>" in pdf and b"<pdfaid:conformance>A</pdfaid:conformance>" in pdf
    assert b"D:20261110" in pdf
    names = fonts(pdf)
    assert names and all(re.match(r"[A-Z]{6}\+Noto(Sans|Serif)SC", name) for name in names)  # the prefix of a subset


def test_a_long_table_goes_over_pages_and_only_a_subset_of_the_font_is_embedded():
    rows = [[str(n), f"{n}.00"] for n in range(200)]
    pdf = paper(sections=[Table(["项目", "金额"], rows)])
    assert pages(pdf) > 3
    assert len(pdf) < 300_000


def test_words_are_never_markup_and_a_character_without_a_glyph_is_marked():
    wild = '#read("/etc/passwd") $x$ *a* _b_ @c <d> \\ `e` #import "@preview/x:1.0.0" 😀 𰻞 \u0007\u202e'
    assert pages(paper(title=wild, sections=[Text(wild), Facts([(wild, wild)]), Table([wild], [[wild]], caption=wild)])) >= 1


def test_a_table_with_a_short_row_is_a_mistake():
    with pytest.raises(ValueError, match="as many cells"):
        paper(sections=[Table(["a", "b"], [["1"]])])
    with pytest.raises(ValueError, match="aligned"):
        paper(sections=[Table(["a"], [["1"]], ["middle"])])


def test_an_empty_table_and_an_undated_paper_print():
    assert pages(render(title="空", sections=[Table(["项目"], [])])) == 1
