"""`manage.py publish_product SPEC.yaml`: a product from its spec and data file, as a draft that is ready for its reviews.

The command stands on the settlement floor because a re-developed product needs a licence, and the spec may name tariffs.
"""

import os
import sys
from pathlib import Path
from typing import Any, NoReturn

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from products.catalogue.remote_hosts import product_may_call
from products.catalogue.services import ListingRefused
from products.catalogue.spec import ProductSpec, SpecRefused, spec_parse
from products.organisations.models import User
from products.record import clock
from products.record.refusals import Refused
from products.runtimes.base import ReleaseRefused
from products.runtimes.egress import egress
from products.runtimes.keys import secrets_from
from settlement.publishing import Filed, product_file


class Command(BaseCommand):
    help = (
        "File a product from a spec: creates or updates the draft, proves the release on its samples, asks for the reviews. "
        "The same spec again changes nothing. Exit 1: refused, a reason a line; exit 2: the spec is wrong, with what and where."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("spec", metavar="SPEC.yaml")
        parser.add_argument(
            "--by", metavar="EMAIL", help="who submits; default: the spec's submitted_by, else the first publisher"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path = Path(options["spec"])
        try:
            spec = spec_parse(path.read_text(encoding="utf-8"), folder=path.parent)
            filed = product_file(
                spec=spec,
                secrets=secrets_from(os.environ, link_key=settings.SIGNING_KEY.encode(), egress=egress(allows=product_may_call)),
                by=_submitter(options["by"] or spec.submitted_by),
                at=clock.now(),
            )
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{path}: {error}", returncode=2) from error
        except (SpecRefused, ReleaseRefused) as refusal:
            self._refuse(2, [f"{path}#{error['pointer']}: {error['message']}" for error in refusal.errors])
        except ListingRefused as refusal:
            self._refuse(1, [str(gap) for gap in refusal.gaps])
        except Refused as refusal:
            self._refuse(1, [f"{refusal.code}: {refusal}"])
        self._report(filed, spec)

    def _refuse(self, code: int, lines: list[str]) -> NoReturn:
        for line in lines:
            self.stderr.write(line)
        sys.exit(code)

    def _report(self, filed: Filed, spec: ProductSpec) -> None:
        published = filed.published
        product, release = published.product, published.release
        done = "filed" if published.is_new_product else "changed" if published.has_changed else "unchanged"
        self.stdout.write(f"{product.code}: {done}; release {release.version} is {release.state}; product is {product.state}")
        if published.is_new_release and spec.request_reviews and published.submitted_by:
            self.stdout.write(f"reviews asked for by {published.submitted_by.email}")
        for tariff in filed.tariffs:
            self.stdout.write(f"tariff filed: plan {tariff.plan.code}, version {tariff.version}, from {tariff.period.lower}")
        for plan, why in filed.waiting.items():
            self.stdout.write(f"tariff of plan {plan} waits: {why} Run this again then.")
        if filed.flag is not None:
            self.stdout.write(f"built on an affiliate's product: case {filed.flag.pk} is before {filed.flag.handler}")
        for gap in published.todo:
            self.stdout.write(f"before listing: {gap}")


def _submitter(email: str | None) -> User | None:
    if not email:
        return None
    user = User.objects.filter(email__iexact=email).first()
    if user is None:
        raise CommandError(f"nobody signs in as {email}", returncode=2)
    return user
