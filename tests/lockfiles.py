"""``python -m tests.lockfiles``: the lock files carry hashes, name no index, and cover what pyproject.toml asks for."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RUNTIME, DEVELOPMENT = "requirements.lock", "requirements-dev.lock"


def normal(name: str) -> str:
    """The name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(text: str) -> dict[str, str]:
    """Package → its whole entry, continuation lines included."""
    joined = re.sub(r"\\\n\s*", " ", text)
    lines = (line.strip() for line in joined.splitlines())
    return {normal(re.split(r"[=\[ ;]", line)[0]): line for line in lines if line and not line.startswith("#")}


def wanted(requirements: list[str]) -> set[str]:
    return {normal(re.split(r"[<>=!~\[; ]", requirement)[0]) for requirement in requirements}


def problems(pyproject: str, runtime: str, development: str) -> Iterator[str]:
    project = tomllib.loads(pyproject)
    asked = wanted(project["project"]["dependencies"])
    for name, text, needs in (
        (RUNTIME, runtime, asked),
        (DEVELOPMENT, development, asked | wanted(project["dependency-groups"]["dev"])),
    ):
        entries = locked(text)
        for package, entry in entries.items():
            if "==" not in entry:
                yield f"{name}: {package} is not pinned"
            if "--hash=sha256:" not in entry:
                yield f"{name}: {package} has no hash"
        for line in text.splitlines():
            if re.search(r"https?://|--(extra-)?index-url|--find-links|\bfile:", line):
                yield f"{name}: names an address: {line.strip()[:60]}"
        for package in sorted(needs - set(entries)):
            yield f"{name}: {package} of pyproject.toml is missing; run `make locks`"
    ours, theirs = locked(runtime), locked(development)
    for package in sorted(set(ours) & set(theirs)):
        if ours[package].split()[0] != theirs[package].split()[0]:
            yield f"{DEVELOPMENT}: {package} differs from {RUNTIME}"


def main() -> int:
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in ("pyproject.toml", RUNTIME, DEVELOPMENT)]
    found = list(problems(*texts))
    for line in found:
        print(line, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
