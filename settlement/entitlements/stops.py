"""Emergency stops: calls of a product, of an operator's products or of a buyer end at once; two people let them go on.

SM11 of the domain: emergency stop → investigation (its case) → recovery, or termination through the services that end a product
and its entitlements. The gateways read the row itself, so what is committed here acts within their staleness.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from products.catalogue.models import DataProduct, ProductState
from products.catalogue.services import product_delist
from products.organisations.models import Organisation, User
from products.organisations.selectors import may_decide, membership_of
from products.record import audit, cases
from products.record.models import Case, Evidence
from products.record.refusals import Refused
from settlement.entitlements import stop_news, stop_rights
from settlement.entitlements.models import EmergencyStop, Entitlement
from settlement.entitlements.services import entitlement_end
from settlement.entitlements.stop_selectors import entitlements_under, handler_of

CASE = "emergency_stop"
INVESTIGATION_DAYS = 5  # working days; no rule names a number (decision 0057)
PUBLIC_LENGTH = 200
Kind, Outcome = EmergencyStop.Kind, EmergencyStop.Outcome


class StopNotAllowed(Refused):
    """The person's role does not let them stop this, or lift it."""

    code = "stop_not_allowed"


class StopReasonMissing(Refused):
    code = "stop_reason_missing"


class StopTargetWrong(Refused):
    """Nothing is sold or bought there that could be stopped."""

    code = "stop_target_wrong"


class StopStands(Refused):
    """It is stopped already."""

    code = "stop_stands"


class StopLifted(Refused):
    """The stop was lifted by now."""

    code = "stop_lifted"


class LiftNotAsked(Refused):
    """Nobody has asked to lift it, or for another outcome."""

    code = "lift_not_asked"


class LiftByOnePerson(Refused):
    """Who asked does not lift."""

    code = "lift_by_one_person"


@transaction.atomic
def stop_start(
    *,
    kind: str,
    product: DataProduct | None = None,
    organisation: Organisation | None = None,
    user: User,
    acting_for: Organisation,
    reason: str,
    public_reason: str,
    evidence: Sequence[Evidence] = (),
    at: datetime,
) -> EmergencyStop:
    """Stop at once: a ``product``, all products of an operator, or a buyer (``organisation``). One person is enough.

    ``reason`` is for the file, ``public_reason`` (at most 200 characters) for buyers, callers and the public. Buyers with
    entitlements that run, the operator and the authorising bodies are told in the same transaction; a case opens. Raises
    ``StopNotAllowed``, ``StopReasonMissing``, ``StopTargetWrong``, ``StopStands``.
    """
    _check_target(kind, product, organisation)
    require_may_start(kind=kind, product=product, organisation=organisation, user=user, acting_for=acting_for)
    reason, public_reason = _reasons(reason, public_reason)
    try:
        with transaction.atomic():
            stop = EmergencyStop.objects.create(
                kind=kind,
                product=product,
                organisation=organisation,
                reason=reason,
                public_reason=public_reason,
                started_by=user,
                started_for=acting_for,
                started_at=at,
            )
    except IntegrityError:
        raise StopStands(_("It is stopped already.")) from None
    seller = product.operator if product is not None else organisation
    stop.case = cases.open_case(
        kind=CASE,
        obj=stop,
        applicant=seller,
        handler=handler_of(stop),
        limit_days=INVESTIGATION_DAYS,
        at=at,
        actor=user,
        note=reason,
    )
    stop.save(update_fields=["case"])
    if evidence:
        cases.note(case=stop.case, actor=user, at=at, note=str(_("Evidence of the emergency")), evidence=evidence)
    told = stop_news.tell(stop=stop, act="started", at=at)
    facts = {"kind": kind, "target": target_code(stop), "public": public_reason, "told": told}
    audit.record(action="stop.started", obj=stop, actor=user, organisation=acting_for, at=at, reason=reason, facts=facts)
    return stop


@transaction.atomic
def stop_ask_lift(
    *, stop: EmergencyStop, user: User, acting_for: Organisation, outcome: str = Outcome.RECOVERY, reason: str, at: datetime
) -> EmergencyStop:
    """Ask to end the investigation: ``recovery`` lets calls go on, ``termination`` ends what was stopped for good.

    The last one who asks counts. Raises ``StopNotAllowed``, ``StopReasonMissing``, ``StopLifted``.
    """
    require_may_start(kind=stop.kind, product=stop.product, organisation=stop.organisation, user=user, acting_for=acting_for)
    reason = reason.strip()
    if not reason:
        raise StopReasonMissing(_("Say what was found and why the stop may end."), field="reason")
    asked = {"outcome": Outcome(outcome), "lift_asked_by": user, "lift_asked_at": at, "lift_reason": reason}
    if not EmergencyStop.objects.filter(pk=stop.pk, lifted_at=None).update(**asked):
        raise StopLifted(_("The stop has been lifted by now."))
    stop.refresh_from_db()
    _case_note(stop, user, reason, at)
    facts = {"outcome": stop.outcome, "target": target_code(stop)}
    audit.record(action="stop.lift_asked", obj=stop, actor=user, organisation=acting_for, at=at, reason=reason, facts=facts)
    stop_news.tell_deciders(stop=stop, at=at)
    return stop


