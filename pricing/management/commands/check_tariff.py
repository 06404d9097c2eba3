"""`manage.py check_tariff TARIFF.json [CAP.json]`: proves that the total never falls when usage rises; needs no database."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from pricing.management.documents import dump, read_documents, refuse
from pricing.reading import DocumentRefused
from pricing.tariffs.sanity import check_tariff


class Command(BaseCommand):
    help = (
        "Prove that a tariff's total never falls when usage rises, and that it keeps its caps where they are given. "
        "Exit 1: the smallest counter-example; exit 2: a document is refused."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tariff", metavar="TARIFF.json")
        parser.add_argument("cap", metavar="CAP.json", nargs="?")

    def handle(self, *args: Any, **options: Any) -> None:
        paths = [path for path in (options["tariff"], options["cap"]) if path]
        try:
            documents = read_documents(paths)
            names = (options["tariff"], options["cap"] or "caps")
            answer = check_tariff(documents[0], documents[1] if options["cap"] else None, names)
        except DocumentRefused as refusal:
            refuse(self.stderr, refusal)
        self.stdout.write(dump(answer))
        if not answer["ok"]:
            sys.exit(1)
