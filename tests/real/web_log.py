"""`web_access.log` as requests to the gateway: client → organisation, path → product, time → May 2026, status → good or bad."""

from __future__ import annotations

import subprocess
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

ORGANISATIONS = 50
PRODUCTS = ("cpi-index", "division-check", "credit-default")
GOOD = ("200", "206")
SERVED = "$9 == 200 || $9 == 206"


@dataclass(frozen=True, slots=True)
class Visit:
    """One line of the log, numbered from 0."""

    number: int
    organisation: int
    product: str
    at: datetime
    is_good: bool


def pick(text: str, count: int) -> int:
    return int.from_bytes(sha256(text.encode()).digest()[:8]) % count


def visits(folder: Path) -> list[Visit]:
    """The log in its order, eleven years later to the second."""
    lines = (folder / "web_access.log").read_text(encoding="utf-8", errors="replace").splitlines()
    return [_visit(number, line.split()) for number, line in enumerate(lines)]


def _visit(number: int, cells: list[str]) -> Visit:
    client, path, status = cells[0], cells[6], cells[8]
    at = datetime.strptime(f"{cells[3]} {cells[4]}", "[%d/%b/%Y:%H:%M:%S %z]").replace(year=2026)
    return Visit(number, pick(client, ORGANISATIONS), PRODUCTS[pick(path, len(PRODUCTS))], at, status in GOOD)


def awk(folder: Path, program: str) -> list[str]:
    command = ["awk", program, str(folder / "web_access.log")]
    return subprocess.run(command, check=True, capture_output=True, text=True, errors="replace").stdout.splitlines()


def counted_by_awk(folder: Path) -> Counter[tuple[int, str]]:
    """Good calls per organisation and product: awk counts per client and path, Python only says whose they are."""
    counts: Counter[tuple[int, str]] = Counter()
    for line in awk(folder, f'{SERVED} {{ n[$1 " " $7]++ }} END {{ for (pair in n) print n[pair], pair }}'):
        calls, client, path = line.split()
        counts[pick(client, ORGANISATIONS), PRODUCTS[pick(path, len(PRODUCTS))]] += int(calls)
    return counts
