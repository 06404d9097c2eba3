"""Open, suspend, resume and end an entitlement; issue and revoke its keys. Each writes its audit entry in its own transaction."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from pricing.grants.models import FreeUseGrant
from pricing.tariffs.discounts import discounts_due
from pricing.tariffs.models import Plan
from pricing.tariffs.selectors import tariff_in_force
from products.catalogue.models import DataProduct
from products.organisations.models import Organisation, OrganisationKind, User
from products.record import audit
from products.record.clock import business_date, day_start
from products.record.refusals import Refused
from products.registry.purposes import covers
from settlement.entitlements import keys
from settlement.entitlements.joint import join_require
from settlement.entitlements.models import ApiKey, Entitlement, Quota
from settlement.shares.services import sale_check

KEYS_ALIVE = 2
KEY_LASTS = timedelta(days=365)
_CODE_CHARACTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class PurposeOutsideProduct(Refused):
    """A purpose of the entitlement is not one that the product (or the plan, or the grant) is offered for."""

    code = "purpose_outside_product"


class DiscountNotOpenToAll(Refused):
    """Equal treatment: a discount is the published tariff's, for all who meet its condition, and for nobody else."""

    code = "discount_not_open_to_all"


class ScenarioOutsideProduct(Refused):
    code = "scenario_outside_product"


class EntitlementWithoutTime(Refused):
    """After the end was cut to the authorisation's (or the grant's), nothing is left."""

    code = "entitlement_without_time"


class GrantNotUsable(Refused):
    code = "grant_not_usable"


class EntitlementNotInState(Refused):
    code = "entitlement_not_in_state"


class TooManyKeys(Refused):
    code = "too_many_keys"


class KeyTermTooLong(Refused):
    code = "key_term_too_long"


class KeyNotAllowed(Refused):
    code = "key_not_allowed"


@transaction.atomic
def entitlement_open(
    *,
    organisation: Organisation,
    product: DataProduct,
    plan: Plan | None = None,
    grant: FreeUseGrant | None = None,
    purposes: Sequence[str],
    scenario: str,
    valid_from: datetime,
    valid_to: datetime,
    order_number: str = "",
    accepted_by: User | None = None,
    agreement_digest: str = "",
    discounts: Sequence[str] = (),
    at: datetime,
) -> Entitlement:
    """A right to call a product for purposes, under a plan or a grant (exactly one).

    ``valid_to`` is the first moment after it and is cut to the authorisation's end, and to the grant's; the audit entry then
    says what was asked (``cut_from``). A grant's quota becomes the entitlement's. ``discounts`` are reasons that the plan's
    tariff publishes and that this buyer meets (``pricing.tariffs.discounts.discounts_due``). Raises ``PurposeOutsideProduct``,
    ``ScenarioOutsideProduct``, ``DiscountNotOpenToAll``, ``GrantNotUsable``, ``EntitlementWithoutTime``, ``JoinReviewNeeded``,
    and for a plan ``SaleWithoutAgreement`` where some day's revenue would have no owner.
    """
    _check_purposes(product=product, plan=plan, grant=grant, purposes=purposes)
    _check_scenario(product=product, grant=grant, scenario=scenario)
    starts = business_date(valid_from)
    if discounts:
        _check_discounts(organisation=organisation, plan=plan, scenario=scenario, discounts=discounts, on=starts)
    if grant is not None:
        _check_grant(grant=grant, organisation=organisation, product=product)
    ends = _end_of(product=product, grant=grant, valid_from=valid_from, valid_to=valid_to)
    if product.concepts:  # two purchases at once do not complete a rule that neither completes alone
        Organisation.objects.select_for_update(no_key=True).get(pk=organisation.pk)
        join_require(organisation=organisation, products=[product], at=at)
    if plan is not None:
        last = business_date(ends - timedelta(microseconds=1))
        sale_check(product=product, from_date=starts, to_date=last + timedelta(days=1))
    entitlement = Entitlement.objects.create(
        code=_new_code(at),
        organisation=organisation,
        operator_id=product.operator_id,
        product=product,
        plan=plan,
        grant=grant,
        purposes=list(purposes),
        scenario=scenario,
        valid_from=valid_from,
        valid_to=ends,
        anchor_date=starts,
        discounts=list(discounts),
        is_prepaid=plan.is_prepaid if plan else False,
        rate_per_minute=plan.rate_per_minute if plan else Entitlement._meta.get_field("rate_per_minute").default,
        order_number=order_number,
        agreement_digest=agreement_digest,
        accepted_by=accepted_by,
        created_at=at,
    )
    if grant is not None and grant.quota is not None and grant.from_date is not None:
        Quota.objects.create(entitlement=entitlement, span_start=grant.from_date, limit=grant.quota)
    facts = {"code": entitlement.code, "purposes": list(purposes), "scenario": scenario, "valid_to": ends.isoformat()}
    if ends < valid_to:
        facts["cut_from"] = valid_to.isoformat()
    audit.record(action="entitlement.open", obj=entitlement, actor=accepted_by, organisation=organisation, at=at, facts=facts)
    return entitlement


