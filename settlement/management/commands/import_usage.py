"""``import_usage FILE``: usage reported in a file, CloudEvents, one JSON a line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Any

import msgspec
from django.core.management.base import BaseCommand, CommandError, CommandParser

from products.record.clock import now
from settlement.metering.reports import Answer, report_usage

CHUNK = 2_000


class Command(BaseCommand):
    help = "Record usage events from FILE (CloudEvents, one JSON a line); prints accepted, duplicate, rejected with reasons."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="path of the file")

    def handle(self, *args: Any, **options: Any) -> None:
        """Each chunk commits by itself; running the file again only finds duplicates, so a killed run is run again."""
        counts: Counter[str] = Counter()
        try:
            with Path(options["file"]).open("rb") as file:
                for numbers, events in chunks(file):
                    answers = report_usage(events=events, operator_id=None, operator_slug=None, at=now())
                    counts.update(answer.status for answer in answers)
                    self._show_rejected(numbers, answers)
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}") from error
        for status in ("accepted", "duplicate", "rejected"):
            self.stdout.write(f"{status} {counts[status]}")

    def _show_rejected(self, numbers: list[int], answers: list[Answer]) -> None:
        for number, answer in zip(numbers, answers, strict=True):
            if answer.status == "rejected":
                message = f"{answer.reason}: {answer.as_dict()['message']} {answer.detail}".rstrip()
                self.stderr.write(f"line {number}, id {answer.id or '-'}: {message}")


def chunks(file: IO[bytes]) -> Iterator[tuple[list[int], list[Any]]]:
    """The file's events with their line numbers; a line that is not JSON is an event that is not one."""
    lines = ((number, line) for number, line in enumerate(file, 1) if line.strip())
    while chunk := list(islice(lines, CHUNK)):
        yield [number for number, _line in chunk], [_event(line) for _number, line in chunk]


def _event(line: bytes) -> Any:
    try:
        return msgspec.json.decode(line)
    except msgspec.DecodeError:
        return None
