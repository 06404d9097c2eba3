"""Resources and their registrations: what may be offered at all. Authorisations are in authorisations.py."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from products.catalogue.models import DataProduct
from products.organisations.models import Organisation, OrganisationKind, Role, User
from products.organisations.selectors import require_role
from products.record import audit
from products.record.clock import business_date
from products.record.models import Evidence
from products.record.refusals import Refused
from products.record.rule_sets import parameter
from products.registry.authorisations import (
    authorisation_activate,
    authorisation_draft,
    authorisation_end,
    authorisation_resume,
    authorisation_suspend,
    authorisation_update,
    scope_item_add,
)
from products.registry.models import Authorisation, DataResource, OpenType, Registration
from products.registry.rules import renewal_opens, term_end

__all__ = [
    "authorisation_activate",
    "authorisation_draft",
    "authorisation_end",
    "authorisation_resume",
    "authorisation_suspend",
    "authorisation_update",
    "registration_add",
    "registration_cancel",
    "registration_renew",
    "resource_add",
    "scope_item_add",
]
CORE_GRADE = 4


class ResourceContradicts(Refused):
    code = "resource_contradicts"


class DictionaryWrong(Refused):
    code = "dictionary_wrong"


class CodeTaken(Refused):
    code = "code_taken"


class NotARegistry(Refused):
    code = "not_a_registry"


class RegistrationTermEmpty(Refused):
    code = "registration_term_empty"


class RenewalTooEarly(Refused):
    code = "renewal_too_early"


class ReasonMissing(Refused):
    code = "reason_missing"


class RegistrationExpired(Refused):
    code = "registration_expired"


@transaction.atomic
def resource_add(
    *,
    provider: Organisation,
    code: str,
    name: str,
    data_class: str,
    grade: int,
    open_type: str,
    has_personal_data: bool,
    has_security_impact: bool,
    update_frequency: str,
    dictionary: Sequence[dict[str, Any]],
    user: User | None,
    at: datetime,
    name_en: str = "",
    description: str = "",
    provenance: str = DataResource.Provenance.OWN,
    shared_consent: Evidence | None = None,
) -> DataResource:
    """Enter a resource in the provider's catalogue. ``dictionary`` is [{"field", "type", "meaning", "meaning_en"}].

    Raises ResourceContradicts (grade, open type and flags do not fit each other), DictionaryWrong, CodeTaken.
    """
    if user is not None:
        require_role(user, provider, Role.OWNER, Role.PUBLISHER)
    _check_openness(grade, open_type, has_personal_data, has_security_impact)
    _check_dictionary(dictionary)
    if DataResource.objects.filter(code=code).exists():
        raise CodeTaken(_("Another resource has this code."), field="code")
    resource = DataResource.objects.create(
        provider=provider,
        code=code,
        name=name,
        name_en=name_en,
        data_class=data_class,
        grade=grade,
        open_type=open_type,
        has_personal_data=has_personal_data,
        has_security_impact=has_security_impact,
        provenance=provenance,
        shared_consent=shared_consent,
        dictionary=list(dictionary),
        update_frequency=update_frequency,
        description=description,
        created_at=at,
    )
    facts = {"code": code, "grade": grade, "open_type": open_type, "has_personal_data": has_personal_data}
    audit.record(action="resource.added", obj=resource, actor=user, organisation=provider, at=at, facts=facts)
    return resource


def _check_openness(grade: int, open_type: str, has_personal_data: bool, has_security_impact: bool) -> None:
    if not 1 <= grade <= CORE_GRADE:
        raise ResourceContradicts(_("A grade lies between 1 (general) and 4 (core)."), field="grade")
    if grade == CORE_GRADE and open_type != OpenType.CLOSED:
        raise ResourceContradicts(_("Core data (grade 4) is not open."), field="open_type")
    if open_type == OpenType.UNCONDITIONAL and (has_personal_data or has_security_impact):
        message = _("Data with personal data or an impact on public security is not open without conditions.")
        raise ResourceContradicts(message, field="open_type")


def _check_dictionary(dictionary: Sequence[dict[str, Any]]) -> None:
    seen: set[str] = set()
    for number, entry in enumerate(dictionary, start=1):
        field = str(entry.get("field", "")).strip()
        if not field or not str(entry.get("meaning", "")).strip() or field in seen:
            message = _("Line %(number)s of the data dictionary needs a field of its own and a meaning.")
            raise DictionaryWrong(message % {"number": number}, field="dictionary", line=number)
        seen.add(field)


@transaction.atomic
def registration_add(
    *,
    registry: Organisation,
    holder: Organisation,
    code: str,
    level: str,
    issued_date: date,
    user: User | None,
    at: datetime,
    resource: DataResource | None = None,
    product: DataProduct | None = None,
    authorisation: Authorisation | None = None,
    region: str = "",
) -> Registration:
    """Give a resource or a product its code. It is valid for the rule set's years, at the longest until the authorisation ends.

    A product brings its own authorisation; for a resource in operation pass it. Raises NotARegistry, CodeTaken,
    RegistrationTermEmpty.
    """
    _require_registry(registry, user)
    under = authorisation or (product.authorisation if product is not None else None)
    if Registration.objects.filter(code=code).exists():
        raise CodeTaken(_("Another registration has this code."), field="code")
    try:
        with transaction.atomic():
            registration = Registration.objects.create(
                code=code,
                resource=resource,
                product=product,
                registry=registry,
                holder=holder,
                level=level,
                region=region,
                issued_date=issued_date,
                valid_to=_valid_to(issued_date, under, region),
            )
    except IntegrityError as error:
        message = _("A registration is of one resource or one product, and ends after it begins.")
        raise RegistrationTermEmpty(message) from error
    facts = {"code": code, "level": level, "issued": issued_date, "valid_to": registration.valid_to}
    audit.record(action="registration.added", obj=registration, actor=user, organisation=registry, at=at, facts=facts)
    return registration


def _valid_to(start: date, authorisation: Authorisation | None, region: str) -> date:
    years = parameter(name="registration_validity_years", on=start, jurisdiction=region or "CN")
    end = term_end(start, years)
    return end if authorisation is None else min(end, authorisation.to_date)


@transaction.atomic
def registration_renew(
    *, registration: Registration, user: User | None, at: datetime, authorisation: Authorisation | None = None
) -> Registration:
    """A further term from the day after the old one. Raises RenewalTooEarly, RegistrationExpired (then register anew)."""
    _require_registry(registration.registry, user)
    held = Registration.objects.select_for_update().get(pk=registration.pk)
    today = business_date(at)
    window = parameter(name="registration_renewal_window_days", on=today, jurisdiction=held.region or "CN")
    if held.state != Registration.State.VALID or today > held.valid_to:
        raise RegistrationExpired(_("This registration has ended: register anew."))
    opens = renewal_opens(held.valid_to, window)
    if today < opens:
        raise RenewalTooEarly(_("Too early: renewal may be filed from %(day)s.") % {"day": opens}, opens=opens.isoformat())
    under = authorisation or (held.product.authorisation if held.product is not None else None)
    before, held.valid_to = held.valid_to, _valid_to(date.fromordinal(held.valid_to.toordinal() + 1), under, held.region)
    if held.valid_to <= before:
        raise RegistrationTermEmpty(_("The authorisation ends with this registration: there is nothing to renew."))
    held.save(update_fields=["valid_to"])
    facts = {"before": before, "valid_to": held.valid_to}
    audit.record(action="registration.renewed", obj=held, actor=user, organisation=held.registry, at=at, facts=facts)
    return held


@transaction.atomic
def registration_cancel(*, registration: Registration, user: User | None, reason: str, at: datetime) -> Registration:
    """Deregister: data lost, right given up, subject dissolved. Raises ReasonMissing, RegistrationExpired (ended already)."""
    _require_registry(registration.registry, user)
    if not reason.strip():
        raise ReasonMissing(_("Say why, so that the other side can act on it."), field="reason")
    claimed = Registration.objects.filter(pk=registration.pk, state=Registration.State.VALID)
    if not claimed.update(state=Registration.State.CANCELLED):
        raise RegistrationExpired(_("This registration has ended already."))
    registration.refresh_from_db()
    audit.record(
        action="registration.cancelled",
        obj=registration,
        actor=user,
        organisation=registration.registry,
        at=at,
        reason=reason,
    )
    return registration


def _require_registry(registry: Organisation, user: User | None) -> None:
    if registry.kind != OrganisationKind.REGISTRY:
        raise NotARegistry(_("Only a registration institution registers."), field="registry")
    if user is not None:
        require_role(user, registry, Role.OWNER, Role.REVIEWER, Role.DECIDER)
