"""What `quote` and `check_cap` share: reading two JSON files, and telling what is wrong with them (exit 2)."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from django.core.management.base import OutputWrapper

from pricing.explain import problem_text
from pricing.reading import DocumentRefused, Problem, load_json


def read_document(path: str) -> Any:
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise DocumentRefused([Problem(path, "", "unreadable", {"reason": error.strerror or str(error)})]) from error
    return load_json(content, path)


def read_documents(paths: Sequence[str]) -> list[Any]:
    """All files, or DocumentRefused with the problems of every one of them."""
    documents: list[Any] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            documents.append(read_document(path))
        except DocumentRefused as refusal:
            problems += refusal.problems
    if problems:
        raise DocumentRefused(problems)
    return documents


def refuse(stderr: OutputWrapper, refusal: DocumentRefused) -> NoReturn:
    """One line a problem, `file#/json/pointer: what`, and exit 2."""
    for problem in refusal.problems:
        stderr.write(f"{problem.document}#{problem.pointer}: {problem_text(problem)}")
    sys.exit(2)


def dump(answer: dict[str, Any]) -> str:
    return json.dumps(answer, ensure_ascii=False, indent=2)
