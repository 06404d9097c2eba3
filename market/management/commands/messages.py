"""`manage.py messages`: extract and merge translations; `--check` names what is not translated; `--compile` writes .mo files."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from market import catalogues


class Command(BaseCommand):
    help = "Extract strings into the Chinese catalogues, keeping translations; --check fails on a gap; --compile writes .mo."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="name untranslated, fuzzy, missing and obsolete strings; exit 1")
        parser.add_argument("--compile", action="store_true", help="write the .mo files that are missing or old")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["check"]:
            self.check_all()
        elif options["compile"]:
            for path in catalogues.compile_catalogues():
                self.stdout.write(str(path))
        else:
            for floor in catalogues.FLOORS:
                count = catalogues.update(floor)
                gaps = catalogues.problems(floor)
                self.stdout.write(f"{floor}: {count} strings, {len(gaps.untranslated) + len(gaps.fuzzy)} to translate")

    def check_all(self) -> None:
        lines = [line for floor in catalogues.FLOORS for line in catalogues.problems(floor).lines(floor)]
        for line in lines:
            self.stderr.write(line)
        if lines:
            self.stderr.write(f"{len(lines)} strings need work: run `make messages`, then fill the catalogues.")
            sys.exit(1)
