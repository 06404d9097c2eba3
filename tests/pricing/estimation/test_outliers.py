"""Outliers in cost filings: found with the reason in it, quiet about what is usual, honest where there is nothing to compare."""

from __future__ import annotations

from pricing.estimation.outliers import CostRow, Finding, cost_outliers

ITEMS = (
    ("platform", "servers"),
    ("operation", "electricity"),
    ("staff", "salaries"),
    ("storage", "disks"),
    ("governance", "cleaning"),
)


def ledger(operator: str, year: int, size: float = 1.0) -> list[CostRow]:
    return [
        CostRow(f"{operator}-{year}-{item}", operator, year, nature, item, size * 1000 * place * 1.05 ** (year - 2023))
        for place, (nature, item) in enumerate(ITEMS, start=2)
    ]


def market(*changed: CostRow) -> list[CostRow]:
    rows = [row for n in range(6) for year in (2023, 2024, 2025) for row in ledger(f"O{n}", year, 1 + n)]
    keys = {row.key for row in changed}
    return [row for row in rows if row.key not in keys] + list(changed)


def found(*changed: CostRow) -> dict[str, Finding]:
    return {one.key: one for one in cost_outliers(market(*changed), operator="O1", year=2025).findings}


def test_a_steady_ledger_has_nothing_that_stands_out():
    said = cost_outliers(market(), operator="O1", year=2025)
    assert (said.findings, said.rows, said.past_years, said.peers) == ((), 5, 2, 5)


def test_ten_times_the_past_is_a_jump_with_its_ratio():
    (finding,) = found(CostRow("O1-2025-salaries", "O1", 2025, "staff", "salaries", 80_000)).values()
    jump = finding.reasons[0]
    assert (finding.key, jump.code) == ("O1-2025-salaries", "jump")
    assert 8 < jump.ratio < 10


def test_one_absurd_row_does_not_make_the_others_stand_out():
    assert list(found(CostRow("O1-2025-salaries", "O1", 2025, "staff", "salaries", 10.0**9))) == ["O1-2025-salaries"]


def test_a_new_item_is_held_against_peers_alone():
    rows = [row for row in market() if not (row.operator == "O1" and row.item == "disks" and row.year < 2025)]
    rows = [row for row in rows if row.key != "O1-2025-disks"] + [CostRow("new", "O1", 2025, "storage", "disks", 10.0**6)]
    (finding,) = cost_outliers(rows, operator="O1", year=2025).findings
    assert [reason.code for reason in finding.reasons] == ["high_share"]


def test_an_item_under_another_nature_says_where_it_usually_is():
    row = CostRow("O1-2025-disks", "O1", 2025, "staff", "disks", 2 * 1000 * 5 * 1.05**2)
    (finding,) = found(row).values()
    assert [(reason.code, reason.usual) for reason in finding.reasons] == [("other_nature", "storage")]


def test_the_same_row_twice_is_named_on_both():
    rows = market()
    again = next(row for row in rows if row.key == "O1-2025-servers")
    twice = [*rows, CostRow("again", *[getattr(again, name) for name in ("operator", "year", "nature", "item", "amount")])]
    said = cost_outliers(twice, operator="O1", year=2025)
    assert {one.key: [reason.code for reason in one.reasons] for one in said.findings} == {
        "O1-2025-servers": ["twice"],
        "again": ["twice"],
    }


def test_with_neither_past_nor_peers_nothing_is_claimed():
    said = cost_outliers(ledger("O1", 2025), operator="O1", year=2025)
    assert (said.findings, said.past_years, said.peers) == ((), 0, 0)
