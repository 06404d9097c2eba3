"""Rules as rows of a page: each parameter with its words, its value with unit, what it serves, and how sure it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from products.record import parameters
from products.record.jurisdictions import LEVELS, level_of, place_name
from products.record.models import RuleSet
from products.record.parameters import PARAMETERS
from products.record.rule_sets import Change, Rechecked, rule_set_name

CERTAINTY: dict[str, tuple[str, str | Promise]] = {
    parameters.READ: ("ok", _("read in the rule")),
    parameters.BELIEVED: ("wait", _("not checked word for word")),
    parameters.OWN: ("info", _("this platform's choice: the rule is silent or unread")),
}


@dataclass(frozen=True)
class Row:
    """A parameter of a version; ``rule`` is what ``rules_on`` gives where the row says what holds in a place."""

    name: str
    label: str
    shown: str
    value: Any
    serves: str
    tone: str = ""
    certainty: str | Promise = ""
    rule: dict[str, Any] | None = None

    @property
    def set_by(self) -> str:
        return origin_of(self.rule)


@dataclass(frozen=True)
class Pair:
    """A parameter said twice: before and after a change, or then and now."""

    name: str
    label: str
    before: str
    after: str
    kind: str = ""
    is_different: bool = True
    then: dict[str, Any] | None = None
    now: dict[str, Any] | None = None

    @property
    def set_then(self) -> str:
        return origin_of(self.then)

    @property
    def set_now(self) -> str:
        return origin_of(self.now)


def origin_of(rule: dict[str, Any] | None) -> str:
    """The name of the version that sets a value, in the page's language."""
    return rule_set_name(rule) if rule else ""


def words_of(name: str, value: Any) -> tuple[str, str]:
    """(label, value with unit); a name that this version of the software does not know stands as it is."""
    parameter = PARAMETERS.get(name)
    if value is None:
        return (str(parameter.label) if parameter else name), ""
    return (str(parameter.label), parameter.show(value)) if parameter else (name, str(value))


def row_of(name: str, value: Any, rule: dict[str, Any] | None = None) -> Row:
    label, shown = words_of(name, value)
    parameter = PARAMETERS.get(name)
    if parameter is None:
        return Row(name, label, shown, value, "", rule=rule)
    is_national = rule is None or rule["jurisdiction"] == "CN"
    tone, certainty = CERTAINTY[parameter.certainty] if is_national else ("", "")
    return Row(name, label, shown, value, parameter.serves, tone, certainty, rule)


def rows_of_version(rule_set: RuleSet) -> list[Row]:
    """What a version itself sets, in the registry's order. How sure a value is, is known of the nation's own rules alone."""
    order = {name: place for place, name in enumerate(PARAMETERS)}
    names = sorted(rule_set.parameters, key=lambda name: (order.get(name, len(order)), name))
    origin = {"jurisdiction": rule_set.jurisdiction}
    return [row_of(name, rule_set.parameters[name], origin) for name in names]


def rows_in_force(rules: dict[str, dict[str, Any]]) -> list[Row]:
    return [row_of(name, rule["value"], rule) for name, rule in rules.items()]


def pairs_of_diff(changes: Iterable[Change]) -> list[Pair]:
    found = []
    for change in changes:
        label, before = words_of(change.name, change.before)
        found.append(Pair(change.name, label, before, words_of(change.name, change.after)[1], change.kind))
    return found


def pairs_of_recheck(rechecked: Iterable[Rechecked]) -> list[Pair]:
    found = []
    for each in rechecked:
        label, before = words_of(each.name, each.then["value"] if each.then else None)
        after = words_of(each.name, each.now["value"] if each.now else None)[1]
        found.append(Pair(each.name, label, before, after, "", each.is_different, each.then, each.now))
    return found


def state_of(rule_set: RuleSet, today: date) -> tuple[str, str | Promise]:
    """(tone, words): in force, coming, or past."""
    if rule_set.period.lower > today:
        return "wait", _("begins later")
    if rule_set.period.upper is not None and rule_set.period.upper <= today:
        return "", _("no longer in force")
    return "ok", _("in force")


def places(rule_sets: Iterable[RuleSet], today: date) -> list[dict[str, Any]]:
    """Jurisdictions with their versions, the nation first, then by code; versions newest first."""
    grouped: dict[str, list[RuleSet]] = {}
    for rule_set in rule_sets:
        grouped.setdefault(rule_set.jurisdiction, []).append(rule_set)
    found = []
    for code in sorted(grouped, key=lambda code: (code != "CN", code)):
        versions = sorted(grouped[code], key=lambda each: each.period.lower, reverse=True)
        shown = [{"rule_set": each, "state": state_of(each, today), "count": len(each.parameters)} for each in versions]
        found.append({"code": code, "name": place_name(code), "level": LEVELS[level_of(code)], "versions": shown})
    return found


def as_json(rule_set: RuleSet) -> dict[str, Any]:
    """A version for programs; ``to`` is the last day in force."""
    last = rule_set.period.upper
    with override("zh-hans"):  # a document for programs reads the same whoever asks
        place = place_name(rule_set.jurisdiction)
    return {
        "id": rule_set.pk,
        "jurisdiction": rule_set.jurisdiction,
        "place": place,
        "level": level_of(rule_set.jurisdiction),
        "name": rule_set.name,
        "name_en": rule_set.name_en,
        "source": rule_set.source,
        "from": rule_set.period.lower.isoformat(),
        "to": date.fromordinal(last.toordinal() - 1).isoformat() if last else None,
        "parameters": rule_set.parameters,
    }
