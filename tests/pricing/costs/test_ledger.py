"""Ledger files: every bad row with its cell, and files that are no ledger at all."""

import io
import zipfile

import pytest

from pricing.costs import ledger, sheets
from pricing.costs.problems import LedgerRefused
from tests.pricing.costs.ledgers import FINE, HEAD, OWN, SHARED, as_csv, row, xlsx


def read(content, **changes):
    known = {"year": 2025, "products": frozenset({"score"}), "allocations": {"staff-hours": "R2", "staff-hours v1": "R1"}}
    return ledger.read(file_name="台账.xlsx", content=content, **(known | changes))


def problems(content, **changes):
    with pytest.raises(LedgerRefused) as caught:
        read(content, **changes)
    assert all(problem.text for problem in caught.value.problems)
    return [(problem.cell, problem.code) for problem in caught.value.problems]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_csv_and_excel_say_the_same(encoding):
    expected = read(xlsx(OWN, FINE, SHARED)).rows
    assert read(as_csv(OWN, FINE, SHARED, encoding=encoding)).rows == expected
    assert [each.amount_minor for each in expected] == [120000000, 2000000, 100000001]
    assert [each.allocation for each in expected] == [None, None, "R2"]
    assert [each.row for each in expected] == [2, 3, 4]


def test_english_words_codes_and_thousands_are_understood():
    found = read(
        xlsx(
            ["Servers", "Platform building", "Public data operation", "Own funds", "2025年", "1,234.50", "", "V-1"],
            ["Servers", "platform", "public_data.SCORE", "own", "2025", "¥1,234.5", None, "V-2"],
            ["Staff", "staff", "shared", "own", 2025, "10", "staff-hours V1", "V-3"],
            head=["Item", "nature", "Business line", "Funding source", "Year", "Amount (yuan)", "Allocation rule", "Evidence"],
        )
    )
    assert [each.amount_minor for each in found.rows] == [123450, 123450, 1000]
    assert [each.business_line for each in found.rows] == ["public_data", "public_data.score", "shared"]
    assert found.rows[2].allocation == "R1"


def test_examples_are_left_out_and_counted():
    assert read(xlsx(["【示例】服务器", "", "", "", "", "", "", ""], OWN)).examples == 1
    assert problems(xlsx(["【示例】服务器", "", "", "", "", "", "", ""])) == [("", "no_rows")]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"item": ""}, ("A2", "missing")),
        ({"item": "x" * 201}, ("A2", "too_long")),
        ({"item": "=1+1"}, ("A2", "formula")),
        ({"nature": "神秘"}, ("B2", "unknown_nature")),
        ({"business_line": "public_data.none"}, ("C2", "unknown_product")),
        ({"business_line": "公共数据运营.none"}, ("C2", "unknown_product")),
        ({"funding": "借款"}, ("D2", "unknown_funding")),
        ({"year": 2024}, ("E2", "wrong_year")),
        ({"year": "去年"}, ("E2", "not_year")),
        ({"amount": 0}, ("F2", "not_positive")),
        ({"amount": -5}, ("F2", "not_positive")),
        ({"amount": "12万"}, ("F2", "not_number")),
        ({"amount": "1,23"}, ("F2", "not_number")),
        ({"amount": "1e6"}, ("F2", "not_number")),
        ({"amount": 0.005}, ("F2", "decimals")),
        ({"amount": 1e10}, ("F2", "absurd")),
        ({"amount": "1000000000.01"}, ("F2", "absurd")),
        ({"amount": "9" * 400}, ("F2", "absurd")),
        ({"amount": "=SUM(A1:A9)"}, ("F2", "formula")),
        ({"allocation": "no-such"}, ("G2", "unknown_allocation")),
        ({"allocation": "staff-hours"}, ("G2", "allocation_of_one_line")),
        ({"business_line": "共享"}, ("G2", "no_allocation")),
        ({"voucher": ""}, ("H2", "missing")),
        ({"voucher": "a\u202eb"}, ("H2", "bad_characters")),
    ],
)
def test_a_bad_cell_is_named_with_its_rule(changes, problem):
    assert problems(xlsx(row(OWN, **changes), FINE)) == [problem]


