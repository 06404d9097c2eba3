"""The worked tables of a page in docs/: rows under a JSON tariff block, whose first column is what is asked."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pytest


def worked_rows(page: Path, columns: Collection[str]) -> Iterator[Any]:
    """pytest parameters (tariff or None, {column: cell}) of each row of a table whose first column is one of ``columns``."""
    tariff, header, block = None, None, None
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if line == "```json tariff":
            block = []
        elif line == "```":
            tariff, block = json.loads("\n".join(block or [])), None
        elif block is not None:
            block.append(line)
        elif not line.startswith("|"):
            header = None
        elif header is None:
            header = [cell.strip() for cell in line.strip("|").split("|")]
        elif header[0] in columns and not line.startswith("| ---"):
            cells = [cell.strip() for cell in re.split(r"(?<= )\|(?= )|\|$", line.removeprefix("|").removesuffix("|"))]
            yield pytest.param(tariff, dict(zip(header, cells, strict=True)), id=f"line {number}")
