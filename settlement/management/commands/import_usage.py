"""``import_usage FILE``: usage reported in a file, CloudEvents, one JSON a line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from products.record.clock import now
from settlement.metering.reports import Answer, report_usage

CHUNK = 2_000
WIDTH = 40


class Command(BaseCommand):
    help = "Record usage events from FILE (CloudEvents, one JSON a line); prints accepted, duplicate, rejected with reasons."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="path of the file")

    def handle(self, *args: Any, **options: Any) -> None:
        """Each chunk commits by itself; a killed run is run again and finds what it had recorded as duplicates."""
        counts: Counter[str] = Counter()
        try:
            path = Path(options["file"])
            whole = path.stat().st_size
            with path.open("rb") as file:
                for numbers, events in chunks(file):
                    answers = report_usage(events=events, operator_id=None, at=now())
                    counts.update(answer.status for answer in answers)
                    self._show_rejected(numbers, answers)
                    self._show_progress(file.tell(), whole)
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}") from error
        for status in ("accepted", "duplicate", "rejected"):
            self.stdout.write(f"{status} {counts[status]}")

    def _show_rejected(self, numbers: list[int], answers: list[Answer]) -> None:
        for number, answer in zip(numbers, answers, strict=True):
            if answer.status == "rejected":
                message = f"{answer.reason}: {answer.as_dict()['message']} {answer.detail}".rstrip()
                self.stderr.write(f"line {number}, id {answer.id or '-'}: {message}")

    def _show_progress(self, read: int, whole: int) -> None:
        """How much of the file is recorded, in bytes, where a person watches."""
        if self.stderr.isatty():
            self.stderr.write(progress(read, whole), ending="\n" if read >= whole else "")
            self.stderr.flush()


def progress(read: int, whole: int) -> str:
    """A line that overwrites itself."""
    hundredths = read * 100 // whole if whole else 100
    done = hundredths * WIDTH // 100
    return f"\r[{'#' * done}{'.' * (WIDTH - done)}] {hundredths:3}% {read:,} of {whole:,} bytes"


def chunks(file: IO[bytes]) -> Iterator[tuple[list[int], list[bytes]]]:
    """The file's events as they stand there, with their line numbers; empty lines are passed over."""
    number = 0
    while lines := list(islice(iter(file.readline, b""), CHUNK)):
        numbered = [(number + place, line) for place, line in enumerate(lines, 1) if line.strip()]
        number += len(lines)
        if numbered:
            yield [place for place, _line in numbered], [line for _place, line in numbered]
