"""Found the platform of a new installation and its first owner, who then verifies everyone else."""

from __future__ import annotations

import getpass

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import BaseCommand, CommandError
from django.db import transaction

from products.organisations.founding import platform_found
from products.organisations.models import User
from products.record import clock
from products.record.refusals import Refused


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser) -> None:
        parser.add_argument("--uscc", required=True, help="unified social credit code of the platform")
        parser.add_argument("--name", required=True)
        parser.add_argument("--owner", required=True, help="e-mail of the first person")

    def handle(self, *, uscc: str, name: str, owner: str, **options) -> None:
        password = getpass.getpass("Password of the first owner: ")
        try:
            validate_password(password)
            with transaction.atomic():
                user = User.objects.create_user(email=owner, password=password)
                platform = platform_found(uscc=uscc, name=name, owner=user, at=clock.now())
        except (Refused, ValidationError) as refused:
            raise CommandError(str(refused)) from refused
        self.stdout.write(f"{platform.name} ({platform.uscc}) is founded; {owner} signs in and verifies the others.")
