"""Authorisations: one person of the authorising body drafts them with their scope, another activates what is complete."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from products.organisations.models import Organisation, OrganisationKind, Role, User
from products.organisations.selectors import require_role
from products.record import audit, notices
from products.record.clock import business_date
from products.record.models import Evidence
from products.record.refusals import Refused
from products.record.rule_sets import parameter
from products.registry.models import Authorisation, DataResource, OpenType, Purpose, Scenario, ScopeItem
from products.registry.rules import term_end

DRAFTERS = (Role.OWNER, Role.REVIEWER, Role.PRICING, Role.DECIDER)
MANDATORY = {
    "conditions": _("the conditions of authorisation"),
    "operating_model": _("the mode of operation"),
    "term_clause": _("the clause on the term"),
    "exit_clause": _("the exit mechanism"),
    "security_duties": _("the security duties"),
    "decision_reference": _("the number of the decision record"),
    "decision_date": _("the date of the decision"),
}
notices.define(
    "authorisation.activated",
    subject=_("Authorisation %(number)s is active"),
    text=_("Authorisation %(number)s is active until %(to)s. Products within its scope may be published."),
)
notices.define(
    "authorisation.suspended",
    subject=_("Authorisation %(number)s is suspended"),
    text=_("Authorisation %(number)s is suspended: %(reason)s. Its products cannot be called until it is resumed."),
)
notices.define(
    "authorisation.resumed",
    subject=_("Authorisation %(number)s is active again"),
    text=_("Authorisation %(number)s is active again."),
)
notices.define(
    "authorisation.ended",
    subject=_("Authorisation %(number)s has ended"),
    text=_("Authorisation %(number)s has ended: %(reason)s. Its products are no longer served."),
)


class PartiesWrong(Refused):
    code = "parties_wrong"


class NumberTaken(Refused):
    code = "number_taken"


class TermTooLong(Refused):
    code = "term_too_long"


class ResourceClosed(Refused):
    code = "resource_closed"


class SharedWithoutConsent(Refused):
    code = "shared_without_consent"


class ScopeUnknown(Refused):
    code = "scope_unknown"


class AuthorisationNotDraft(Refused):
    code = "authorisation_not_draft"


class AuthorisationIncomplete(Refused):
    """``facts["missing"]`` names the parts by code, ``sentences`` in words."""

    code = "authorisation_incomplete"

    def __init__(self, missing: dict[str, str | Promise]) -> None:
        words = ", ".join(str(sentence) for sentence in missing.values())
        super().__init__(_("This authorisation still lacks: %(missing)s.") % {"missing": words}, missing=list(missing))
        self.sentences = list(missing.values())


class DrafterActivates(Refused):
    code = "drafter_activates"


class OperationOutsideTerm(Refused):
    code = "operation_outside_term"


class AuthorisationStateWrong(Refused):
    code = "authorisation_state_wrong"


@transaction.atomic
def authorisation_draft(
    *,
    authorising_body: Organisation,
    operator: Organisation,
    number: str,
    title: str,
    mode: str,
    from_date: date,
    to_date: date,
    user: User | None,
    at: datetime,
    scope: Iterable[tuple[DataResource, str, str, str]] = (),
    title_en: str = "",
    region: str = "",
    conditions: str = "",
    operating_model: str = "",
    term_clause: str = "",
    exit_clause: str = "",
    security_duties: str = "",
    decision_reference: str = "",
    decision_date: date | None = None,
    decision_evidence: Evidence | None = None,
    operating_since: date | None = None,
) -> Authorisation:
    """A draft with its scope items (resource, product type, purpose code, scenario code); ``to_date`` is the last day.

    ``operating_since`` is the first day of an operation that ran before it came here; later first listings count by themselves.
    Raises PartiesWrong, NumberTaken, TermTooLong, OperationOutsideTerm, and what ``scope_item_add`` raises.
    """
    _check_parties(authorising_body, operator, number, user)
    place = region or authorising_body.region
    _check_term(from_date, to_date, place)
    _check_operation(operating_since, from_date, at)
    authorisation = Authorisation.objects.create(
        number=number,
        title=title,
        title_en=title_en,
        authorising_body=authorising_body,
        operator=operator,
        mode=mode,
        region=place,
        from_date=from_date,
        to_date=to_date,
        conditions=conditions,
        operating_model=operating_model,
        term_clause=term_clause,
        exit_clause=exit_clause,
        security_duties=security_duties,
        decision_reference=decision_reference,
        decision_date=decision_date,
        decision_evidence=decision_evidence,
        operating_since=operating_since,
        drafted_by=user,
        created_at=at,
    )
    facts = {"number": number, "operator": operator.uscc, "from": from_date, "to": to_date}
    _record("drafted", authorisation, user, at, facts=facts)
    for item in scope:
        named = dict(zip(("resource", "product_type", "purpose", "scenario"), item, strict=True))
        scope_item_add(authorisation=authorisation, user=user, at=at, **named)
    return authorisation


def _check_parties(authorising_body: Organisation, operator: Organisation, number: str, user: User | None) -> None:
    if authorising_body.kind != OrganisationKind.AUTHORISING_BODY or operator.kind != OrganisationKind.OPERATOR:
        raise PartiesWrong(_("An authorising body authorises an operator."), field="operator")
    if user is not None:
        require_role(user, authorising_body, *DRAFTERS)
    if Authorisation.objects.filter(number=number).exists():
        raise NumberTaken(_("Another authorisation has this number."), field="number")


def _check_term(from_date: date, to_date: date, region: str) -> None:
    years = parameter(name="authorisation_max_years", on=from_date, jurisdiction=region or "CN")
    if to_date < from_date:
        raise TermTooLong(_("The last day lies before the first."), field="to_date")
    last = term_end(from_date, years)
    if to_date > last:
        message = _("An authorisation from %(from)s ends on %(last)s at the latest (%(years)s years).")
        raise TermTooLong(message % {"from": from_date, "last": last, "years": years}, field="to_date", last=last.isoformat())


def _check_operation(since: date | None, from_date: date, at: datetime) -> None:
    if since is not None and not from_date <= since <= business_date(at):
        message = _("An operation runs from its authorisation's first day on, and not from a day to come.")
        raise OperationOutsideTerm(message, field="operating_since")


@transaction.atomic
def authorisation_update(*, authorisation: Authorisation, user: User, at: datetime, **changes: Any) -> Authorisation:
    """Change a draft: clauses, decision record, dates. Raises AuthorisationNotDraft, TermTooLong; TypeError for other fields."""
    require_role(user, authorisation.authorising_body, *DRAFTERS)
    allowed = {*MANDATORY, "decision_evidence", "title", "title_en", "from_date", "to_date", "mode", "operating_since"}
    if not set(changes) <= allowed:
        raise TypeError(f"not fields of a draft: {sorted(set(changes) - allowed)}")
    draft = _locked_draft(authorisation)
    for name, value in changes.items():
        setattr(draft, name, value)
    _check_term(draft.from_date, draft.to_date, draft.region)
    _check_operation(draft.operating_since, draft.from_date, at)
    draft.save()
    _record("changed", draft, user, at, facts={name: str(value) for name, value in changes.items()})
    return draft


@transaction.atomic
def scope_item_add(
    *,
    authorisation: Authorisation,
    resource: DataResource,
    product_type: str,
    purpose: str,
    scenario: str,
    user: User | None,
    at: datetime,
) -> ScopeItem:
    """Add resource × product type × purpose × scenario to a draft; a changed scope needs a new decision, so never later.

    Raises AuthorisationNotDraft, ResourceClosed (domain.md R88), SharedWithoutConsent (R35), ScopeUnknown.
    """
    if user is not None:
        require_role(user, authorisation.authorising_body, *DRAFTERS)
    _locked_draft(authorisation)
    if resource.open_type == OpenType.CLOSED:
        message = _("“%(resource)s” is not open: what may not be opened may not be operated.")
        raise ResourceClosed(message % {"resource": resource}, field="resource", resource=resource.code)
    if resource.provenance == DataResource.Provenance.SHARED and resource.shared_consent_id is None:
        message = _("“%(resource)s” was shared by another body, whose written consent is missing.")
        raise SharedWithoutConsent(message % {"resource": resource}, field="resource", resource=resource.code)
    known = Purpose.objects.filter(code=purpose).exists() and Scenario.objects.filter(code=scenario).exists()
    if not known:
        message = _("The purpose “%(purpose)s” or the scenario “%(scenario)s” is not in the list.")
        raise ScopeUnknown(message % {"purpose": purpose, "scenario": scenario}, field="purpose")
    item, created = ScopeItem.objects.get_or_create(
        authorisation=authorisation, resource=resource, product_type=product_type, purpose_id=purpose, scenario_id=scenario
    )
    if created:
        facts = {"resource": resource.code, "product_type": product_type, "purpose": purpose, "scenario": scenario}
        _record("scope_added", authorisation, user, at, facts=facts)
    return item


def missing_parts(authorisation: Authorisation) -> dict[str, str | Promise]:
    """What a draft lacks before it can become active: code → words; empty when nothing is missing (domain.md R46, R47, R89)."""
    missing: dict[str, str | Promise] = {
        name: words for name, words in MANDATORY.items() if not str(getattr(authorisation, name) or "").strip()
    }
    if not authorisation.scope_items.exists():
        missing["scope"] = _("a scope: resource, product type, purpose and scenario")
    if not authorisation.authorising_body.is_verified:
        missing["authorising_body"] = _("a verified authorising body")
    if not authorisation.operator.is_verified:
        missing["operator"] = _("a verified operator")
    return missing


@transaction.atomic
def authorisation_activate(*, authorisation: Authorisation, user: User, at: datetime) -> Authorisation:
    """Put a draft in force. Raises AuthorisationIncomplete with the missing parts, DrafterActivates, AuthorisationNotDraft."""
    require_role(user, authorisation.authorising_body, Role.DECIDER, Role.OWNER)
    draft = _locked_draft(authorisation)
    missing = missing_parts(draft)
    if missing:
        raise AuthorisationIncomplete(missing)
    if draft.drafted_by_id == user.pk:
        raise DrafterActivates(_("The person who drafted an authorisation does not activate it: ask a colleague."))
    _check_term(draft.from_date, draft.to_date, draft.region)
    draft.state, draft.activated_at, draft.activated_by = Authorisation.State.ACTIVE, at, user
    try:
        with transaction.atomic():
            draft.save(update_fields=["state", "activated_at", "activated_by"])
    except IntegrityError as error:
        raise DrafterActivates(_("The person who drafted an authorisation does not activate it: ask a colleague.")) from error
    _record("activated", draft, user, at, facts={"decision": draft.decision_reference})
    return _tell("activated", draft, at)


def authorisation_suspend(*, authorisation: Authorisation, user: User, reason: str, at: datetime) -> Authorisation:
    """Stop it for a time; products under it are not served. Raises AuthorisationStateWrong."""
    return _move(authorisation, [Authorisation.State.ACTIVE], Authorisation.State.SUSPENDED, user, reason, at)


def authorisation_resume(*, authorisation: Authorisation, user: User, reason: str, at: datetime) -> Authorisation:
    """Let it run again. Raises AuthorisationStateWrong."""
    return _move(authorisation, [Authorisation.State.SUSPENDED], Authorisation.State.ACTIVE, user, reason, at)


def authorisation_end(*, authorisation: Authorisation, user: User, reason: str, at: datetime) -> Authorisation:
    """End it for good before its last day. Raises AuthorisationStateWrong."""
    running = [Authorisation.State.ACTIVE, Authorisation.State.SUSPENDED]
    return _move(authorisation, running, Authorisation.State.ENDED, user, reason, at)


@transaction.atomic
def _move(authorisation: Authorisation, before: list[Any], after: Any, user: User, reason: str, at: datetime) -> Authorisation:
    require_role(user, authorisation.authorising_body, Role.DECIDER, Role.OWNER)
    if not reason.strip():
        raise AuthorisationStateWrong(_("Say why, so that the other side can act on it."), field="reason")
    changes: dict[str, Any] = {"state": after}
    if after == Authorisation.State.ENDED:
        changes["ended_at"] = at
    if not Authorisation.objects.filter(pk=authorisation.pk, state__in=before).update(**changes):
        raise AuthorisationStateWrong(_("The state of this authorisation does not allow that."))
    authorisation.refresh_from_db()
    step = {"active": "resumed", "suspended": "suspended", "ended": "ended"}[str(after)]
    _record(step, authorisation, user, at, reason=reason)
    return _tell(step, authorisation, at, reason=reason)


def _locked_draft(authorisation: Authorisation) -> Authorisation:
    held = Authorisation.objects.select_for_update(of=("self",)).select_related("authorising_body", "operator")
    draft = held.get(pk=authorisation.pk)
    if draft.state != Authorisation.State.DRAFT:
        raise AuthorisationNotDraft(_("This authorisation is no draft any more: a change needs a new decision."))
    return draft


def _record(
    step: str, authorisation: Authorisation, user: User | None, at: datetime, *, reason: str = "", facts: dict | None = None
) -> None:
    audit.record(
        action=f"authorisation.{step}",
        obj=authorisation,
        actor=user,
        organisation=authorisation.authorising_body,
        at=at,
        reason=reason,
        facts=facts,
    )


def _tell(step: str, authorisation: Authorisation, at: datetime, *, reason: str = "") -> Authorisation:
    notices.notify(
        kind=f"authorisation.{step}",
        organisation=authorisation.operator,
        roles=[Role.OWNER, Role.PUBLISHER],
        facts={"number": authorisation.number, "to": authorisation.to_date, "reason": reason},
        url="/authorisations/",
        at=at,
    )
    return authorisation
