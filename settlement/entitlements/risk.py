"""Risk cases of an entitlement (SM11): calls for another purpose (R27, R52, scenario 54), and probing of a protected table.

A signal opens a case of the product's authorising body, one open at a time for an entitlement and kind (a constraint says so).
The buyer is told and may explain; one of the body's people closes it with a reason: dismissed, warned, or suspended.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from products.organisations.models import Organisation, Role, User
from products.organisations.selectors import require_role
from products.record import cases, notices
from products.record.clock import business_date, day_start
from products.record.models import Case, CaseState
from products.record.refusals import Refused
from products.record.rule_sets import rules_on
from settlement.entitlements.joint import handler_of
from settlement.entitlements.models import Entitlement
from settlement.entitlements.services import entitlement_resume, entitlement_suspend
from settlement.metering.models import Refusal
from settlement.sql import query

OUT_OF_PURPOSE, PROBING = "out_of_purpose", "probing"
KINDS = (OUT_OF_PURPOSE, PROBING)
DISMISSED, WARNED, SUSPENDED = "dismissed", "warned", "suspended"
OUTCOMES = (DISMISSED, WARNED, SUSPENDED)
DECIDERS = (Role.REVIEWER, Role.DECIDER)
BUYERS = (Role.OWNER, Role.BUYER, Role.APPROVER)
TOLD = (*BUYERS, Role.DEVELOPER)
LOOK_BACK = timedelta(days=2)  # what the hourly sweep looks at again, should a gateway have died before it could
notices.define(
    "risk.out_of_purpose",
    subject=gettext_lazy("Calls of %(entitlement)s stated another purpose"),
    text=gettext_lazy(
        "%(number)s calls for %(product)s stated a purpose outside the entitlement's and were refused. The authorising body "
        "looks into it. You can explain on the case's page."
    ),
)
notices.define(
    "risk.probing",
    subject=gettext_lazy("Questions about %(product)s look like probing"),
    text=gettext_lazy(
        "The questions asked under %(entitlement)s look as if they explored the protected table. The authorising body looks into "
        "it; until it has, such questions are answered 429. You can explain on the case's page."
    ),
)
notices.define(
    "risk.opened",
    subject=gettext_lazy("A risk case was opened: %(product)s"),
    text=gettext_lazy("A signal of %(organisation)s under %(entitlement)s waits for you."),
)
notices.define(
    "risk.closed",
    subject=gettext_lazy("A risk case is closed: %(product)s"),
    text=gettext_lazy("The authorising body has decided about %(entitlement)s. The reason stands on the case's page."),
)


class RiskCaseNotYours(Refused):
    code = "risk_case_not_yours"


class RiskReasonMissing(Refused):
    code = "risk_reason_missing"


def out_of_purpose_watch(*, entitlements: Collection[int], at: datetime) -> list[Case]:
    """Open a case for each of the entitlements whose stated purposes were outside often enough; returns the new ones.

    How often (``out_of_purpose_refusals``) within how many days (``out_of_purpose_span_days``) the rule set of the authorising
    body's place says. Called by the gateway's journal after it wrote refusals, and by an hourly sweep.
    """
    opened = []
    held = Entitlement.objects.filter(pk__in=entitlements).select_related(
        "product__authorisation__authorising_body", "organisation"
    )
    for entitlement in held.order_by("id"):
        handler = handler_of(entitlement.product)
        rules = rules_on(on=business_date(at), jurisdiction=handler.region or "CN", names=_PARAMETERS)
        days = int(rules["out_of_purpose_span_days"]["value"])
        number = _refusals(entitlement, at - timedelta(days=days))
        if number < int(rules["out_of_purpose_refusals"]["value"]):
            continue
        text = ngettext(
            "%(n)s call in %(days)s days stated a purpose outside the entitlement's.",
            "%(n)s calls in %(days)s days stated a purpose outside the entitlement's.",
            number,
        ) % {"n": number, "days": days}
        case = risk_open(entitlement=entitlement, kind=OUT_OF_PURPOSE, note=text, number=number, at=at)
        opened += [case] if case else []
    return opened


_PARAMETERS = ("out_of_purpose_refusals", "out_of_purpose_span_days")


def out_of_purpose_sweep(*, at: datetime) -> list[Case]:
    """The same for every entitlement with such a refusal lately: nothing is left behind by a gateway that was killed."""
    lately = Refusal.objects.filter(at__gte=at - LOOK_BACK, reason="purpose-outside", entitlement__isnull=False)
    return out_of_purpose_watch(entitlements=set(lately.values_list("entitlement_id", flat=True)), at=at)


FISHING = "no_match"
_SIGNS = {
    "claims": gettext_lazy("Many different claims were made about one subject."),
    "neighbours": gettext_lazy("Many neighbouring subjects were asked about, as in a sequence."),
    FISHING: gettext_lazy("Most of the day's questions were matched by nothing, as guesses are."),
}


def probing_watch(*, signs: Mapping[int, str], at: datetime) -> list[Case]:
    """Open a case for each entitlement with a sign of probing; returns the new ones.

    After one is closed, its day's counts stand still: the next is opened on another day at the earliest.
    """
    opened = []
    held = Entitlement.objects.filter(pk__in=signs).select_related("product__authorisation__authorising_body", "organisation")
    for entitlement in held.order_by("id"):
        about = {"kind": PROBING, "object_type": "settlement.entitlement", "object_id": str(entitlement.pk)}
        if Case.objects.filter(**about, closed_at__gte=day_start(business_date(at))).exists():
            continue
        case = risk_open(entitlement=entitlement, kind=PROBING, note=str(_SIGNS[signs[entitlement.pk]]), at=at)
        opened += [case] if case else []
    return opened


@transaction.atomic
def risk_open(*, entitlement: Entitlement, kind: str, note: str, number: int = 0, at: datetime) -> Case | None:
    """Open a case about an entitlement and tell both sides; None where one of the kind is open already."""
    handler = handler_of(entitlement.product)
    rules = rules_on(on=business_date(at), jurisdiction=handler.region or "CN", names=("risk_case_working_days",))
    days = int(rules["risk_case_working_days"]["value"])
    try:
        with transaction.atomic():
            case = cases.open_case(
                kind=kind, obj=entitlement, applicant=None, handler=handler, limit_days=days, at=at, actor=None, note=note
            )
    except IntegrityError:
        return None
    facts = {
        "entitlement": entitlement.code,
        "organisation": entitlement.organisation.name,
        "product": entitlement.product.name,
        "number": number,
    }
    office, buyer = f"/console/authority/risks/{case.pk}/", f"/console/buyer/risks/{case.pk}/"
    notices.notify(kind="risk.opened", organisation=handler, roles=DECIDERS, facts=facts, url=office, at=at)
    notices.notify(kind=f"risk.{kind}", organisation=entitlement.organisation, roles=TOLD, facts=facts, url=buyer, at=at)
    return case


@transaction.atomic
def risk_explain(*, case: Case, text: str, user: User, at: datetime) -> None:
    """The buyer's side of it, for the file. Raises RoleMissing, RiskReasonMissing, CaseNotOpen."""
    entitlement = entitlement_of(case)
    require_role(user, entitlement.organisation, *BUYERS)
    if not text.strip():
        raise RiskReasonMissing(_("Say what happened and what you changed."), field="text")
    if case.state == CaseState.CLOSED:
        raise cases.CaseNotOpen(_("This case is already closed."))
    cases.note(case=case, actor=user, at=at, note=text.strip())


