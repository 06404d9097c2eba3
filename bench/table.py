"""What a benchmark returns, how it is told, and where it is kept."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured thing. ``is_at_least`` says on which side of ``budget`` the value belongs; None where there is no budget."""

    what: str
    value: float
    unit: str
    budget: float | None = None
    is_at_least: bool = True
    note: str = ""

    @property
    def reach(self) -> float | None:
        """Value over budget, turned so that 1 and more is within it."""
        if self.budget is None or not self.value:
            return None
        return self.value / self.budget if self.is_at_least else self.budget / self.value

    def row(self) -> dict[str, Any]:
        return {**asdict(self), "reach": self.reach}


def told(number: float | None) -> str:
    if number is None:
        return "–"
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"


def markdown(rows: list[dict[str, Any]]) -> str:
    """The table: what, measured, budget, how far (× of the budget, 1 and more is within it), note."""
    lines = ["| what | measured | budget | × of budget | how |", "| --- | --- | --- | --- | --- |"]
    for row in rows:
        sign = "≥" if row["is_at_least"] else "≤"
        budget = "–" if row["budget"] is None else f"{sign} {told(row['budget'])} {row['unit']}"
        reach = "–" if row["reach"] is None else f"{told(row['reach'])} {'✓' if row['reach'] >= 1 else '✗'}"
        lines.append(f"| {row['what']} | {told(row['value'])} {row['unit']} | {budget} | {reach} | {row['note']} |")
    return "\n".join(lines)


def keep(path: Path, machine: str, at: str, rows: list[dict[str, Any]], failed: dict[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"machine": machine, "at": at, "figures": rows, "failed": failed}
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
