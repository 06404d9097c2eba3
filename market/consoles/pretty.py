"""JSON as people read it."""

from __future__ import annotations

import json
from typing import Any


def pretty(value: Any) -> str:
    """Indented, keys as they come, Chinese as it is."""
    return json.dumps(value, ensure_ascii=False, indent=2)
