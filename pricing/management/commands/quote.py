"""`manage.py quote TARIFF.json USAGE.json`: prices a usage under a tariff document; needs no database."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from pricing.management.documents import dump, read_documents, refuse
from pricing.quote import quote
from pricing.reading import DocumentRefused


class Command(BaseCommand):
    help = "Price a usage under a tariff document. Exit 2: a document is refused, with what and where."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tariff", metavar="TARIFF.json")
        parser.add_argument("usage", metavar="USAGE.json")

    def handle(self, *args: Any, **options: Any) -> None:
        paths = (options["tariff"], options["usage"])
        try:
            tariff, usage = read_documents(paths)
            answer = quote(tariff, usage, paths)
        except DocumentRefused as refusal:
            refuse(self.stderr, refusal)
        self.stdout.write(dump(answer))
