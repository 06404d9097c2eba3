"""Benchmarks, a file each with ``run() -> list[dict]``; ``python -m bench`` prints a table and writes .data/bench.json."""
