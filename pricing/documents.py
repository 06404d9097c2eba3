"""Tariff, usage and cap documents (design.md section 7) to the typed terms of `pricing.rules`.

Each `parse_…` returns frozen terms or raises `DocumentRefused` with everything that is wrong and where. The published
JSON Schemas in `pricing/schemas/` say the same; a test keeps the two together.
"""

from collections.abc import Iterator
from typing import Any

from pricing.reading import DocumentRefused, Node, Problem
from pricing.rules.exact import FULL_PERCENT, MICRO
from pricing.rules.terms import (
    BASES,
    PERIODS,
    SPANS,
    Cap,
    CapSet,
    Component,
    Discount,
    Flat,
    Graduated,
    Metered,
    Package,
    PerUnit,
    Tariff,
    Tax,
    Tier,
    Usage,
    Volume,
)

CODE = r"[A-Za-z0-9_.:-]{1,64}"
PURPOSE = r"(?:governance|welfare|industry|sector)(?:\.[a-z0-9_]+)*"
RESERVED = ("minimum", "maximum")
MODEL_KEYS = {
    "per_unit": ("unit_price",),
    "graduated": ("tiers",),
    "volume": ("tiers",),
    "package": ("package_size", "package_price"),
    "flat": ("period", "price"),
}
COMMON_KEYS = ("label", "unit", "counts_over", "collected")


def read_tier(node: Node) -> Tier:
    fields = node.fields(("up_to", "unit_price"), ("flat_fee",))
    up_to = fields.get("up_to")
    return Tier(
        up_to_micro=None if up_to is None or up_to.value is None else up_to.decimal(6),
        unit_price_micro=fields["unit_price"].decimal(6) if "unit_price" in fields else 0,
        flat_fee_minor=fields["flat_fee"].decimal(2) if "flat_fee" in fields else 0,
    )


def read_tiers(node: Node) -> tuple[Tier, ...]:
    """Tiers in order: each ends above the one before it, the last and only the last with null."""
    count = len(node.problems)
    nodes = list(node.items(least=1))
    tiers = tuple(read_tier(item) for item in nodes)
    if len(node.problems) > count:
        return tiers
    floor = 0
    for index, (item, tier) in enumerate(zip(nodes, tiers, strict=True)):
        end = item.child("up_to", None)
        if (tier.up_to_micro is None) != (index == len(tiers) - 1):
            end.note("tier_end")
        elif tier.up_to_micro is not None:
            if tier.up_to_micro <= floor:
                end.note("tier_order")
            floor = tier.up_to_micro
    return tiers


def read_price(model: str, fields: dict[str, Node]) -> Metered | Flat:
    """The price of a component; every key of its model is present."""
    if model == "per_unit":
        return PerUnit(fields["unit_price"].decimal(6))
    if model == "package":
        return Package(fields["package_size"].positive(6), fields["package_price"].decimal(2))
    if model == "flat":
        return Flat(fields["price"].decimal(2), fields["period"].one_of(PERIODS))
    tiers = read_tiers(fields["tiers"])
    return Graduated(tiers) if model == "graduated" else Volume(tiers)


def read_component(node: Node) -> Component | None:
    model = node.value.get("model") if isinstance(node.value, dict) else None
    keys = MODEL_KEYS.get(model, ()) if isinstance(model, str) else ()
    optional = COMMON_KEYS if model == "flat" else (*COMMON_KEYS, "included")
    if not keys and isinstance(node.value, dict):  # a model that is not known cannot say which keys belong to it
        optional = (*optional, *(key for names in MODEL_KEYS.values() for key in names))
    fields = node.fields(("code", "basis", "model", *keys), optional)
    if "model" in fields:
        fields["model"].one_of(tuple(MODEL_KEYS))
    code = fields["code"].text(CODE) if "code" in fields else ""
    if code in RESERVED:
        fields["code"].note("reserved_code")
    basis = fields["basis"].one_of(BASES) if "basis" in fields else BASES[0]
    label = fields["label"].text(r"(?s).*") if "label" in fields else code
    unit = fields["unit"].text() if "unit" in fields else None
    counts_over = fields["counts_over"].one_of(SPANS) if "counts_over" in fields else SPANS[0]
    is_collected = fields["collected"].flag() if "collected" in fields else True
    included = fields["included"].decimal(6) if "included" in fields else 0
    if not keys or not all(key in fields for key in keys):
        return None
    price = read_price(str(model), fields)
    return Component(code, label, basis, price, included, counts_over, is_collected, unit)


def read_discount(node: Node, codes: set[str]) -> Discount:
    fields = node.fields(("reason", "percent", "components"), ())
    percent = fields["percent"].decimal(6) if "percent" in fields else 0
    if percent > FULL_PERCENT:
        fields["percent"].note("percent_range")
    reached = [(item, item.text()) for item in fields["components"].items()] if "components" in fields else []
    for item, code in reached:
        if code and code not in codes:
            item.note("unknown_component")
    reason = fields["reason"].text() if "reason" in fields else ""
    return Discount(reason, percent, frozenset(code for _, code in reached))


def read_tax(node: Node) -> Tax:
    fields = node.fields(("rate", "inclusive"), ())
    rate = fields["rate"].decimal(6) if "rate" in fields else 0
    if rate > MICRO:
        fields["rate"].note("rate_range")
    return Tax(rate, fields["inclusive"].flag() if "inclusive" in fields else True)


def read_bound(fields: dict[str, Node], name: str) -> int | None:
    return fields[name].decimal(2) if name in fields and fields[name].value is not None else None


