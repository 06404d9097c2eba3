"""`python -m bench [NAME…]`: run the benchmarks (all, or those named), print a table, write .data/bench.json.

A benchmark is a module here with ``run() -> list[Figure]``; each starts on an empty database. BENCH_SCALE (default 1) makes
all of them smaller or larger.
"""

from __future__ import annotations

import importlib
import sys
import time
import traceback
from datetime import UTC, datetime

from bench import database, table

BENCHMARKS = ("quotes", "rating", "whatif", "ledger", "usage_ingest", "gateway", "search", "close", "caps")


def main(names: list[str]) -> int:
    unknown = set(names) - set(BENCHMARKS)
    if unknown:
        print(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    rows, failed = [], {}
    with database.own():
        from django.conf import settings

        for name in names or BENCHMARKS:
            began = time.perf_counter()
            try:
                database.empty()
                rows += [figure.row() for figure in importlib.import_module(f"bench.{name}").run()]
            except Exception as error:
                traceback.print_exc()
                failed[name] = f"{type(error).__name__}: {error}"
            print(f"{name}: {time.perf_counter() - began:.1f} s", file=sys.stderr)
        at = datetime.now(UTC).isoformat(timespec="seconds")
        table.keep(settings.DATA_DIR / "bench.json", database.machine(), at, rows, failed)
    print(database.machine(), at, sep="\n", end="\n\n")
    print(table.markdown(rows))
    for name, reason in failed.items():
        print(f"{name} failed: {reason}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
