"""CPU seconds of processes and of all that they started, from /proc; zero where it is not to be had (another system)."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")


class _Process(NamedTuple):
    parent: int
    own: int  # ticks of its own
    waited: int  # ticks of children that have ended


def cpu_seconds(roots: Iterable[int]) -> float:
    """CPU seconds, user and system, of the processes and of everything below them, ended children included."""
    known = _all()
    below: dict[int, list[int]] = {}
    for pid, process in known.items():
        below.setdefault(process.parent, []).append(pid)
    ticks, waiting = 0, [pid for pid in roots if pid in known]
    while waiting:
        pid = waiting.pop()
        ticks += known[pid].own + known[pid].waited
        waiting += below.get(pid, [])
    return ticks / os.sysconf("SC_CLK_TCK")


def _all() -> dict[int, _Process]:
    found: dict[int, _Process] = {}
    for folder in PROC.glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text(encoding="latin-1").rpartition(")")[2].split()
        except OSError:
            continue
        user, system, waited_user, waited_system = map(int, fields[11:15])
        found[int(folder.name)] = _Process(int(fields[1]), user + system, waited_user + waited_system)
    return found
