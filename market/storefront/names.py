"""Names of purposes and scenarios for pages: a small table that changes with a release of the rules, read once a minute."""

from __future__ import annotations

from django.core.cache import cache
from django.utils.translation import get_language

from market.gateway.problems import CATALOGUE
from products.registry.models import Purpose, Scenario

SECONDS = 60
ENGLISH_FEES = {
    "技术服务费": "Technical service fee",
    "基础技术服务费": "Basic technical service fee",
    "存算设施使用费": "Storage and computing fee",
    "报告使用费": "Report fee",
    "数据产品使用费": "Data product fee",
}


def purpose_name(code: str) -> str:
    """The name in the page's language; the code itself where it is not known."""
    return _name("purposes", Purpose, code)


def scenario_name(code: str) -> str:
    return _name("scenarios", Scenario, code)


def _name(key: str, model: type[Purpose] | type[Scenario], code: str) -> str:
    names = cache.get(key)
    if names is None:
        names = {row[0]: row[1:] for row in model.objects.values_list("code", "name", "name_en")}
        cache.set(key, names, SECONDS)
    name, name_en = names.get(code, (code, code))
    return name_en if (get_language() or "").startswith("en") and name_en else name


def fee_name(label: str) -> str:
    """A price item's own label; on an English page the usual fees in English, for a tariff has its labels in Chinese only."""
    return ENGLISH_FEES.get(label, label) if (get_language() or "").startswith("en") else label


def refusal_label(code: str) -> str:
    """Why calls were refused; the gateway owns the words."""
    words = CATALOGUE.get(code)
    return str(words[1]) if words else code
