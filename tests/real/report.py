"""The figures on docs/real-data.md, which the tests compare with what they find."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

from django.conf import settings

PAGE = Path(settings.BASE_DIR) / "docs" / "real-data.md"
_ROW = re.compile(r"^\| ([^|]+?) \| (-?[0-9][0-9,.]*) \|$", re.MULTILINE)


def figures() -> dict[str, Decimal]:
    """Figure by its label, from every table row of two columns whose second is a number."""
    return {label: Decimal(number.replace(",", "")) for label, number in _ROW.findall(PAGE.read_text(encoding="utf-8"))}
