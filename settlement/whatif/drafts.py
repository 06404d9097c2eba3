"""What a what-if changes, as a document that is kept with the case; and read into terms for each tariff of the history.

``{"caps": [{"product": code, "purpose_class", "basis", "period": "", "cap": "0.40"}], "tariffs": [{"plan": id, "document"}],
"discount": {"percent": "20", "products": [], "sizes": ["micro"]}, "free_purposes": ["industry.research"],
"free_quota": {"basis": "calls", "units": "1000"}, "demand": {…}}``; every part is optional. ``demand`` belongs to estimates.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _

from pricing.cap_check import check_terms
from pricing.documents import parse_caps, parse_tariff
from pricing.reading import DocumentRefused, Node, Problem
from pricing.revenue.selectors import cap_document, caps_in_force
from pricing.rules import Discount, Violation
from pricing.rules import Tariff as Terms
from pricing.rules.exact import FULL_PERCENT
from pricing.rules.terms import BASES
from pricing.tariffs.models import Tariff
from pricing.tariffs.price_list import BASIS_WORDS
from pricing.tariffs.rules import BasisWithoutCap, clamp
from pricing.tariffs.selectors import charged_classes
from products.models import DataProduct
from products.organisations.models import OrganisationSize
from products.record.refusals import Refused
from settlement.billing.rules import with_stops

REASON = "what-if"
PARTS = ("caps", "tariffs", "discount", "free_purposes", "free_quota", "demand")


class DraftRefused(Refused):
    """A draft that cannot be read, or that names something outside the scope."""

    code = "what_if_draft_refused"


class DraftLeavesBasisOpen(Refused):
    code = "what_if_basis_without_cap"


class DraftAboveCap(Refused):
    """The drafted tariff is above its caps; the smallest counter-example is in the message."""

    code = "what_if_above_cap"


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft read against a scope. ``caps``: (product id, purpose class) → cap document; ``tariffs``: plan id → document."""

    document: dict[str, Any]
    caps: Mapping[tuple[int, str], dict[str, Any]] = field(default_factory=dict)
    tariffs: Mapping[int, dict[str, Any]] = field(default_factory=dict)
    discount_micro: int = 0
    discount_products: frozenset[int] = frozenset()
    discount_sizes: frozenset[str] = frozenset()
    free_purposes: tuple[str, ...] = ()
    quota_basis: str = ""
    quota_micro: int = 0

    @property
    def changes_nothing(self) -> bool:
        return not (self.caps or self.tariffs or self.discount_micro or self.free_purposes or self.quota_micro)


# --- reading --------------------------------------------------------------------------------------------------------------------


def read(document: Mapping[str, Any], products: Mapping[int, DataProduct]) -> Draft:
    """A draft document read against the products in scope. Raises DraftRefused, and DocumentRefused for a tariff inside it."""
    unknown = sorted(set(document) - set(PARTS))
    if unknown:
        raise DraftRefused(_("A draft has no part “%(name)s”.") % {"name": unknown[0]})
    by_code = {product.code: product for product in products.values()}
    discount, quota = document.get("discount") or {}, document.get("free_quota") or {}
    basis = quota.get("basis", "calls")
    if basis not in BASES or basis == "periods":
        raise DraftRefused(_("A free quota counts products, calls, bytes or records."), field="quota_basis")
    sizes = frozenset(discount.get("sizes", ()))
    if sizes - set(OrganisationSize.values):
        raise DraftRefused(_("A discount by size names micro, small, medium or large enterprises."), field="discount_sizes")
    percent = _decimal(discount.get("percent", "0"), 6, "discount_percent")
    if percent > FULL_PERCENT:
        raise DraftRefused(_("A discount lies between 0 and 100 per cent."), field="discount_percent")
    return Draft(
        document=dict(document),
        caps=_caps(document.get("caps") or (), by_code),
        tariffs=_tariffs(document.get("tariffs") or (), products),
        discount_micro=percent,
        discount_products=frozenset(_product(code, by_code, "discount_products").pk for code in discount.get("products", ())),
        discount_sizes=sizes,
        free_purposes=tuple(document.get("free_purposes") or ()),
        quota_basis=basis,
        quota_micro=_decimal(quota.get("units", "0"), 6, "quota_units"),
    )


def _decimal(text: Any, places: int, name: str) -> int:
    problems: list[Problem] = []
    number = Node(text, "", name, problems).decimal(places)
    if problems:
        raise DraftRefused(problems[0].message, field=name)
    return number


def _product(code: str, by_code: Mapping[str, DataProduct], name: str) -> DataProduct:
    if code not in by_code:
        raise DraftRefused(
            _("“%(product)s” is not among the products of this operator or sector.") % {"product": code}, field=name
        )
    return by_code[code]