def test_the_bound_itself_and_what_excel_shows_as_two_decimals_are_taken():
    found = read(xlsx(row(OWN, amount="1,000,000,000.00"), row(FINE, amount=0.1 + 0.2)))
    assert [each.amount_minor for each in found.rows] == [100_000_000_000, 30]


def test_all_problems_come_at_once_in_order():
    found = problems(xlsx(row(OWN, nature="x", amount=-1), OWN, row(FINE, year=2024), OWN))
    assert found == [("B2", "unknown_nature"), ("F2", "not_positive"), ("E4", "wrong_year"), ("A5", "duplicate")]
    assert len(problems(xlsx(*[row(OWN, amount=-1)] * 1500))) == 1001


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (xlsx(OWN, head=[*HEAD[:-1], "备注"]), [("H1", "unknown_heading"), ("A1", "heading_missing")]),
        (xlsx(OWN, head=[*HEAD[:-1], HEAD[0]]), [("H1", "heading_twice"), ("A1", "heading_missing")]),
        (xlsx([*OWN, "一旁的话"]), [("I2", "outside_columns")]),
        (xlsx(), [("", "no_rows")]),
        (b"", [("", "no_rows")]),
        (b"PK\x03\x04broken", [("", "unreadable")]),
        (b"\xff\xfe\x00\x81", [("", "not_text")]),
        (as_csv(OWN) + b'"open', [("", "unreadable")]),
        (xlsx(*[row(OWN, voucher=f"V{n}") for n in range(5001)]), [("A5002", "too_many_rows")]),
    ],
)
def test_a_file_that_is_no_ledger_is_refused(content, problem):
    assert problems(content) == problem


def repacked(content: bytes, name: str, old: bytes, new: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as after:
        for member in before.infolist():
            data = before.read(member)
            after.writestr(member.filename, data.replace(old, new) if member.filename == name else data)
    return out.getvalue()


def test_entities_bombs_and_broken_markup_never_reach_the_reader(monkeypatch):
    sheet, plain = "xl/worksheets/sheet1.xml", xlsx(OWN)
    entity = b'?><!DOCTYPE x [<!ENTITY a "b">]><worksheet'
    assert problems(repacked(plain, sheet, b"?>\n<worksheet", entity)) == [("", "unreadable")]
    assert problems(repacked(plain, sheet, b"</sheetData>", b"<row>")) == [("", "unreadable")]
    monkeypatch.setattr(sheets, "MOST_UNPACKED", 10_000)
    assert problems(repacked(plain, sheet, b"</worksheet>", b"</worksheet>" + b" " * 20_000)) == [("", "unpacks_too_far")]


def test_a_file_damaged_anywhere_is_read_or_refused_and_never_breaks_the_page():
    plain = xlsx(OWN)
    answers = set()
    for place in range(0, len(plain), 5):
        damaged = bytearray(plain)
        damaged[place] ^= 0xFF
        try:
            read(bytes(damaged))
            answers.add("read")
        except LedgerRefused:
            answers.add("refused")
    assert answers == {"read", "refused"}


def test_a_row_number_out_of_this_world_does_not_hang_the_reader():
    far = repacked(xlsx(OWN, FINE), "xl/worksheets/sheet1.xml", b'<row r="3"', b'<row r="99999999999"')
    assert len(read(far).rows) == 1


def test_merged_cells_and_hidden_sheets_are_explained():
    merged = repacked(
        xlsx(OWN, row(FINE, nature="")),
        "xl/worksheets/sheet1.xml",
        b"</sheetData>",
        b'</sheetData><mergeCells count="1"><mergeCell ref="B2:B3"/></mergeCells>',
    )
    assert problems(merged) == [("B2", "merged"), ("B3", "missing")]
    hidden = repacked(xlsx(OWN), "xl/workbook.xml", b'<sheet name="', b'<sheet state="veryHidden" name="')
    assert problems(hidden) == [("", "sheet_hidden")]
