"""Names of purposes and scenarios for pages: a small table that changes with a release of the rules, read once a minute."""

from __future__ import annotations

from django.core.cache import cache
from django.utils.translation import get_language

from market.gateway.problems import CATALOGUE
from products.registry.models import Purpose, Scenario

SECONDS = 60


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


def refusal_label(code: str) -> str:
    """Why calls were refused; the gateway owns the words."""
    words = CATALOGUE.get(code)
    return str(words[1]) if words else code
