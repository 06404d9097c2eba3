"""``check_receipt FILE``: whether receipts are as the market signed, metered and published them; needs no database."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from settlement.metering import checking


class Command(BaseCommand):
    help = "Check receipts (one, a list, or one a line) offline; prints JSON; exit 1 where anything is wrong, 2 for a bad file."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help="receipts, as GET /v1/receipts/{id} gives them")
        parser.add_argument("--keys", metavar="FILE", help="the public keys, as GET /v1/keys gives them")
        parser.add_argument("--roots", metavar="FILE", help="published roots, as /v1/receipt-roots or its CSV gives them")

    def handle(self, *args: Any, **options: Any) -> None:
        receipts = self._read(options["file"], checking.receipts_in)
        keys = self._read(options["keys"], checking.keys_of) if options["keys"] else None
        roots = self._read(options["roots"], checking.roots_of) if options["roots"] else None
        by_hour = None if roots is None else {row.hour: row for row in roots}
        findings = [checking.check_receipt(receipt, keys=keys, roots=by_hour) for receipt in receipts]
        answer: dict[str, Any] = {"ok": all(finding.ok for finding in findings)}
        if roots is not None:
            wrong = checking.check_chain(roots)
            begins = "the beginning" if checking.is_from_the_beginning(roots) else "its first row, taken as given"
            answer["chain"] = {"ok": not wrong, "hours": len(roots), "proven_from": begins} | ({"errors": wrong} if wrong else {})
            answer["ok"] = answer["ok"] and not wrong
        answer["receipts"] = [finding.as_dict() for finding in findings]
        self.stdout.write(json.dumps(answer, ensure_ascii=False, indent=2))
        if not answer["ok"]:
            sys.exit(1)

    def _read(self, name: str, read: Any) -> Any:
        try:
            return read(Path(name).read_bytes())
        except OSError as error:
            raise CommandError(f"{name}: {error.strerror}", returncode=2) from error
        except checking.NotReadable as error:
            raise CommandError(f"{name}: {error}", returncode=2) from error
