"""Benchmarks, a file each with ``run() -> list[Figure]``; ``python -m bench`` prints a table and writes .data/bench.json."""