@transaction.atomic
def stop_lift(
    *, stop: EmergencyStop, user: User, acting_for: Organisation, outcome: str, note: str = "", at: datetime
) -> EmergencyStop:
    """Another person decides as was asked: calls go on, or what was stopped is ended; everybody who was told is told again.

    ``outcome`` must be the one that was asked for, so that nobody decides what changed meanwhile. Raises ``StopNotAllowed``,
    ``LiftNotAsked``, ``LiftByOnePerson``, ``StopLifted``.
    """
    locked = EmergencyStop.objects.select_for_update(of=("self",)).get(pk=stop.pk)
    require_may_lift(stop=locked, user=user, acting_for=acting_for)
    if locked.lifted_at is not None:
        raise StopLifted(_("The stop has been lifted by now."))
    if locked.lift_asked_by_id is None or locked.outcome != outcome:
        raise LiftNotAsked(_("Nobody has asked for this yet. Ask first; another person then decides."))
    if locked.lift_asked_by_id == user.pk:
        raise LiftByOnePerson(_("You asked for it, so another person decides."))
    locked.lifted_by, locked.lifted_at = user, at
    locked.save(update_fields=["lifted_by", "lifted_at"])
    told = stop_news.tell(stop=locked, act="ended" if outcome == Outcome.TERMINATION else "lifted", at=at)
    if outcome == Outcome.TERMINATION:
        _terminate(locked, user, at)
    if locked.case_id is not None:
        cases.close(case=Case.objects.get(pk=locked.case_id), outcome=outcome, actor=user, at=at, note=note.strip())
    facts = {"outcome": outcome, "target": target_code(locked), "told": told}
    audit.record(action="stop.lifted", obj=locked, actor=user, organisation=acting_for, at=at, reason=note.strip(), facts=facts)
    stop.refresh_from_db()
    return locked


def require_may_start(
    *, kind: str, product: DataProduct | None, organisation: Organisation | None, user: User, acting_for: Organisation
) -> None:
    """Raise ``StopNotAllowed`` unless the person may stop this in the organisation's name (``stop_rights.RIGHTS``)."""
    facts = _standing(product, organisation, user, acting_for)
    if facts is None or not stop_rights.may_start(kind=kind, **facts):
        raise StopNotAllowed(_("You may not stop this in an emergency, nor ask to lift it. Ask the platform or the data bureau."))


def require_may_lift(*, stop: EmergencyStop, user: User, acting_for: Organisation) -> None:
    """Raise ``StopNotAllowed`` unless the person may decide that the stop is over (``stop_rights.LIFTS``)."""
    facts = _standing(stop.product, stop.organisation, user, acting_for)
    started_for_kind = stop.started_for.kind
    if facts is None or not stop_rights.may_lift(kind=stop.kind, started_for_kind=started_for_kind, **facts):
        raise StopNotAllowed(_("This stop was started above you: who started it, the data bureau or the platform lifts it."))


def target_code(stop: EmergencyStop) -> str:
    """The product's code, or the organisation's slug."""
    if stop.product is not None:
        return stop.product.code
    assert stop.organisation is not None  # a database constraint
    return stop.organisation.slug


def _standing(
    product: DataProduct | None, organisation: Organisation | None, user: User, acting_for: Organisation
) -> dict | None:
    membership = membership_of(user, acting_for)
    if membership is None or not may_decide(acting_for) or not acting_for.is_verified:
        return None
    owners = {organisation.pk} if organisation is not None else set()
    if product is not None:
        owners = {product.operator_id}
        if product.authorisation is not None:
            owners.add(product.authorisation.authorising_body_id)
    return {"acting_kind": acting_for.kind, "roles": frozenset(membership.roles), "is_own": acting_for.pk in owners}


def _check_target(kind: str, product: DataProduct | None, organisation: Organisation | None) -> None:
    if kind == Kind.PRODUCT:
        is_right = product is not None and organisation is None
        is_right = is_right and product.state in (ProductState.LISTED, ProductState.SUSPENDED)  # type: ignore[union-attr]
    elif kind == Kind.OPERATOR:
        is_right = organisation is not None and product is None and DataProduct.objects.filter(operator=organisation).exists()
    else:
        is_right = kind == Kind.BUYER and organisation is not None and product is None
        is_right = is_right and Entitlement.objects.filter(organisation=organisation).exists()
    if not is_right:
        raise StopTargetWrong(_("There is nothing to stop: choose a product on sale, an operator or a buyer."), field="target")


def _reasons(reason: str, public_reason: str) -> tuple[str, str]:
    reason, public_reason = reason.strip(), public_reason.strip()
    if not reason:
        raise StopReasonMissing(_("Say why, for the file."), field="reason")
    if not public_reason or len(public_reason) > PUBLIC_LENGTH:
        raise StopReasonMissing(
            _("Say in at most %(most)s characters what buyers and the public may read.") % {"most": PUBLIC_LENGTH},
            field="public_reason",
        )
    return reason, public_reason


def _case_note(stop: EmergencyStop, user: User, note: str, at: datetime) -> None:
    if stop.case_id is not None:
        cases.note(case=Case.objects.get(pk=stop.case_id), actor=user, at=at, note=note)


def _terminate(stop: EmergencyStop, user: User, at: datetime) -> None:
    """What was stopped is ended through the services that end it in quiet times too."""
    for entitlement in entitlements_under(stop=stop, at=at).order_by("id"):
        entitlement_end(entitlement=entitlement, actor=user, reason=stop.public_reason, at=at)
    if stop.kind == Kind.BUYER:
        return
    owned = {"pk": stop.product_id} if stop.product_id else {"operator": stop.organisation_id}
    on_sale = DataProduct.objects.filter(state__in=(ProductState.LISTED, ProductState.SUSPENDED), **owned)
    for product in on_sale.select_related("operator", "authorisation").order_by("id"):
        product_delist(product=product, reason=stop.public_reason, by=user, at=at)
