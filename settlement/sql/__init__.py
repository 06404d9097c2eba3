"""Queries written by hand, one a file: its header says purpose, parameters, grain and columns.

May import nothing of ours. Start reading at record_plain.sql, the insert that every metered call goes through.
"""

from functools import cache
from pathlib import Path


@cache
def query(name: str) -> str:
    """The text of ``<name>.sql``."""
    return (Path(__file__).parent / f"{name}.sql").read_text(encoding="utf-8")
