"""Listings of other markets as unlisted test products: to try catalogue and search on real words.

They are drafts of one made-up organisation that nobody acts for, without authorisation, release or purpose, so the listing gate
keeps every one of them out of the shop. Read ``listings_import``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from products.catalogue.listings import ForeignListing, Skipped
from products.catalogue.models import DataProduct, ProductState, Regime
from products.catalogue.search import name_key, search_terms
from products.organisations.models import Organisation, OrganisationKind
from products.record import audit
from products.registry.models import ProductType

CHUNK = 1_000
HOLDER = {
    "uscc": "91000000MA9T90017X",  # of nobody; both check digits are right
    "name": "外部目录（测试）",
    "name_en": "Imported listings (test)",
    "slug": "imported-listings",
    "kind": OrganisationKind.DATA_PROVIDER,  # no operator: it stands in no list of operators
}
TYPE_WORDS = (  # the first word found in the title says what kind of product it would be here
    (ProductType.INDEX, ("指数", "指标")),
    (ProductType.VERIFICATION, ("核验", "验证", "认证", "比对")),
    (ProductType.MODEL, ("模型", "评分", "评估", "画像", "预测")),
)
FIELDS = (
    "type",
    "regime",
    "name",
    "summary",
    "description",
    "description_en",
    "update_frequency",
    "name_key",
    "search_terms",
)


@dataclass(slots=True)
class Imported:
    """What came of it, in rows of the file."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    skipped: list[Skipped] = field(default_factory=list)

    @property
    def accepted(self) -> int:
        return self.new + self.changed + self.unchanged


@transaction.atomic
def listings_import(*, rows: Iterable[ForeignListing | Skipped], file_name: str, at: datetime) -> Imported:
    """Create a draft a listing, or bring the draft of an earlier import up to date; the same file again changes nothing."""
    done = Imported()
    holder = _holder(at)
    rows = iter(rows)
    while chunk := list(islice(rows, CHUNK)):
        done.skipped.extend(row for row in chunk if isinstance(row, Skipped))
        _import_chunk([row for row in chunk if isinstance(row, ForeignListing)], holder, done, at)
    if done.new or done.changed:
        facts = {"file": file_name, "new": done.new, "changed": done.changed, "skipped": len(done.skipped)}
        audit.record(action="catalogue.imported", obj=holder, organisation=holder, at=at, facts=facts)
    return done


def _holder(at: datetime) -> Organisation:
    defaults = {**HOLDER, "name_key": name_key(str(HOLDER["name"])), "created_at": at}
    return Organisation.objects.get_or_create(uscc=HOLDER["uscc"], defaults=defaults)[0]


def _import_chunk(listings: Sequence[ForeignListing], holder: Organisation, done: Imported, at: datetime) -> None:
    codes = [listing.code for listing in listings]
    known = {product.code: product for product in DataProduct.objects.filter(code__in=codes)}
    new, changed = [], []
    for listing in listings:
        wanted = draft(listing, holder, at)
        product = known.get(listing.code)
        if product is None:
            new.append(wanted)
        elif product.state != ProductState.DRAFT:
            done.skipped.append(Skipped(listing.line, _("this product is no longer a draft")))
        elif list(_changes(product, wanted)):
            changed.append(product)
        else:
            done.unchanged += 1
    DataProduct.objects.bulk_create(new)
    if changed:
        DataProduct.objects.bulk_update(changed, FIELDS)
    done.new += len(new)
    done.changed += len(changed)


def _changes(product: DataProduct, wanted: DataProduct) -> Iterator[str]:
    """Bring the product up to date; the names of what was not."""
    for name in FIELDS:
        if getattr(product, name) != getattr(wanted, name):
            setattr(product, name, getattr(wanted, name))
            yield name


def draft(listing: ForeignListing, holder: Organisation, at: datetime) -> DataProduct:
    """The unsaved product of a listing. Found by title, provider, description and category."""
    return DataProduct(
        code=listing.code,
        operator=holder,
        type=next((kind for kind, words in TYPE_WORDS if any(word in listing.title for word in words)), ProductType.REPORT),
        regime=Regime.FREE if listing.price_mode == "free" else Regime.MARKET,
        name=listing.title,
        summary=" ".join((listing.description or listing.title).split())[:300],
        description="\n\n".join(filter(None, (listing.description, _origin(listing, "zh-hans")))),
        description_en=_origin(listing, "en"),
        update_frequency=listing.update_frequency,
        name_key=name_key(listing.title),
        search_terms=search_terms(listing.title, listing.provider, listing.category, listing.description),
        created_at=at,
    )


def _origin(listing: ForeignListing, language: str) -> str:
    """Where the listing comes from and what it costs there, as a sentence of the product's own text."""
    with override(language):
        facts = {
            "platform": listing.platform or "–",
            "provider": listing.provider or "–",
            "category": listing.category or "–",
            "mode": listing.price_mode,
            "price": "–" if listing.price is None else f"{listing.price:f}",
        }
        return (
            _("Listed on: %(platform)s. Provider: %(provider)s. Category: %(category)s. Price: %(mode)s, %(price)s yuan.") % facts
        )
