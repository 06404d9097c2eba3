"""The claimant's side of free use: write a claim, add evidence, submit it, answer, withdraw it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from pricing import parameters
from pricing.bodies import authorisation_of, region_of
from pricing.grants import refusals
from pricing.grants.models import FreeUseGrant
from pricing.grants.notices import tell_authority
from pricing.grants.rules import next_number, who_may_claim
from pricing.tariffs.models import Plan
from products.catalogue.models import DataProduct
from products.organisations.models import Organisation, User
from products.organisations.selectors import require_role, require_verified
from products.record import audit, cases, evidence
from products.record.clock import business_date
from products.record.models import Evidence
from products.registry.purposes import covers

CLAIM_ROLES = ("owner", "buyer", "approver")
CASE = "free_use"
NUMBER_LOCK = 4_201_101  # the advisory lock of everyone who takes a claim number
DETAILS = ("statement", "beneficiaries", "is_noncommercial", "quota_asked", "asked_until", "continues_on", "responsible_person")
State: Any = FreeUseGrant.State


@transaction.atomic
def grant_claim(
    *,
    organisation: Organisation,
    product: DataProduct,
    purpose: str,
    scenario: str,
    user: User,
    at: datetime,
    quota_asked: int = 10_000,
    asked_until: date | None = None,
    statement: str = "",
    beneficiaries: str = "",
    is_noncommercial: bool = False,
    responsible_person: str = "",
) -> FreeUseGrant:
    """A draft claim, to be saved and returned to; ``asked_until`` is the last day (default: a year from today).

    Raises PurposeIsCharged, KindMayNotClaim, ProductDoesNotServe, RoleMissing.
    """
    require_role(user, organisation, *CLAIM_ROLES)
    check_purpose(organisation=organisation, product=product, purpose=purpose, scenario=scenario)
    today = business_date(at)
    grant = FreeUseGrant.objects.create(
        number=_take_number(today.year),
        organisation=organisation,
        product=product,
        purpose=purpose,
        scenario=scenario,
        statement=statement,
        beneficiaries=beneficiaries,
        is_noncommercial=is_noncommercial,
        quota_asked=quota_asked,
        asked_until=asked_until or today + timedelta(days=365),
        responsible_person=responsible_person,
        created_by=user,
        created_at=at,
    )
    _record("drafted", grant, user, at, {"product": product.code, "purpose": purpose})
    return grant


def check_purpose(*, organisation: Organisation, product: DataProduct, purpose: str, scenario: str) -> None:
    """Whether the organisation may claim the product for the purpose at all."""
    kinds = who_may_claim(purpose)
    if not kinds:
        message = _("This purpose is charged. Free use is for public governance and public welfare; buy the product in the shop.")
        raise refusals.PurposeIsCharged(message, field="purpose")
    if organisation.kind not in kinds:
        raise refusals.KindMayNotClaim(_("Your kind of organisation cannot claim this purpose."), field="purpose")
    if not any(covers(own, purpose) for own in product.purposes):
        raise refusals.ProductDoesNotServe(_("The product does not serve this purpose."), field="purpose")
    if product.scenarios and scenario not in product.scenarios:
        raise refusals.ProductDoesNotServe(_("The product does not serve this scenario."), field="scenario")


def plans_to_go_on_with(*, product: DataProduct) -> QuerySet[Plan]:
    """Plans under which calls may go on once a free quota is used up: those of the product that are on sale."""
    return Plan.objects.filter(product=product, state=Plan.State.OPEN).order_by("code", "id")


def _take_number(year: int) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [NUMBER_LOCK])
    last = FreeUseGrant.objects.filter(number__startswith=f"FU-{year}-").order_by("-id").values_list("number", flat=True).first()
    return next_number(year=year, last=last)


@transaction.atomic
def grant_edit(*, grant: FreeUseGrant, user: User, at: datetime, **details: Any) -> FreeUseGrant:
    """Save details of a draft, or of a claim that waits for corrections. ``details``: any of DETAILS. Raises ClaimNotOpen."""
    require_role(user, grant.organisation, *CLAIM_ROLES)
    unknown = set(details) - set(DETAILS)
    if unknown:
        raise TypeError(f"not a detail of a claim: {', '.join(sorted(unknown))}")
    _editable(grant)
    plan = details.get("continues_on")
    if plan is not None and not plans_to_go_on_with(product=grant.product).filter(pk=plan.pk).exists():
        raise refusals.ProductDoesNotServe(_("This plan of the product is not on sale."), field="continues_on")
    for name, value in details.items():
        setattr(grant, name, value)
    grant.save(update_fields=list(details))
    _record("edited", grant, user, at, {"fields": sorted(details)})
    return grant


@transaction.atomic
def grant_add_evidence(
    *, grant: FreeUseGrant, user: User, file_name: str, content: bytes, content_type: str = "", at: datetime
) -> Evidence:
    """Keep a file with the claim. Raises ClaimNotOpen and the refusals of ``products.record.evidence.keep``."""
    require_role(user, grant.organisation, *CLAIM_ROLES)
    _editable(grant)
    kept = evidence.keep(
        organisation=grant.organisation,
        user=user,
        file_name=file_name,
        content=content,
        content_type=content_type,
        purpose=CASE,
        at=at,
    )
    grant.evidence.add(kept)
    return kept


def _editable(grant: FreeUseGrant) -> None:
    locked = FreeUseGrant.objects.select_for_update().get(pk=grant.pk)
    if locked.state not in (State.DRAFT, State.CORRECTIONS):
        raise refusals.ClaimNotOpen(_("A submitted claim is not changed; the authorising body can ask for corrections."))


@transaction.atomic
def grant_submit(*, grant: FreeUseGrant, user: User, at: datetime) -> FreeUseGrant:
    """Hand the claim to the authorising body: opens its case, or lets the clock go on after corrections.

    Raises OrganisationNotVerified, ClaimIncomplete (``facts["missing"]`` names all that is missing), ClaimNotOpen, RoleMissing.
    """
    require_role(user, grant.organisation, *CLAIM_ROLES)
    require_verified(grant.organisation)
    check_purpose(organisation=grant.organisation, product=grant.product, purpose=grant.purpose, scenario=grant.scenario)
    _check_complete(grant, business_date(at))
    was = grant.state
    claimed = FreeUseGrant.objects.filter(pk=grant.pk, state=was)
    if was not in (State.DRAFT, State.CORRECTIONS) or not claimed.update(
        state=State.SUBMITTED, submitted_by=user, submitted_at=grant.submitted_at or at
    ):
        raise refusals.ClaimNotOpen(_("This claim is submitted already."))
    grant.refresh_from_db()
    body = authorisation_of(grant.product).authorising_body
    if grant.case is None:
        limit = parameters.days(name="grant_decision_working_days", on=business_date(at), region=region_of(grant.product))
        grant.case = cases.open_case(
            kind=CASE, obj=grant, applicant=grant.organisation, handler=body, limit_days=limit, at=at, actor=user
        )
        grant.save(update_fields=["case"])
    else:
        cases.resume(case=grant.case, actor=user, at=at)
    tell_authority(grant, body, at)
    _record("submitted", grant, user, at, {"evidence": [kept.sha256 for kept in grant.evidence.order_by("uploaded_at", "id")]})
    return grant


def missing_of(grant: FreeUseGrant, today: date) -> list[str]:
    """What a claim still lacks, as names of its parts."""
    lacks = {
        "statement": len(grant.statement.strip()) < 20,
        "beneficiaries": not grant.beneficiaries.strip(),
        "is_noncommercial": not grant.is_noncommercial,
        "quota_asked": grant.quota_asked < 1,
        "asked_until": grant.asked_until <= today,
        "responsible_person": not grant.responsible_person.strip(),
        "evidence": not grant.evidence.exists(),
    }
    return [name for name, is_missing in lacks.items() if is_missing]


def _check_complete(grant: FreeUseGrant, today: date) -> None:
    words = {
        "statement": _("what it is for, in at least 20 characters"),
        "beneficiaries": _("who benefits"),
        "is_noncommercial": _("the promise that outputs are not sold"),
        "quota_asked": _("how many units"),
        "asked_until": _("a last day in the future"),
        "responsible_person": _("the responsible person"),
        "evidence": _("at least one evidence file"),
    }
    missing = missing_of(grant, today)
    if missing:
        message = _("The claim still lacks: %(parts)s.") % {"parts": _("; ").join(words[name] for name in missing)}
        raise refusals.ClaimIncomplete(message, field=missing[0], missing=missing)


@transaction.atomic
def grant_withdraw(*, grant: FreeUseGrant, user: User, at: datetime, reason: str = "") -> FreeUseGrant:
    """The claimant takes back a claim that is not decided. Raises ClaimNotOpen, RoleMissing."""
    require_role(user, grant.organisation, *CLAIM_ROLES)
    open_states = (State.DRAFT, State.SUBMITTED, State.CORRECTIONS)
    if not FreeUseGrant.objects.filter(pk=grant.pk, state__in=open_states).update(state=State.WITHDRAWN):
        raise refusals.ClaimNotOpen(_("This claim is decided; it cannot be withdrawn."))
    grant.refresh_from_db()
    if grant.case is not None:
        cases.close(case=grant.case, outcome="withdrawn", actor=user, at=at, note=reason)
    _record("withdrawn", grant, user, at, reason=reason)
    return grant


def _record(
    act: str, grant: FreeUseGrant, user: User, at: datetime, facts: dict[str, Any] | None = None, reason: str = ""
) -> None:
    audit.record(
        action=f"free_use.{act}", obj=grant, actor=user, organisation=grant.organisation, at=at, reason=reason, facts=facts
    )
