"""Dated parameters of a jurisdiction: what a limit, a rate or a term is on a day, and which document says so.

A jurisdiction has versions, one in force at a time. The most local version that sets a parameter counts; what it leaves out is
the next level's. Whatever was begun under a version keeps it: a decision stores ``rules_on`` its day, and ``recheck`` shows both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import QuerySet
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from products.organisations.models import User
from products.record import audit
from products.record.jurisdictions import NATIONAL, chain, is_place
from products.record.models import RuleSet
from products.record.parameters import PARAMETERS, Parameter, check_all
from products.record.refusals import Refused

__all__ = [
    "NATIONAL",
    "Change",
    "ParameterNotSet",
    "chain",
    "diff",
    "parameter",
    "recheck",
    "rule_set_add",
    "rule_set_end",
    "rules_on",
]


class ParameterNotSet(Refused):
    code = "parameter_not_set"


class RuleSetOverlaps(Refused):
    code = "rule_set_overlaps"


class RuleSetEndFixed(Refused):
    code = "rule_set_end_fixed"


class JurisdictionUnknown(Refused):
    code = "jurisdiction_unknown"


@dataclass(frozen=True)
class Change:
    """One parameter that two rule sets say differently. ``kind``: added, removed or changed; a missing value is None."""

    name: str
    before: Any
    after: Any

    @property
    def kind(self) -> str:
        return "added" if self.before is None else "removed" if self.after is None else "changed"

    @property
    def parameter(self) -> Parameter | None:
        return PARAMETERS.get(self.name)


def rule_set_name(rule: Mapping[str, Any]) -> str:
    """The name of the rule set that a kept rule came from (``rules_on``), in the page's language."""
    english = rule.get("rule_set_en", "") if (get_language() or "").startswith("en") else ""
    return str(english or rule["rule_set"])


@dataclass(frozen=True)
class Rechecked:
    """A parameter as it held when something began, and as it holds on another day; each as ``rules_on`` gives it, or None."""

    name: str
    then: dict[str, Any] | None
    now: dict[str, Any] | None

    @property
    def is_different(self) -> bool:
        return (self.then and self.then["value"]) != (self.now and self.now["value"])

    @property
    def parameter(self) -> Parameter | None:
        return PARAMETERS.get(self.name)


def parameter(*, name: str, on: date, jurisdiction: str = NATIONAL) -> Any:
    """The value in force on a date, from the most local rule set that has the name. Rates and amounts are decimal text.

    Raises ParameterNotSet where no rule set in force that day knows the name.
    """
    steps = chain(jurisdiction)
    found = RuleSet.objects.filter(jurisdiction__in=steps, period__contains=on, parameters__has_key=name)
    values = dict(found.values_list("jurisdiction", f"parameters__{name}"))
    for step in steps:
        if step in values:
            return values[step]
    raise ParameterNotSet(_("No rule set in force on %(on)s sets “%(name)s”.") % {"on": on, "name": name}, parameter=name)


def rules_on(*, on: date, jurisdiction: str = NATIONAL, names: Iterable[str] | None = None) -> dict[str, dict[str, Any]]:
    """What holds in a place on a day, in one query: name → {"value", "rule_set", "source", "jurisdiction"}, as JSON.

    This is what an object keeps of the rules it was begun under. With ``names`` only those; one that is not set: ParameterNotSet.
    """
    steps = chain(jurisdiction)
    in_force = {each.jurisdiction: each for each in RuleSet.objects.filter(jurisdiction__in=steps, period__contains=on)}
    found: dict[str, dict[str, Any]] = {}
    for rules in (in_force[step] for step in steps if step in in_force):
        origin = {"rule_set": rules.name, "source": rules.source, "jurisdiction": rules.jurisdiction}
        if rules.name_en:
            origin["rule_set_en"] = rules.name_en
        for name, value in rules.parameters.items():
            found.setdefault(name, {"value": value, **origin})
    if names is None:
        return {name: found[name] for name in sorted(found, key=_place)}
    wanted = list(names)
    for name in wanted:
        if name not in found:
            message = _("No rule set in force on %(on)s sets “%(name)s”.") % {"on": on, "name": name}
            raise ParameterNotSet(message, parameter=name)
    return {name: found[name] for name in wanted}


