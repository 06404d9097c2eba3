"""Places whose rules hold: the nation, a province, a city, a district, by their administrative division codes (GB/T 2260)."""

from __future__ import annotations

import re
from functools import cache

from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from stdnum import numdb

NATIONAL = "CN"
NATION_CODES = frozenset({"", "000000", "100000", NATIONAL})
LEVELS: dict[str, str | Promise] = {
    "nation": _("Nation"),
    "province": _("Province"),
    "city": _("City"),
    "district": _("District or county"),
}
ENGLISH_PROVINCES = {
    "11": "Beijing",
    "12": "Tianjin",
    "13": "Hebei",
    "14": "Shanxi",
    "15": "Inner Mongolia",
    "21": "Liaoning",
    "22": "Jilin",
    "23": "Heilongjiang",
    "31": "Shanghai",
    "32": "Jiangsu",
    "33": "Zhejiang",
    "34": "Anhui",
    "35": "Fujian",
    "36": "Jiangxi",
    "37": "Shandong",
    "41": "Henan",
    "42": "Hubei",
    "43": "Hunan",
    "44": "Guangdong",
    "45": "Guangxi",
    "46": "Hainan",
    "50": "Chongqing",
    "51": "Sichuan",
    "52": "Guizhou",
    "53": "Yunnan",
    "54": "Xizang",
    "61": "Shaanxi",
    "62": "Gansu",
    "63": "Qinghai",
    "64": "Ningxia",
    "65": "Xinjiang",
}


def jurisdiction_of(region: str) -> str:
    """The jurisdiction of an organisation's region: ``CN`` for national bodies, else the code itself."""
    return NATIONAL if region in NATION_CODES else region


def chain(jurisdiction: str) -> list[str]:
    """From the most local to the national: 330203 → 330200 → 330000 → CN."""
    if jurisdiction in NATION_CODES:
        return [NATIONAL]
    steps = [jurisdiction, f"{jurisdiction[:4]}00", f"{jurisdiction[:2]}0000", NATIONAL]
    return list(dict.fromkeys(steps))


def level_of(jurisdiction: str) -> str:
    """nation, province, city or district."""
    return ("nation", "province", "city", "district")[len(chain(jurisdiction)) - 1]


def is_place(jurisdiction: str) -> bool:
    """``CN``, or a code of six digits that names a place of a known province."""
    return jurisdiction == NATIONAL or (
        bool(re.fullmatch(r"[1-9]\d{5}", jurisdiction)) and bool(_found(f"{jurisdiction[:2]}0000"))
    )


def place_name(jurisdiction: str) -> str:
    """浙江省宁波市 for 330200, 全国 for the nation; the code itself where the list of divisions does not have it.

    In English the nation and the provinces have names; below them the list has Chinese names only: Zhejiang 宁波市.
    """
    is_english = (get_language() or "").startswith("en")
    if jurisdiction in NATION_CODES:
        return "China" if is_english else "全国"
    names = [_found(step) for step in reversed(chain(jurisdiction)[:-1])]
    if not all(names):
        return jurisdiction
    if is_english:
        names[0] = ENGLISH_PROVINCES.get(jurisdiction[:2], names[0])
    return (" " if is_english else "").join(dict.fromkeys(names))


@cache
def _found(code: str) -> str:
    """The name of one division, without the levels above it; the newest where it had several."""
    facts = {key: value for _digits, values in numdb.get("cn/loc").info(f"{code}0000") for key, value in values.items()}
    newest = facts.get("county", "").split(",")[-1]
    return re.sub(r"^\[[\d-]*\]", "", newest)
