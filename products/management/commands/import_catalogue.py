"""`manage.py import_catalogue FILE.csv`: listings of other markets as unlisted test products."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from products.catalogue.importing import listings_import
from products.catalogue.listings import ListingsUnreadable, read_listings
from products.record import clock


class Command(BaseCommand):
    help = (
        "Take the listings of a CSV file (title, provider, description, category, price_mode, price …) into the catalogue as "
        "unlisted test products. Prints what was accepted and each row skipped with its reason; again changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE.csv")

    def handle(self, *args: Any, **options: Any) -> None:
        path = Path(options["file"])
        try:
            with path.open(encoding="utf-8-sig", newline="") as lines:
                done = listings_import(rows=read_listings(lines), file_name=path.name, at=clock.now())
        except (OSError, UnicodeDecodeError, ListingsUnreadable) as error:
            raise CommandError(f"{path}: {error}", returncode=2) from error
        for skipped in done.skipped:
            self.stdout.write(f"skipped {path.name}:{skipped}")
        self.stdout.write(
            f"accepted {done.accepted} ({done.new} new, {done.changed} changed, {done.unchanged} unchanged), "
            f"skipped {len(done.skipped)}"
        )
