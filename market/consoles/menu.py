"""What the consoles offer: each console lists its pages in ``<console>/menu.py``; a person sees those that a role opens."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from products.organisations.models import Membership

CONSOLES: dict[str, str | Promise] = {
    "buyer": _("Use and buying"),
    "operator": _("Operator"),
    "authority": _("Authorising body"),
    "regulator": _("Price regulator"),
    "provider": _("Data provider"),
    "registry": _("Registration institution"),
    "platform": _("Platform"),
    "cashier": _("Cashier"),
    "auditor": _("Auditor"),
    "stops": _("Emergencies"),
    "organisation": _("Organisation"),
}

# Consoles whose pages are written in more than one package.
PARTS: dict[str, tuple[str, ...]] = {
    "buyer": ("buyer", "fairness", "risks", "consents", "joins"),
    "operator": (
        "operator",
        "remote_hosts",
        "tariffs",
        "bundles",
        "costs",
        "estimates",
        "closing",
        "revenue",
        "fairness",
        "whatif",
    ),
    "authority": ("authorisations", "authority", "baskets", "estimates", "revenue", "whatif", "risks"),
    "platform": ("reviews", "remote_hosts", "platform", "closing", "joins"),
    "provider": ("provider", "closing"),
    "regulator": ("workbench", "regulator", "costs", "estimates", "revenue", "fairness", "rules", "whatif"),
}


@dataclass(frozen=True)
class Entry:
    """A page of a console. ``kinds`` and ``roles`` say who sees it, as in ``role_required``; empty means any."""

    label: str | Promise
    hint: str | Promise
    url: str
    kinds: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()

    def fits(self, membership: Membership) -> bool:
        of_kind = not self.kinds or membership.organisation.kind in self.kinds
        return of_kind and (not self.roles or bool(self.roles & set(membership.roles)))


def menu_of(membership: Membership | None) -> list[tuple[str | Promise, list[Entry]]]:
    """The consoles of a membership with the pages that it may open; empty consoles are left out."""
    if membership is None:
        return []
    found = []
    for name, title in CONSOLES.items():
        parts = [part for part in PARTS.get(name, (name,)) if _has_menu(part)]
        entries = [entry for part in parts for entry in import_module(f"market.consoles.{part}.menu").ENTRIES]
        shared = len(PARTS.get(name, ())) > 1  # a part may serve several consoles: each shows the pages under its own address
        here = [entry for entry in entries if not shared or entry.url.startswith(f"/console/{name}/")]
        fitting = [entry for entry in here if entry.fits(membership)]
        if fitting:
            found.append((title, fitting))
    return found


def _has_menu(part: str) -> bool:
    return bool(find_spec(f"market.consoles.{part}") and find_spec(f"market.consoles.{part}.menu"))