def _end_of(*, product: DataProduct, grant: FreeUseGrant | None, valid_from: datetime, valid_to: datetime) -> datetime:
    """The end that was asked for, cut to the authorisation's and the grant's. Raises EntitlementWithoutTime."""
    ends = min([valid_to, *_latest_ends(product=product, grant=grant)])
    if ends <= valid_from:
        raise EntitlementWithoutTime(
            _("The authorisation of this product ends before the entitlement would begin."), field="valid_from"
        )
    return ends


def entitlement_suspend(*, entitlement: Entitlement, actor: User | None = None, reason: str, at: datetime) -> Entitlement:
    """Stop calls for a time; the gateway follows within its staleness. Raises ``EntitlementNotInState``."""
    return _move(
        entitlement, (Entitlement.State.ACTIVE, Entitlement.State.OVERDUE), Entitlement.State.SUSPENDED, actor, reason, at
    )


def entitlement_mark_overdue(*, entitlement: Entitlement, reason: str, at: datetime) -> Entitlement:
    """An invoice is past its due date: calls answer 402 until ``entitlement_resume``. Raises ``EntitlementNotInState``."""
    return _move(entitlement, (Entitlement.State.ACTIVE,), Entitlement.State.OVERDUE, None, reason, at)


def entitlement_resume(*, entitlement: Entitlement, actor: User | None = None, reason: str, at: datetime) -> Entitlement:
    """Let calls go on. Raises ``EntitlementNotInState``."""
    return _move(
        entitlement, (Entitlement.State.SUSPENDED, Entitlement.State.OVERDUE), Entitlement.State.ACTIVE, actor, reason, at
    )


def entitlement_end(*, entitlement: Entitlement, actor: User | None = None, reason: str, at: datetime) -> Entitlement:
    """End it for good; its keys stop with it. Raises ``EntitlementNotInState``."""
    states = (Entitlement.State.ACTIVE, Entitlement.State.OVERDUE, Entitlement.State.SUSPENDED)
    return _move(entitlement, states, Entitlement.State.ENDED, actor, reason, at)


@transaction.atomic
def key_issue(
    *,
    entitlement: Entitlement | None = None,
    organisation: Organisation | None = None,
    mode: str,
    name: str = "",
    scopes: Sequence[str] = (),
    networks: Sequence[str] = (),
    user: User | None,
    at: datetime,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """A new key and, this once, its secret. A live key belongs to an entitlement, a sandbox or usage key to an organisation.

    At most two keys of an entitlement (or, for the other modes, of an organisation and mode) are alive at once, so that one can
    be changed for the other; a key lasts at most a year. ``scopes`` (``keys.SCOPES`` of the mode; none: all) and ``networks``
    (CIDR; none: from anywhere) cut what it may do. Raises ``TooManyKeys``, ``KeyTermTooLong``, ``KeyNotAllowed``,
    ``keys.ScopeUnknown``, ``keys.NetworkWrong``.
    """
    limits = {"scopes": keys.read_scopes(mode, scopes), "networks": keys.read_networks(networks)}
    owner = _key_owner(entitlement=entitlement, organisation=organisation, mode=mode)
    ends = expires_at or at + KEY_LASTS
    if not at < ends <= at + KEY_LASTS:
        raise KeyTermTooLong(_("A key lasts at most one year."), field="expires_at")
    Organisation.objects.select_for_update(no_key=True).get(pk=owner.pk)  # two requests at once do not make a third key
    alive = ApiKey.objects.filter(mode=mode, revoked_at=None, expires_at__gt=at)
    alive = alive.filter(entitlement=entitlement) if entitlement else alive.filter(organisation=owner, entitlement=None)
    if alive.count() >= KEYS_ALIVE:
        raise TooManyKeys(_("Two keys are in use already. Revoke one first."), alive=KEYS_ALIVE)
    secret = keys.make(mode)
    key = ApiKey.objects.create(
        organisation=owner,
        entitlement=entitlement,
        mode=mode,
        name=name,
        hint=keys.hint(secret),
        digest=keys.digest(secret),
        created_by=user,
        created_at=at,
        expires_at=ends,
        **limits,
    )
    facts = limits | {
        "hint": key.hint,
        "mode": mode,
        "entitlement": entitlement.code if entitlement else None,
        "expires_at": ends.isoformat(),
    }
    audit.record(action="key.issue", obj=key, actor=user, organisation=owner, at=at, facts=facts)
    return key, secret


@transaction.atomic
def key_revoke(*, key: ApiKey, user: User | None, reason: str = "", at: datetime) -> ApiKey:
    """Stop a key for good, everywhere within the gateway's staleness (two seconds). Revoking it again changes nothing."""
    if ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=at):
        facts = {"hint": key.hint, "mode": key.mode}
        audit.record(action="key.revoke", obj=key, actor=user, organisation=key.organisation, at=at, reason=reason, facts=facts)
    key.refresh_from_db(fields=["revoked_at"])
    return key


