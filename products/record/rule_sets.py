"""Dated parameters of a jurisdiction: what a limit, a rate or a term is on a day, and which document says so."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils.translation import gettext_lazy as _

from products.organisations.models import User
from products.record import audit
from products.record.models import RuleSet
from products.record.refusals import Refused

NATIONAL = "CN"


class ParameterNotSet(Refused):
    code = "parameter_not_set"


class RuleSetOverlaps(Refused):
    code = "rule_set_overlaps"


class RuleSetEndFixed(Refused):
    code = "rule_set_end_fixed"


def chain(jurisdiction: str) -> list[str]:
    """From the most local to the national: 330203 → 330200 → 330000 → CN."""
    if not jurisdiction or jurisdiction == NATIONAL:
        return [NATIONAL]
    steps = [jurisdiction, f"{jurisdiction[:4]}00", f"{jurisdiction[:2]}0000", NATIONAL]
    return list(dict.fromkeys(steps))


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
    """A new version, in force from ``from_date`` to the day before ``to_date``; content and start never change afterwards."""
    try:
        with transaction.atomic():
            rule_set = RuleSet.objects.create(
                jurisdiction=jurisdiction,
                name=name,
                name_en=name_en,
                source=source,
                period=DateRange(from_date, to_date),
                parameters=parameters,
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
