"""Documents and strategies that the pricing tests share; and an oracle of section 7 in Fractions that shares no code with it."""

import copy
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import ceil

from hypothesis import strategies as st

TAX = {"rate": "0.06", "inclusive": True}
TIERS = [
    {"up_to": "10000", "unit_price": "0.50"},
    {"up_to": "100000", "unit_price": "0.30"},
    {"up_to": None, "unit_price": "0.10"},
]
WORKED_TARIFF = {
    "currency": "CNY",
    "components": [
        {"code": "calls", "label": "技术服务费", "basis": "calls", "model": "graduated", "counts_over": "month", "tiers": TIERS},
        {"code": "base", "label": "基础技术服务费", "basis": "periods", "model": "flat", "period": "year", "price": "12000.00"},
        {
            "code": "storage",
            "label": "存算设施使用费",
            "basis": "bytes",
            "model": "per_unit",
            "unit_price": "1.20",
            "unit": "GB",
            "collected": False,
        },
    ],
    "discounts": [{"reason": "key_scenario", "percent": "30", "components": ["calls"]}],
    "minimum": None,
    "maximum": None,
    "tax": TAX,
}
WORKED_USAGE = {
    "units": {"calls": "12000"},
    "before": {},
    "from": "2026-01-15",
    "to": "2026-02-01",
    "anchor": "2026-01-15",
    "discounts": ["key_scenario"],
    "free": False,
}
WORKED_CAP = {
    "caps": [{"basis": "calls", "cap": "0.50"}, {"basis": "periods", "period": "year", "cap": "12000.00"}],
    "document": "示例价〔2026〕1号",
    "from": "2026-01-01",
    "purposes": ["industry"],
}


def tariff(*components, **more):
    return {"currency": "CNY", "components": list(components), "tax": TAX, **more}


def per_unit(unit_price="0.50", code="calls", **more):
    return {"code": code, "basis": "calls", "model": "per_unit", "unit_price": unit_price, **more}


def graduated(tiers=TIERS, code="calls", **more):
    return {"code": code, "basis": "calls", "model": "graduated", "tiers": tiers, **more}


def volume(tiers=TIERS, code="calls", **more):
    return {"code": code, "basis": "calls", "model": "volume", "tiers": tiers, **more}


def package(size="100", price="20.00", code="calls", **more):
    return {"code": code, "basis": "calls", "model": "package", "package_size": size, "package_price": price, **more}


def flat(price="3000.00", period="month", code="base", **more):
    return {"code": code, "basis": "periods", "model": "flat", "period": period, "price": price, **more}


def changed(document, path, value):
    """A copy of the document with one place set (or taken out, with value `...`)."""
    result = copy.deepcopy(document)
    *way, last = path
    place = result
    for step in way:
        place = place[step]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return result


# --- the oracle -------------------------------------------------------------------------------------------------------


def fen(exact):
    """Half up to the fen, by Decimal's own rounding of an exactly scaled number."""
    hundredths = abs(Fraction(exact)) * 100
    whole = int(hundredths)
    whole += 1 if hundredths - whole >= Fraction(1, 2) else 0
    return Fraction(whole if exact >= 0 else -whole, 100)


def money(value):
    return str((Decimal(value.numerator) / Decimal(value.denominator)).quantize(Decimal("0.01"), ROUND_HALF_UP))


def f(component, units):
    """The exact price of a quantity, straight from the words of section 7."""
    q = max(Fraction(0), units - Fraction(component.get("included", "0")))
    model = component["model"]
    if model == "per_unit":
        return q * Fraction(component["unit_price"])
    if model == "package":
        return ceil(q / Fraction(component["package_size"])) * Fraction(component["package_price"])
    total, floor = Fraction(0), Fraction(0)
    for tier in component["tiers"]:
        end = None if tier["up_to"] is None else Fraction(tier["up_to"])
        price, fee = Fraction(tier["unit_price"]), Fraction(tier.get("flat_fee", "0"))
        if model == "volume" and q > floor and (end is None or q <= end):
            return q * price + fee
        if model == "graduated" and q > floor:
            total += ((q if end is None else min(q, end)) - floor) * price + fee
        floor = end
    return total


def period_bounds(day, period, anchor):
    """[start, end) of the period around a day, found by walking day by day."""

    def begins(d):
        if period == "week":
            return (d - anchor).days % 7 == 0
        if period == "month":
            return d.day == 1
        if period == "quarter":
            return d.day == 1 and d.month in (1, 4, 7, 10)
        if (anchor.month, anchor.day) == (2, 29):
            leap = (d + timedelta(days=1)).month == 2  # the 28th has a 29th after it
            return (d.month, d.day) == (2, 29) or ((d.month, d.day) == (2, 28) and not leap)
        return (d.month, d.day) == (anchor.month, anchor.day)

    start = day
    while not begins(start):
        start -= timedelta(days=1)
    end = day + timedelta(days=1)
    while not begins(end):
        end += timedelta(days=1)
    return start, end


