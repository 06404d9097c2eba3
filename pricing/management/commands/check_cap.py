"""`manage.py check_cap TARIFF.json CAP.json`: proves a tariff under its caps; needs no database."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from pricing.cap_check import check_cap
from pricing.management.documents import dump, read_documents, refuse
from pricing.reading import DocumentRefused


class Command(BaseCommand):
    help = "Prove a tariff under its caps. Exit 1: the smallest counter-example; exit 2: a document is refused."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tariff", metavar="TARIFF.json")
        parser.add_argument("cap", metavar="CAP.json")

    def handle(self, *args: Any, **options: Any) -> None:
        paths = (options["tariff"], options["cap"])
        try:
            tariff, caps = read_documents(paths)
            answer = check_cap(tariff, caps, paths)
        except DocumentRefused as refusal:
            refuse(self.stderr, refusal)
        self.stdout.write(dump(answer))
        if not answer["ok"]:
            sys.exit(1)
