"""How large the benchmarks are: BENCH_SCALE=0.1 for a quick look."""

import os


def scaled(count: int) -> int:
    return max(1, int(count * float(os.environ.get("BENCH_SCALE", "1"))))
