"""What the database accounts of a production may do: prints the SQL, --apply carries it out. Run it after each migration."""

from __future__ import annotations

from django.core.management import BaseCommand
from django.db import connection, transaction

from products.postgres.roles import statements


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser) -> None:
        parser.add_argument("--app", default="gongshu_app", help="the role of gateway, web and worker")
        parser.add_argument("--reader", default="gongshu_reader", help="the role of those who only read, without secrets")
        parser.add_argument("--apply", action="store_true", help="carry it out as the owner of the tables")

    def handle(self, *, app: str, reader: str, apply: bool, **options) -> None:
        found = list(statements(app=app, reader=reader))
        if not apply:
            self.stdout.write("".join(f"{statement};\n" for statement in found))
            return
        with transaction.atomic(), connection.cursor() as cursor:
            for statement in found:
                cursor.execute(statement.replace("%", "%%"))
        self.stdout.write(f"{len(found)} statements carried out for {app} and {reader}.")
        self.stdout.write("They sign in once they have passwords: ALTER ROLE … LOGIN PASSWORD …")
