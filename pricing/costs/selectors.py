"""Reads of cost filings: what was admitted, by what, and how a new version differs from the one before it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from pricing.bodies import stem
from pricing.costs.models import CostFiling, CostItem
from pricing.costs.rules import PUBLIC_DATA, lines_of, parse_parts
from products.organisations.models import Organisation, OrganisationKind

COUNTED = Coalesce("overruled_minor", "admitted_minor")


@dataclass(frozen=True)
class Total:
    """Rows of one kind: how many, their amount, what counts of it, and how many were overruled; fen."""

    code: str
    rows: int
    amount_minor: int
    counted_minor: int
    overruled: int

    @property
    def refused_minor(self) -> int:
        return self.amount_minor - self.counted_minor


def audited_cost(*, authorisation: object, year: int) -> CostFiling | None:
    """The audited filing of a year; None where there is none (yet)."""
    return CostFiling.objects.filter(authorisation=authorisation, year=year, state=CostFiling.State.AUDITED).first()


def admitted_total(filing: CostFiling) -> int:
    """The operating cost that a filing admits, overruling included; fen."""
    return filing.items.aggregate(sum=Sum(COUNTED))["sum"] or 0


def admitted_by_line(filing: CostFiling) -> dict[str, int]:
    """What is admitted by line of the operation: ``public_data`` (common cost) and ``public_data.<product code>``; fen.

    The values sum to ``admitted_total``. Lines with nothing are left out.
    """
    found: Counter[str] = Counter()
    parts: dict[int, tuple] = {}
    for item in filing.items.select_related("allocation").order_by("row"):
        if item.allocation_id is not None and item.allocation_id not in parts:
            parts[item.allocation_id] = parse_parts(item.allocation.parts)
        shares = lines_of(
            amount_minor=item.amount_minor,
            admitted_minor=item.admitted_minor,
            overruled_minor=item.overruled_minor,
            business_line=item.business_line,
            parts=parts.get(item.allocation_id, ()),
        )
        for line, minor in shares:
            found[line] += minor
    return {line: minor for line, minor in sorted(found.items()) if minor}


def cost_by_product_line(filing: CostFiling) -> tuple[dict[str, int], int]:
    """What is admitted for single products, by product code, and what is common to all of them; fen."""
    by_line = admitted_by_line(filing)
    common = by_line.pop(PUBLIC_DATA, 0)
    return {line.removeprefix(PUBLIC_DATA + "."): minor for line, minor in by_line.items()}, common


def totals(items: QuerySet[CostItem], by: str) -> list[Total]:
    """Sums of the rows by ``nature``, ``funding``, ``business_line`` or ``rule``, the largest amount first."""
    rows = (
        items.values(code=F(by))
        .annotate(rows=Count("id"), amount=Sum("amount_minor"), counted=Sum(COUNTED), overruled=Count("overruled_minor"))
        .order_by("-amount", "code")
    )
    return [Total(row["code"], row["rows"], row["amount"], row["counted"], row["overruled"]) for row in rows]


def whole(found: Iterable[Total]) -> Total:
    """The sum of totals."""
    rows = list(found)
    return Total(
        "",
        sum(row.rows for row in rows),
        sum(row.amount_minor for row in rows),
        sum(row.counted_minor for row in rows),
        sum(row.overruled for row in rows),
    )


def totals_of(items: Sequence[CostItem], by: str) -> list[Total]:
    """The same of rows that are not saved yet."""
    found: dict[str, list[CostItem]] = {}
    for item in items:
        found.setdefault(getattr(item, by), []).append(item)
    sums = [
        Total(code, len(rows), sum(row.amount_minor for row in rows), sum(row.counted_minor for row in rows), 0)
        for code, rows in found.items()
    ]
    return sorted(sums, key=lambda total: (-total.amount_minor, total.code))


def filings_of(operator: Organisation) -> QuerySet[CostFiling]:
    """An operator's filings, the latest year and version first."""
    found = CostFiling.objects.filter(authorisation__operator=operator)
    return _with_sums(found).order_by("-year", "authorisation__number", "-version", "-id")


def filings_before(office: Organisation) -> QuerySet[CostFiling]:
    """For a price regulator what is before it, for a data bureau what is filed in its region; the latest first."""
    if office.kind == OrganisationKind.PRICE_REGULATOR:
        found = CostFiling.objects.filter(case__handler=office)
    else:
        prefix = stem(office.region)
        own = Q(authorisation__region__startswith=prefix)
        bodies = Q(authorisation__region="", authorisation__authorising_body__region__startswith=prefix)
        found = CostFiling.objects.exclude(case=None).filter(own | bodies if prefix else Q())
    return _with_sums(found).order_by("-filed_at", "-id")


def _with_sums(found: QuerySet[CostFiling]) -> QuerySet[CostFiling]:
    related = ("authorisation__operator", "authorisation__authorising_body", "case__handler", "filed_by", "decided_by", "file")
    sums = {
        "amount_minor": Sum("items__amount_minor"),
        "counted_minor": Sum(Coalesce("items__overruled_minor", "items__admitted_minor")),
    }
    return found.select_related(*related).defer("file__content").annotate(rows=Count("items"), **sums)


def version_before(filing: CostFiling) -> CostFiling | None:
    """The version that this one replaces."""
    earlier = CostFiling.objects.filter(authorisation=filing.authorisation_id, year=filing.year, version__lt=filing.version)
    return earlier.order_by("-version").first()


@dataclass(frozen=True)
class Change:
    """A row that differs between two versions: ``added``, ``removed`` or ``changed`` (``fields`` says in what)."""

    kind: str
    older: CostItem | None
    newer: CostItem | None
    fields: tuple[str, ...] = ()

    @property
    def item(self) -> CostItem | None:
        return self.newer or self.older


COMPARED = ("nature", "business_line", "funding", "amount_minor", "allocation_id", "voucher", "admitted_minor")


def compare(older: CostFiling, newer: CostFiling) -> list[Change]:
    """What changed from one version to the next. Rows are the same where all is the same, else where item and evidence are."""
    old, new = (list(each.items.select_related("allocation").order_by("row")) for each in (older, newer))
    unchanged = Counter(map(_whole_key, old)) & Counter(map(_whole_key, new))
    old, new = _without(old, unchanged), _without(new, unchanged)
    by_key: dict[tuple[str, str], list[CostItem]] = {}
    for item in old:
        by_key.setdefault((item.item, item.voucher), []).append(item)
    changes = []
    for item in new:
        before = by_key.get((item.item, item.voucher))
        if before:
            was = before.pop(0)
            fields = tuple(name for name in COMPARED if getattr(was, name) != getattr(item, name))
            changes.append(Change("changed", was, item, fields))
        else:
            changes.append(Change("added", None, item))
    changes += [Change("removed", item, None) for left in by_key.values() for item in left]
    return changes


def _whole_key(item: CostItem) -> tuple[object, ...]:
    return (item.item, *(getattr(item, name) for name in COMPARED))


def _without(items: list[CostItem], unchanged: Counter[tuple[object, ...]]) -> list[CostItem]:
    left, kept = Counter(unchanged), []
    for item in items:
        key = _whole_key(item)
        if left[key]:
            left[key] -= 1
        else:
            kept.append(item)
    return kept
