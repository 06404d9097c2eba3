"""A result document in the reader's words: headline, charts with their tables, the draft's changes, two results side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from market.storefront.charts import Chart, bar_chart
from pricing.tariffs.price_list import BASIS_WORDS, UNIT_WORDS
from products.catalogue.models import DataProduct
from products.organisations.models import OrganisationKind, OrganisationSize
from products.registry.models import PurposeClass

MOST_BARS = 12
SIZE_WORDS = {**dict(OrganisationKind.choices), **dict(OrganisationSize.choices)}


@dataclass(frozen=True)
class Headline:
    """What a list says of a case: revenue before and after, and how many pay less or more."""

    revenue: Mapping[str, str]
    winners: int
    losers: int
    is_exact: bool


def headline(result: Mapping[str, Any]) -> Headline:
    buyers = result["buyers"]
    return Headline(result["totals"]["revenue"], buyers["winners"], buyers["losers"], result["is_exact"])


def local(thing: Any) -> str:
    """The name in the page's language, of a row or of a part of a result."""
    name, name_en = (
        (thing.get("name", ""), thing.get("name_en", ""))
        if isinstance(thing, Mapping)
        else (thing.name, getattr(thing, "name_en", ""))
    )
    return str(name_en if name_en and (get_language() or "").startswith("en") else name)


def size_word(size: str) -> str:
    return str(SIZE_WORDS.get(size, size))


def role_word(role: str) -> str:
    """What a party is in an agreement; the word itself where it is another."""
    words = {
        "provider": _("Data provider"),
        "operator": _("Operator"),
        "platform": _("Platform"),
        "authority": _("Authorising body"),
        "": _("divided by no agreement"),
    }
    return words.get(role, role)


# --- charts ---------------------------------------------------------------------------------------------------------------------


def charts(result: Mapping[str, Any]) -> dict[str, Chart]:
    """By name: months, buyers, sizes, products and parties, as the change in yuan; estimates where there are any."""
    yuan = _("yuan")
    head = {"unit": yuan, "value_head": pgettext("difference", "Change")}
    losers = [*result["winners"][: MOST_BARS // 2], *reversed(result["losers"][: MOST_BARS // 2])]
    found = {
        "months": bar_chart(
            title=_("Revenue net of VAT, change by month"),
            labels=[row["month"] for row in result["months"]],
            values=[Decimal(row["revenue"]["change"]) for row in result["months"]],
            label_head=_("Month"),
            **head,
        ),
        "buyers": bar_chart(
            title=_("Who pays less and who pays more"),
            labels=[local(row) for row in losers],
            values=[Decimal(row["billed"]["change"]) for row in losers],
            label_head=_("Buyer"),
            is_good=False,
            note=_("With tax, over all months; at most six each are drawn."),
            **head,
        ),
        "sizes": bar_chart(
            title=_("Change of what is billed, by size of buyer"),
            labels=[size_word(row["size"]) for row in result["sizes"]],
            values=[Decimal(row["billed"]["change"]) for row in result["sizes"]],
            label_head=_("Size"),
            is_good=False,
            **head,
        ),
        "parties": bar_chart(
            title=_("Change of each party's share"),
            labels=[f"{local(row)} {role_word(row['role'])}".strip() for row in result["parties"]],
            values=[Decimal(row["share"]["change"]) for row in result["parties"]],
            label_head=_("Party"),
            is_good=True,
            **head,
        ),
    }
    bands = result.get("estimates", {})
    if "revenue_after" in bands:
        found["estimates"] = band_chart(bands)
    return found


def band_chart(bands: Mapping[str, Any]) -> Chart:
    """The estimated revenue at its quantiles, in force and under the draft."""
    labels, values = [], []
    for name, word in (("revenue_before", _("in force")), ("revenue_after", _("under the draft"))):
        for band in ("p5", "p50", "p95"):
            labels.append(f"{word}, {band[1:]} %")
            values.append(Decimal(bands[name][band]))
    return bar_chart(
        title=_("Estimated revenue net of VAT"),
        labels=labels,
        values=values,
        unit=_("yuan"),
        label_head=_("Quantile"),
        value_head=_("Revenue"),
        note=_("Estimates: 5 % of the runs lie below the first bar of each, half below the second, 95 % below the third."),
    )


# --- words ----------------------------------------------------------------------------------------------------------------------


def changes(draft: Mapping[str, Any]) -> list[str]:
    """What the draft changes, one sentence a part."""
    names = _product_names(draft)
    found = [_cap(row, names) for row in draft.get("caps", [])[:20]]
    if len(draft.get("caps", [])) > 20:
        found.append(_("… and %(count)s more caps") % {"count": len(draft["caps"]) - 20})
    for row in draft.get("tariffs", []):
        found.append(_("A new tariff for plan %(plan)s") % {"plan": row["plan"]})
    discount = draft.get("discount")
    if discount:
        whom = _(", ").join(size_word(size) for size in discount.get("sizes", [])) or _("all buyers")
        what = _(", ").join(names.get(code, code) for code in discount.get("products", [])) or _("all products")
        found.append(_("A discount of %(percent)s %% on %(what)s for %(whom)s") % {**discount, "what": what, "whom": whom})
    for purpose in draft.get("free_purposes", []):
        found.append(_("Purpose %(purpose)s becomes free") % {"purpose": purpose})
    quota = draft.get("free_quota")
    if quota:
        facts = {"units": quota["units"], "basis": BASIS_WORDS[quota["basis"]]}
        found.append(_("The first %(units)s of each month are free (%(basis)s), for each entitlement") % facts)
    return found


def _product_names(draft: Mapping[str, Any]) -> dict[str, str]:
    """Code → name of the products that the draft speaks of; a code that is gone stays a code."""
    discount = draft.get("discount") or {}
    codes = {row["product"] for row in draft.get("caps", [])} | set(discount.get("products", []))
    return {product.code: local(product) for product in DataProduct.objects.filter(code__in=codes)} if codes else {}


def _cap(row: Mapping[str, str], names: Mapping[str, str]) -> str:
    per = UNIT_WORDS.get(row.get("period", ""), "") or BASIS_WORDS.get(row["basis"], row["basis"])
    purpose = dict(PurposeClass.choices).get(row["purpose_class"], row["purpose_class"])
    facts = {"product": names.get(row["product"], row["product"]), "purpose": purpose, "per": per, "cap": row["cap"]}
    return _("Cap of %(product)s, %(purpose)s, %(per)s: %(cap)s yuan") % facts


def side_by_side(one: Mapping[str, Any], two: Mapping[str, Any]) -> list[tuple[str, Any, Any, str]]:
    """(what, first, second, kind) for the comparison: kind is money or count."""
    words = {"revenue": _("Revenue net of VAT"), "billed": _("Billed with tax"), "free_value": _("Value of free use")}
    rows: list[tuple[str, Any, Any, str]] = []
    for name, word in words.items():
        pair = one["totals"][name], two["totals"][name]
        rows.append((_("%(what)s, in force") % {"what": word}, pair[0]["before"], pair[1]["before"], "money"))
        rows.append((_("%(what)s, under the draft") % {"what": word}, pair[0]["after"], pair[1]["after"], "money"))
        rows.append((_("%(what)s, change") % {"what": word}, pair[0]["change"], pair[1]["change"], "money"))
    for name, word in (("winners", _("Buyers who pay less")), ("losers", _("Buyers who pay more"))):
        rows.append((word, one["buyers"][name], two["buyers"][name], "count"))
    return rows