def flat_pay(component, start, end, anchor, kept):
    price = Fraction(component["price"]) * kept
    if component["period"] == "day":
        return fen(price * (end - start).days)
    total, day = Fraction(0), start
    while day < end:
        begins, ends = period_bounds(day, component["period"], anchor)
        stop, of_days = min(end, ends), (ends - begins).days
        total += fen(price * (stop - begins).days / of_days) - fen(price * (day - begins).days / of_days)
        day = stop
    return total


def oracle_line(document, component, usage):
    """(gross, payable) of a component."""
    reached = [
        Fraction(d["percent"])
        for d in document.get("discounts", [])
        if d["reason"] in usage.get("discounts", []) and component["code"] in d["components"]
    ]
    kept = 1 - max(reached, default=Fraction(0)) / 100
    if component["model"] == "flat":
        start, end = date.fromisoformat(usage["from"]), date.fromisoformat(usage["to"])
        anchor = date.fromisoformat(usage.get("anchor", usage["from"]))
        gross, payable = (flat_pay(component, start, end, anchor, k) for k in (Fraction(1), kept))
    else:
        before = Fraction(usage.get("before", {}).get(component["code"], "0"))
        after = before + Fraction(usage.get("units", {}).get(component["code"], "0"))
        gross, payable = (fen(k * f(component, after)) - fen(k * f(component, before)) for k in (Fraction(1), kept))
    return gross, payable if component.get("collected", True) else Fraction(0)


# --- strategies -------------------------------------------------------------------------------------------------------


def decimals(largest, places):
    """Decimal strings from 0 to `largest` with at most `places` decimals, short ones often."""
    return st.integers(0, places).flatmap(lambda p: st.integers(0, largest * 10**p).map(lambda n: f"{Decimal(n).scaleb(-p):f}"))


@st.composite
def tier_lists(draw, whole=False):
    ends = draw(st.lists(st.integers(1, 60) if whole else st.integers(1, 600), max_size=4, unique=True).map(sorted))
    tiers = []
    for end in [*ends, None]:
        up_to = None if end is None else (str(end) if whole else f"{Decimal(end).scaleb(-1):f}")
        tier = {"up_to": up_to, "unit_price": draw(decimals(2, 6))}
        if draw(st.booleans()):
            tier["flat_fee"] = draw(decimals(5, 2))
        tiers.append(tier)
    return tiers


@st.composite
def metered_components(draw, code="calls"):
    model = draw(st.sampled_from(["per_unit", "graduated", "volume", "package"]))
    common = {"included": draw(decimals(20, 1))} if draw(st.booleans()) else {}
    if model == "per_unit":
        return per_unit(draw(decimals(2, 6)), code, **common)
    if model == "package":
        size = draw(st.sampled_from(["1", "2", "2.5", "3", "7", "10", "12.4", "16", "40"]))
        return package(size, draw(decimals(30, 2)), code, **common)
    make = graduated if model == "graduated" else volume
    return make(draw(tier_lists()), code, **common)


days = st.dates(date(2023, 1, 1), date(2029, 12, 31))


@st.composite
def documents(draw):
    """A tariff with up to four components and a usage that belongs to it."""
    components, usage = [], {"units": {}, "before": {}}
    for index in range(draw(st.integers(1, 4))):
        code = f"c{index}"
        if draw(st.integers(0, 3)) == 0:
            component = flat(draw(decimals(20000, 2)), draw(st.sampled_from(["day", "week", "month", "quarter", "year"])), code)
        else:
            component = draw(metered_components(code))
            usage["units"][code] = draw(decimals(150, 6))
            if draw(st.booleans()):
                usage["before"][code] = draw(decimals(90, 6))
        if draw(st.integers(0, 4)) == 0:
            component["collected"] = False
        components.append(component)
    codes = [component["code"] for component in components]
    discounts = [
        {"reason": reason, "percent": draw(decimals(100, 2)), "components": draw(st.lists(st.sampled_from(codes), unique=True))}
        for reason in draw(st.lists(st.sampled_from(["key", "early", "other"]), max_size=3))
    ]
    start = draw(days)
    usage["from"], usage["to"] = start.isoformat(), (start + timedelta(days=draw(st.integers(1, 800)))).isoformat()
    if draw(st.booleans()):
        usage["anchor"] = draw(days | st.just(date(2024, 2, 29))).isoformat()
    usage["discounts"] = draw(st.lists(st.sampled_from(["key", "early", "unknown"]), unique=True))
    bounds = {}
    if draw(st.booleans()):
        bounds["minimum"] = draw(decimals(500, 2))
    if draw(st.booleans()):
        least = Decimal(bounds.get("minimum", "0"))
        bounds["maximum"] = f"{least + Decimal(draw(decimals(500, 2))):f}"
    tax = {
        "rate": draw(st.sampled_from(["0", "0.01", "0.03", "0.06", "0.09", "0.13", "0.065"])),
        "inclusive": draw(st.booleans()),
    }
    usage["free"] = draw(st.booleans())
    return {**tariff(*components, **bounds), "tax": tax, "discounts": discounts}, usage