@transaction.atomic
def risk_close(*, case: Case, outcome: str, reason: str, user: User, at: datetime) -> Case:
    """Close a case: ``dismissed``, ``warned``, or ``suspended``, which suspends the entitlement.

    Raises RoleMissing, RiskReasonMissing, CaseNotOpen, EntitlementNotInState.
    """
    require_role(user, case.handler, *DECIDERS)
    if outcome not in OUTCOMES:
        raise ValueError(outcome)
    if not reason.strip():
        raise RiskReasonMissing(_("Say why, so that the other side can act on it."), field="reason")
    entitlement = entitlement_of(case)
    closed = cases.close(case=case, outcome=outcome, actor=user, at=at, note=reason.strip())
    if outcome == SUSPENDED:
        entitlement_suspend(entitlement=entitlement, actor=user, reason=reason.strip(), at=at)
    facts = {"entitlement": entitlement.code, "product": entitlement.product.name}
    url = f"/console/buyer/risks/{case.pk}/"
    notices.notify(kind="risk.closed", organisation=entitlement.organisation, roles=TOLD, facts=facts, url=url, at=at)
    return closed


@transaction.atomic
def risk_resume(*, case: Case, reason: str, user: User, at: datetime) -> None:
    """Let calls go on that a closed case suspended. Raises RoleMissing, RiskReasonMissing, EntitlementNotInState."""
    require_role(user, case.handler, *DECIDERS)
    if case.outcome != SUSPENDED:
        raise RiskCaseNotYours(_("This case did not suspend the entitlement."))
    if not reason.strip():
        raise RiskReasonMissing(_("Say why, so that the other side can act on it."), field="reason")
    entitlement_resume(entitlement=entitlement_of(case), actor=user, reason=reason.strip(), at=at)
    cases.note(case=case, actor=user, at=at, note=reason.strip())


def entitlement_of(case: Case) -> Entitlement:
    """What a risk case is about."""
    return Entitlement.objects.select_related("organisation", "product__operator", "operator").get(pk=int(case.object_id))


def risks_before(*, office: Organisation) -> QuerySet[Case]:
    """The risk cases of a body, the open ones first."""
    found = Case.objects.filter(kind__in=KINDS, handler=office).select_related("handler")
    return found.order_by("-state", "opened_at", "id")


def risks_of(*, organisation: Organisation) -> QuerySet[Case]:
    """The risk cases about a buyer's entitlements, the open ones first."""
    own = Entitlement.objects.filter(organisation=organisation).values_list("pk", flat=True)
    named = [str(pk) for pk in own]
    found = Case.objects.filter(kind__in=KINDS, object_type="settlement.entitlement", object_id__in=named)
    return found.select_related("handler").order_by("-state", "opened_at", "id")


def refusals_behind(*, case: Case, most: int = 200) -> list[Refusal]:
    """What the case stands on: for calls out of purpose the refusals of the span before it and since, the newest first."""
    reasons = {OUT_OF_PURPOSE: ["purpose-outside"], PROBING: ["subject-limit"]}[case.kind]
    found = Refusal.objects.filter(
        entitlement_id=int(case.object_id), reason__in=reasons, at__gte=case.opened_at - timedelta(days=365)
    )
    if case.closed_at is not None:
        found = found.filter(at__lte=case.closed_at)
    return list(found.select_related("key").order_by("-at", "-id")[:most])


def _refusals(entitlement: Entitlement, since: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(query("out_of_purpose_due"), {"entitlement": entitlement.pk, "since": since})
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def ids_of(refusals: Iterable[tuple[int | None, str, str]]) -> set[int]:
    """Entitlements of refusals (entitlement id, reason, stated purpose) that may open a case of calls out of purpose."""
    return {entitlement for entitlement, reason, purpose in refusals if entitlement and purpose and reason == "purpose-outside"}
