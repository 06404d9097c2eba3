"""Consents taken back: a person withdraws, the organisation that asked about the person says so, and no call names it any more.

Of a consent only keyed digests are kept, made by the floor above (it holds the key): of its reference in a withdrawal, of
organisation, reference and evidence in each event. So nobody can list whose consents there were, and still each call can be shown
to have named one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from products.organisations.models import Organisation, OrganisationState, Role, User
from products.organisations.selectors import require_role
from products.record import audit, cases, notices
from products.record.clock import business_date
from products.record.models import Case
from products.record.refusals import Refused
from products.record.rule_sets import parameter
from settlement.entitlements.models import ApiKey, ConsentWithdrawal

CASE_KIND = "consent_withdrawal"
MOST_NOTE = 300
WITHDRAWERS = (Role.OWNER, Role.BUYER, Role.DEVELOPER)
notices.define(
    "consent.told",
    subject=_("A person tells you that they withdraw their consent"),
    text=_("They name the reference %(reference)s and can be reached at: %(contact)s. Check it and record the withdrawal."),
)


class WithdrawnInFuture(Refused):
    code = "withdrawn_in_future"


class ReferenceMalformed(Refused):
    code = "reference_malformed"


class OrganisationUnknown(Refused):
    code = "organisation_unknown"


class ContactMissing(Refused):
    code = "contact_missing"


@dataclass(frozen=True)
class Withdrawn:
    """The withdrawal that stands, and whether this request made it."""

    withdrawal: ConsentWithdrawal
    is_new: bool


@transaction.atomic
def consent_withdraw(
    *,
    organisation: Organisation,
    reference_digest: bytes,
    at: datetime,
    withdrawn_at: datetime | None = None,
    note: str = "",
    user: User | None = None,
    key: ApiKey | None = None,
) -> Withdrawn:
    """From the commit on no call of the organisation may name the consent; calls before it stay lawful and billed.

    ``withdrawn_at`` is when the person withdrew, ``at`` where it is not given, and never after it. Again under the same
    reference: the first one stands. Raises WithdrawnInFuture, RoleMissing (where a person does it).
    """
    if user is not None:
        require_role(user, organisation, *WITHDRAWERS)
    moment = withdrawn_at or at
    if moment > at:
        raise WithdrawnInFuture(_("A consent cannot be withdrawn in the future."), field="withdrawn_at")
    known = ConsentWithdrawal.objects.filter(organisation=organisation, reference_digest=reference_digest).first()
    if known is not None:
        return Withdrawn(known, is_new=False)
    try:
        with transaction.atomic():
            withdrawal = ConsentWithdrawal.objects.create(
                organisation=organisation,
                reference_digest=reference_digest,
                withdrawn_at=moment,
                recorded_at=at,
                recorded_by=user,
                key=key,
                note=note.strip()[:MOST_NOTE],
            )
    except IntegrityError:  # another request was first
        return Withdrawn(
            ConsentWithdrawal.objects.get(organisation=organisation, reference_digest=reference_digest), is_new=False
        )
    facts = {"withdrawn_at": moment.isoformat(), "key": key.hint if key else None}
    audit.record(action="consent.withdraw", obj=withdrawal, actor=user, organisation=organisation, at=at, facts=facts)
    return Withdrawn(withdrawal, is_new=True)


def withdrawals_of(*, organisation: Organisation) -> QuerySet[ConsentWithdrawal]:
    """The withdrawals that an organisation recorded, the newest first."""
    found = ConsentWithdrawal.objects.filter(organisation=organisation).select_related("recorded_by", "key")
    return found.order_by("-recorded_at", "-id")


@transaction.atomic
def withdrawal_told(*, uscc: str, reference: str, contact: str, text: str, at: datetime) -> Case:
    """A person says from outside that a consent is withdrawn: a case of the organisation, with a clock, and nothing else.

    We cannot know who writes, so no call is stopped by this: else a stranger could stop anybody's. The organisation checks and
    records it. Raises OrganisationUnknown, ContactMissing.
    """
    organisation = Organisation.objects.filter(uscc=uscc.strip().upper()).exclude(state=OrganisationState.SUSPENDED).first()
    if organisation is None:
        raise OrganisationUnknown(_("No organisation of this code uses the market: check the 18 characters."), field="uscc")
    if not contact.strip():
        raise ContactMissing(_("Say how the organisation can reach you."), field="contact")
    days = int(parameter(name="objection_answer_working_days", on=business_date(at), jurisdiction=organisation.region or "CN"))
    parts = [_("Reference: %s") % reference.strip(), _("Contact: %s") % contact.strip(), text.strip()]
    case = cases.open_case(
        kind=CASE_KIND,
        obj=organisation,
        applicant=None,
        handler=organisation,
        limit_days=days,
        at=at,
        actor=None,
        note="\n".join(str(part) for part in parts if part),
    )
    facts = {"reference": reference.strip(), "contact": contact.strip()}
    notices.notify(
        kind="consent.told",
        organisation=organisation,
        roles=WITHDRAWERS,
        facts=facts,
        url=f"/console/buyer/consents/{case.pk}/",
        at=at,
    )
    return case


def told_to(*, organisation: Organisation) -> QuerySet[Case]:
    """What people told an organisation about withdrawals, the open ones first."""
    found = Case.objects.filter(kind=CASE_KIND, handler=organisation)
    return found.order_by("-state", "opened_at", "id")


@transaction.atomic
def told_answer(*, case: Case, organisation: Organisation, is_recorded: bool, text: str, user: User, at: datetime) -> Case:
    """Close what a person told: the withdrawal was recorded, or it is not one of the organisation's. Raises RoleMissing."""
    require_role(user, organisation, *WITHDRAWERS)
    return cases.close(case=case, outcome="recorded" if is_recorded else "not_ours", actor=user, at=at, note=text)