def _caps(rows: Any, by_code: Mapping[str, DataProduct]) -> dict[tuple[int, str], dict[str, Any]]:
    found: dict[tuple[int, str], dict[str, Any]] = defaultdict(lambda: {"caps": []})
    for row in rows:
        product = _product(row["product"], by_code, "caps")
        entry = {"basis": row["basis"], "cap": row["cap"]} | ({"period": row["period"]} if row["basis"] == "periods" else {})
        found[product.pk, row["purpose_class"]]["caps"].append(entry)
    for document in found.values():
        parse_caps(document)
    return dict(found)


def _tariffs(rows: Any, products: Mapping[int, DataProduct]) -> dict[int, dict[str, Any]]:
    from pricing.tariffs.models import Plan

    wanted = {int(row["plan"]): row["document"] for row in rows}
    known = set(Plan.objects.filter(pk__in=wanted, product__in=products).values_list("pk", flat=True))
    if known != set(wanted):
        raise DraftRefused(_("A plan of this draft belongs to a product outside this operator or sector."), field="plan")
    for document in wanted.values():
        parse_tariff(document)
    return wanted


# --- terms ----------------------------------------------------------------------------------------------------------------------


def terms_under(draft: Draft, tariff: Tariff, *, on: date) -> tuple[Terms, dict[str, Any]]:
    """(terms, document) of a tariff of the history under the draft: replaced, checked or clamped, discounted.

    A tariff that the draft writes must keep the caps (drafted, or in force ``on``); those that stay are cut to drafted caps as a
    real cap cut would (`pricing.tariffs.rules.clamp`).
    """
    document = draft.tariffs.get(tariff.plan_id, tariff.document)
    is_written = tariff.plan_id in draft.tariffs
    product = tariff.plan.product
    for purpose_class in charged_classes(tariff.plan.purposes):
        caps = draft.caps.get((product.pk, purpose_class))
        if is_written and product.regime != "market":
            in_force = caps or cap_document(caps_in_force(product=product, purpose_class=purpose_class, on=on))
            _refuse_above(tariff, document, in_force)
        elif caps:
            document = _clamped(tariff, document, caps)
    terms = with_stops(parse_tariff(document))
    if draft.discount_micro and (not draft.discount_products or product.pk in draft.discount_products):
        reached = frozenset(component.code for component in terms.components if component.is_collected)
        terms = replace(terms, discounts=(*terms.discounts, Discount(REASON, draft.discount_micro, reached)))
    return terms, document


def _clamped(tariff: Tariff, document: dict[str, Any], caps: dict[str, Any]) -> dict[str, Any]:
    try:
        return clamp(document, caps)
    except BasisWithoutCap as open_basis:
        raise DraftLeavesBasisOpen(
            _("The tariff of plan “%(plan)s” charges %(basis)s, for which these caps have no entry. Add one.")
            % {"plan": tariff.plan.name, "basis": BASIS_WORDS[open_basis.violation.basis]},
            field="caps",
        ) from open_basis


def _refuse_above(tariff: Tariff, document: dict[str, Any], caps: dict[str, Any]) -> None:
    terms = parse_tariff(document)
    try:
        found: Violation | None = check_terms(tariff=terms, caps=parse_caps(caps))
    except DocumentRefused as refused:
        raise DraftRefused(str(refused), field="document") from refused
    if found is None:
        return
    facts = {"plan": tariff.plan.name, "quantity": f"{found.quantity:,}", "basis": BASIS_WORDS[found.basis], "price": found.price}
    if found.cap is None:
        text = _("Plan “%(plan)s” would charge %(basis)s, for which no cap is in force.") % facts
    else:
        text = _(
            "Plan “%(plan)s”: at a quantity of %(quantity)s (%(basis)s) the price is %(price)s, above the cap of %(cap)s."
        ) % {
            **facts,
            "cap": found.cap,
        }
    raise DraftAboveCap(text, field="document")


def caps_prefilled(products: Mapping[int, DataProduct], *, on: date, percent: int = 0) -> list[dict[str, str]]:
    """The caps in force of the products as rows of a draft, changed by a percentage and rounded down."""
    from pricing.revenue.models import Cap

    rows = Cap.objects.filter(product__in=products, period__contains=on).order_by(
        "product__code", "purpose_class", "basis", "flat_period", "id"
    )
    found = []
    for cap in rows:
        places = 2 if cap.basis == "periods" else 6
        number = int(cap.amount.scaleb(places)) * (100 + percent) // 100
        text = f"{number // 10**places}.{number % 10**places:0{places}d}"
        whole, _dot, decimals = text.partition(".")
        found.append(
            {
                "product": products[cap.product_id].code,
                "purpose_class": cap.purpose_class,
                "basis": cap.basis,
                "period": cap.flat_period,
                "cap": f"{whole}.{decimals[:2]}{decimals[2:].rstrip('0')}",
            }
        )
    return found