def _check_purposes(*, product: DataProduct, plan: Plan | None, grant: FreeUseGrant | None, purposes: Sequence[str]) -> None:
    rights = [list(product.purposes)]
    if plan is not None and plan.purposes:
        rights.append(list(plan.purposes))
    if grant is not None:
        rights.append([grant.purpose])
    for asked in purposes:
        if not all(any(covers(right, asked) for right in each) for each in rights):
            raise PurposeOutsideProduct(
                _("This product is not offered for the purpose %s.") % asked, field="purposes", purpose=asked
            )


def _check_scenario(*, product: DataProduct, grant: FreeUseGrant | None, scenario: str) -> None:
    if scenario not in product.scenarios or (grant is not None and grant.scenario != scenario):
        raise ScenarioOutsideProduct(_("This product is not offered for this scenario."), field="scenario", scenario=scenario)


def _check_discounts(*, organisation: Organisation, plan: Plan | None, scenario: str, discounts: Sequence[str], on: date) -> None:
    tariff = tariff_in_force(plan=plan, on=on) if plan is not None else None
    due: tuple[str, ...] = ()
    if plan is not None and tariff is not None:
        due = discounts_due(product=plan.product, document=tariff.document, organisation=organisation, scenario=scenario, on=on)
    for reason in discounts:
        if reason not in due:
            message = _(
                "The discount “%(reason)s” cannot be given to this buyer: under equal treatment only discounts of the published "
                "tariff are given, to every buyer who meets their condition. Publish it in the plan's tariff first."
            )
            raise DiscountNotOpenToAll(message % {"reason": reason}, field="discounts", reason=reason)


def _check_grant(*, grant: FreeUseGrant, organisation: Organisation, product: DataProduct) -> None:
    if grant.state != FreeUseGrant.State.GRANTED:
        raise GrantNotUsable(_("This free-use claim has not been granted."), field="grant")
    if grant.organisation_id != organisation.pk or grant.product_id != product.pk:
        raise GrantNotUsable(_("This grant is for another organisation or another product."), field="grant")


def _latest_ends(*, product: DataProduct, grant: FreeUseGrant | None) -> list[datetime]:
    """The first moments after the authorisation and after the grant, where there are such."""
    last_days: list[date] = []
    if product.authorisation is not None:
        last_days.append(product.authorisation.to_date)
    if grant is not None and grant.to_date is not None:
        last_days.append(grant.to_date)
    return [day_start(day + timedelta(days=1)) for day in last_days]


def _new_code(at: datetime) -> str:
    return f"E{business_date(at):%y%m}-" + "".join(secrets.choice(_CODE_CHARACTERS) for _ in range(10))


@transaction.atomic
def _move(
    entitlement: Entitlement, states: Sequence[str], state: str, actor: User | None, reason: str, at: datetime
) -> Entitlement:
    changes: dict[str, object] = {"state": state}
    if state == Entitlement.State.ENDED:
        changes["ended_at"] = at
    if not Entitlement.objects.filter(pk=entitlement.pk, state__in=states).update(**changes):
        raise EntitlementNotInState(_("The entitlement is not in a state that allows this."), field="state")
    before = entitlement.state
    entitlement.refresh_from_db(fields=["state", "ended_at"])
    facts = {"code": entitlement.code, "from": before, "to": state}
    audit.record(
        action=f"entitlement.{state}",
        obj=entitlement,
        actor=actor,
        organisation=entitlement.organisation,
        at=at,
        reason=reason,
        facts=facts,
    )
    return entitlement


def _key_owner(*, entitlement: Entitlement | None, organisation: Organisation | None, mode: str) -> Organisation:
    if mode == ApiKey.Mode.LIVE:
        if entitlement is None:
            raise KeyNotAllowed(_("A live key belongs to an entitlement."), field="entitlement")
        if entitlement.state == Entitlement.State.ENDED:
            raise KeyNotAllowed(_("The entitlement has ended."), field="entitlement")
        return entitlement.organisation
    if organisation is None or entitlement is not None:
        raise KeyNotAllowed(_("A sandbox or usage key belongs to an organisation."), field="organisation")
    if mode == ApiKey.Mode.OPERATOR and (organisation.kind != OrganisationKind.OPERATOR or not organisation.is_verified):
        raise KeyNotAllowed(_("Usage keys are for verified operators."), field="organisation")
    return organisation