def diff(older: RuleSet | dict[str, Any], newer: RuleSet | dict[str, Any]) -> list[Change]:
    """Exactly what two versions say differently, in the registry's order; nothing where they agree. 0.10 and 0.1 are equal."""
    before, after = (_plain(each.parameters if isinstance(each, RuleSet) else each) for each in (older, newer))
    names = sorted({*before, *after}, key=_place)
    return [Change(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)]


def recheck(*, began: date, on: date, jurisdiction: str = NATIONAL, names: Iterable[str] | None = None) -> list[Rechecked]:
    """What held when something began beside what holds on another day: it follows the first, and can be judged by the second.

    Scenario 79: a rule change on date D leaves what began before D under the old set. Without ``names`` every parameter.
    """
    then, now = (rules_on(on=day, jurisdiction=jurisdiction) for day in (began, on))
    wanted = list(names) if names is not None else sorted({*then, *now}, key=_place)
    return [Rechecked(name, then.get(name), now.get(name)) for name in wanted]


def versions(jurisdiction: str) -> QuerySet[RuleSet]:
    """All versions of a jurisdiction, past and coming ones too, the oldest first."""
    return RuleSet.objects.filter(jurisdiction=jurisdiction).order_by("period", "id")


def version_before(rule_set: RuleSet) -> RuleSet | None:
    """The version of the same jurisdiction that this one followed."""
    return versions(rule_set.jurisdiction).filter(period__lt=rule_set.period).last()


@transaction.atomic
def rule_set_add(
    *,
    jurisdiction: str,
    name: str,
    source: str,
    from_date: date,
    to_date: date | None = None,
    parameters: dict[str, Any],
    user: User | None,
    at: datetime,
    name_en: str = "",
) -> RuleSet:
    """A new version, in force from ``from_date`` to the day before ``to_date``; content and start never change afterwards.

    For people it goes by ``products.record.rule_proposals``: one proposes, another approves. Raises JurisdictionUnknown,
    ParameterUnknown, ParameterNotValid, RuleSetOverlaps.
    """
    if not is_place(jurisdiction):
        raise JurisdictionUnknown(_("“%(code)s” is no division code.") % {"code": jurisdiction}, field="jurisdiction")
    checked = check_all(parameters)
    try:
        with transaction.atomic():
            rule_set = RuleSet.objects.create(
                jurisdiction=jurisdiction,
                name=name,
                name_en=name_en,
                source=source,
                period=DateRange(from_date, to_date),
                parameters=checked,
            )
    except IntegrityError as error:
        raise RuleSetOverlaps(_("Another rule set of this jurisdiction is in force in that time."), field="from_date") from error
    audit.record(action="rule_set.added", obj=rule_set, actor=user, at=at, facts={"source": source, "from": from_date})
    return rule_set


@transaction.atomic
def rule_set_end(*, rule_set: RuleSet, to_date: date, user: User | None, at: datetime) -> RuleSet:
    """Set the end, once: the set is in force until the day before ``to_date``."""
    start = rule_set.period.lower
    ended = RuleSet.objects.filter(pk=rule_set.pk, period__upper_inf=True).update(period=DateRange(start, to_date))
    if not ended:
        raise RuleSetEndFixed(_("The end of this rule set is already fixed."), field="to_date")
    rule_set.refresh_from_db()
    audit.record(action="rule_set.ended", obj=rule_set, actor=user, at=at, facts={"to": to_date})
    return rule_set


ORDER = {name: place for place, name in enumerate(PARAMETERS)}


def _place(name: str) -> tuple[int, str]:
    return ORDER.get(name, len(ORDER)), name


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Values as the registry writes them, so that two spellings of one number are no change; unknown names stay as they are."""
    return {name: PARAMETERS[name].check(value) if name in PARAMETERS else value for name, value in values.items()}