def read_components(node: Node) -> Iterator[Component]:
    seen: set[str] = set()
    for item in node.items():
        component = read_component(item)
        code = item.value.get("code") if isinstance(item.value, dict) else None
        if isinstance(code, str) and code in seen:
            item.child("code", None).note("duplicate_code")
        if isinstance(code, str):
            seen.add(code)
        if component is not None:
            yield component


def written_codes(node: Node) -> set[str]:
    """The codes that a component list means to have, right or wrong: so that one mistake is told once."""
    items = node.value if isinstance(node.value, list | tuple) else ()
    codes = (item.get("code") for item in items if isinstance(item, dict))
    return {code for code in codes if isinstance(code, str)}


def read_tariff(root: Node) -> Tariff:
    fields = root.fields(("currency", "components", "tax"), ("discounts", "minimum", "maximum"))
    if "currency" in fields:
        fields["currency"].one_of(("CNY",))
    components = tuple(read_components(fields["components"])) if "components" in fields else ()
    codes = written_codes(fields["components"]) if "components" in fields else set()
    discounts = fields["discounts"].items() if "discounts" in fields else ()
    minimum, maximum = read_bound(fields, "minimum"), read_bound(fields, "maximum")
    if minimum is not None and maximum is not None and maximum < minimum:
        fields["maximum"].note("bounds_crossed")
    return Tariff(
        components=components,
        tax=read_tax(fields["tax"]) if "tax" in fields else Tax(0, True),
        discounts=tuple(read_discount(item, codes) for item in discounts),
        minimum_minor=minimum,
        maximum_minor=maximum,
    )


def read_units(fields: dict[str, Node], name: str, tariff: Tariff | None) -> dict[str, int]:
    if name not in fields:
        return {}
    flat = {c.code: isinstance(c.price, Flat) for c in tariff.components} if tariff else {}
    units = {}
    for code, node in fields[name].fields().items():
        if tariff and code not in flat:
            node.note("unknown_component")
        elif flat.get(code):
            node.note("units_of_flat")
        units[code] = node.decimal(6)
    return units


def read_usage(root: Node, tariff: Tariff | None) -> Usage:
    """`tariff` None: the tariff itself is refused, so only what the usage says by itself is checked."""
    fields = root.fields((), ("units", "before", "from", "to", "anchor", "discounts", "free"))
    days = {name: fields[name].day() for name in ("from", "to", "anchor") if name in fields}
    start, end = days.get("from"), days.get("to")
    if tariff and tariff.has_flat:
        for name in ("from", "to"):
            if name not in fields:
                root.child(name, None).note("dates_needed")
    if start and end and end <= start:
        fields["to"].note("not_after")
    reasons = fields["discounts"].items() if "discounts" in fields else ()
    return Usage(
        units=read_units(fields, "units", tariff),
        before=read_units(fields, "before", tariff),
        start=start,
        end=end,
        anchor=days.get("anchor"),
        discounts=frozenset(item.text(r"(?s).*") for item in reasons),
        is_free=fields["free"].flag() if "free" in fields else False,
    )


def read_cap(node: Node) -> Cap:
    is_period = isinstance(node.value, dict) and node.value.get("basis") == "periods"
    fields = node.fields(("basis", "period", "cap") if is_period else ("basis", "cap"), ())
    basis = fields["basis"].one_of(BASES) if "basis" in fields else BASES[0]
    period = fields["period"].one_of(PERIODS) if "period" in fields else None
    places = 2 if is_period else 6
    number = fields["cap"].decimal(places) if "cap" in fields else 0
    written = str(fields["cap"].value) if "cap" in fields else ""
    return Cap(basis, period, number * 10 ** (6 - places), written)


def read_caps(root: Node) -> CapSet:
    fields = root.fields(("caps",), ("document", "from", "purposes"))
    caps: list[Cap] = []
    for node in fields["caps"].items() if "caps" in fields else ():
        count = len(node.problems)
        cap = read_cap(node)
        if len(node.problems) == count and any((c.basis, c.period) == (cap.basis, cap.period) for c in caps):
            node.note("duplicate_cap")
        caps.append(cap)
    purposes = fields["purposes"].items() if "purposes" in fields else ()
    return CapSet(
        caps=tuple(caps),
        document=fields["document"].text() if "document" in fields else None,
        start=fields["from"].day() if "from" in fields else None,
        purposes=tuple(item.text(PURPOSE) for item in purposes),
    )


def parse_tariff(document: Any, name: str = "tariff") -> Tariff:
    """The terms of a tariff document; DocumentRefused with all problems (`name` is what they call the document)."""
    problems: list[Problem] = []
    tariff = read_tariff(Node(document, "", name, problems))
    if problems:
        raise DocumentRefused(problems)
    return tariff


def parse_usage(document: Any, tariff: Tariff, name: str = "usage") -> Usage:
    """The terms of a usage document under its tariff; DocumentRefused with all problems."""
    problems: list[Problem] = []
    usage = read_usage(Node(document, "", name, problems), tariff)
    if problems:
        raise DocumentRefused(problems)
    return usage


def parse_caps(document: Any, name: str = "caps") -> CapSet:
    """The terms of a cap document; DocumentRefused with all problems."""
    problems: list[Problem] = []
    caps = read_caps(Node(document, "", name, problems))
    if problems:
        raise DocumentRefused(problems)
    return caps


def parse_quote_documents(tariff: Any, usage: Any, names: tuple[str, str] = ("tariff", "usage")) -> tuple[Tariff, Usage]:
    """Both documents of a quote at once, so that the problems of both are told together."""
    problems: list[Problem] = []
    terms = read_tariff(Node(tariff, "", names[0], problems))
    used = read_usage(Node(usage, "", names[1], problems), None if problems else terms)
    if problems:
        raise DocumentRefused(problems)
    return terms, used
