"""``python -m bench [NAME …]``: run the benchmarks, print a table, write .data/bench.json."""

from __future__ import annotations

import json
import os
import platform
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
HELPERS = {"__init__", "__main__", "load", "scratch", "unmetered"}


def main(names: list[str]) -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "market.settings")
    import django

    django.setup()
    from django.conf import settings

    found = sorted(path.stem for path in HERE.glob("*.py") if path.stem not in HELPERS)
    rows: list[dict[str, Any]] = []
    for name in names or found:
        for row in import_module(f"bench.{name}").run():
            rows.append({"bench": name, **row})
            print("  ".join(f"{key}={value}" for key, value in rows[-1].items()), flush=True)
    machine = {"cores": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}
    target = settings.DATA_DIR / "bench.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps({"machine": machine, "rows": rows}, indent=1, ensure_ascii=False), encoding="utf-8")
    print(f"written to {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
