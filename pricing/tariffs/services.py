"""Plans and their tariffs: open a plan, file a tariff, note it, return it, withdraw it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pricing import parameters
from pricing.bodies import region_of, regulator_of
from pricing.documents import parse_tariff
from pricing.necessity import require_necessity
from pricing.tariffs import versions
from pricing.tariffs.clauses import Clause, forbidden_clauses
from pricing.tariffs.models import Bundle, Plan, Tariff
from pricing.tariffs.price_list import BASIS_WORDS
from pricing.tariffs.sanity import FallExample, fall_of
from pricing.tariffs.selectors import CounterExample, charged_classes, preview, tariffs_from
from products.catalogue.models import DataProduct, Regime
from products.organisations.models import Organisation, User
from products.organisations.selectors import require_role
from products.record import audit, cases
from products.record.clock import business_date
from products.record.notices import define, notify
from products.record.refusals import Refused
from products.registry.purposes import covers

TARIFF_ROLES = ("pricing",)
REGULATOR_ROLES = ("pricing", "reviewer", "decider")
CASE = "tariff"
State: Any = Tariff.State

define(
    "tariff.filed",
    subject=gettext_lazy("Tariff filed: %(product)s"),
    text=gettext_lazy("%(operator)s filed a tariff for %(product)s, plan %(plan)s, in force from %(start)s."),
)
define(
    "tariff.noted",
    subject=gettext_lazy("Tariff noted: %(product)s"),
    text=gettext_lazy("The price regulator noted the tariff of %(product)s, plan %(plan)s, in force from %(start)s."),
)
define(
    "tariff.returned",
    subject=gettext_lazy("Tariff returned: %(product)s"),
    text=gettext_lazy("The price regulator returned the tariff of %(product)s, plan %(plan)s: %(reason)s"),
)


class PlanRefused(Refused):
    code = "plan_refused"


class PriceAboveCap(Refused):
    """The tariff breaks a cap; ``counter_examples`` have the smallest quantities at which it does."""

    code = "price_above_cap"

    def __init__(self, found: Sequence[CounterExample]) -> None:
        self.counter_examples = tuple(found)
        first = found[0]
        message = _("At a quantity of %(quantity)s (%(basis)s) the price is %(price)s, above the cap of %(cap)s.")
        named = {"quantity": first.quantity, "basis": first.basis, "price": first.price, "cap": first.cap or _("none")}
        super().__init__(message % named, field="document", **named)


class TariffFalls(Refused):
    """More use would cost less in total; ``example`` has the smallest quantities at which it does."""

    code = "tariff_falls"

    def __init__(self, example: FallExample) -> None:
        self.example = example
        message = _(
            "From a quantity of %(quantity)s to %(next)s (%(basis)s) the total falls from %(total)s to %(next_total)s yuan. "
            "Change the price, or say below that you know."
        )
        facts = {name: getattr(example, name) for name in ("quantity", "next", "basis", "total", "next_total")}
        super().__init__(message % (facts | {"basis": BASIS_WORDS[example.basis]}), field="may_fall", **facts)


class ClauseForbidden(Refused):
    """The words of a plan hold a clause that may not stand there; ``clauses`` has each with the words that were found."""

    code = "plan_clause_forbidden"

    def __init__(self, clauses: Sequence[Clause], field: str = "terms") -> None:
        self.clauses = tuple(clauses)
        each = [_("“%(words)s” reads as %(what)s. %(instead)s") % words_of(clause) for clause in clauses]
        super().__init__(" ".join(each), field=field, kinds=[clause.kind for clause in clauses])


def words_of(clause: Clause) -> dict[str, str]:
    return {"words": clause.words, "what": str(clause.what), "instead": str(clause.instead)}


class NoCapInForce(Refused):
    code = "no_cap_in_force"


class TariffRetroactive(Refused):
    code = "tariff_retroactive"


class TariffRiseTooEarly(Refused):
    code = "tariff_rise_too_early"


class TariffFollows(Refused):
    code = "tariff_follows"


class TariffReasonMissing(Refused):
    code = "tariff_reason_missing"


class TariffNotOpen(Refused):
    code = "tariff_not_open"


class ReturnTooLate(Refused):
    code = "tariff_return_too_late"


@transaction.atomic
def plan_open(
    *,
    product: DataProduct,
    code: str,
    name: str,
    purposes: Sequence[str],
    user: User,
    at: datetime,
    name_en: str = "",
    description: str = "",
    description_en: str = "",
    is_prepaid: bool = False,
    term_months: int = 12,
    rate_per_minute: int = 600,
    terms: str = "",
    bundle: Bundle | None = None,
) -> Plan:
    """Open a way to buy a product for charged purposes, or (``bundle``) a part of a bundle.

    ``terms`` is what the agreement says beside the price. Raises PlanRefused, ClauseForbidden, RoleMissing.
    """
    require_role(user, product.operator, *TARIFF_ROLES)
    if not purposes or any(purpose.split(".", 1)[0] not in charged_classes(purposes) for purpose in purposes):
        raise PlanRefused(_("A plan serves industrial or sector purposes; free purposes go by a grant."), field="purposes")
    for purpose in purposes:
        if not any(covers(own, purpose) for own in product.purposes):
            raise PlanRefused(_("The product does not serve the purpose %(code)s.") % {"code": purpose}, field="purposes")
    require_necessity(product)
    if Plan.objects.filter(product=product, code=code).exists():
        raise PlanRefused(_("This product has a plan with this code already."), field="code")
    _check_words(name, name_en, description, description_en, terms)
    plan = Plan.objects.create(
        product=product,
        code=code,
        name=name,
        name_en=name_en,
        description=description,
        description_en=description_en,
        purposes=list(purposes),
        is_prepaid=is_prepaid,
        term_months=term_months,
        rate_per_minute=rate_per_minute,
        terms=terms.strip(),
        bundle=bundle,
        created_at=at,
    )
    facts = {"product": product.code, "code": code, "purposes": list(purposes), "terms": plan.terms}
    audit.record(action="plan.opened", obj=plan, actor=user, organisation=product.operator, at=at, facts=facts)
    return plan


@transaction.atomic
def tariff_file(
    *,
    plan: Plan,
    document: dict[str, Any],
    from_date: date,
    user: User,
    reason: str,
    at: datetime,
    may_fall: bool = False,
) -> Tariff:
    """File a plan's price. It is in force from ``from_date`` unless the regulator returns it in time.

    The first tariff of a plan may begin today, a cut tomorrow, a rise on the first day of a month after the notice period.
    ``may_fall``: the author knows that more use costs less in total somewhere; kept only where it does.
    Raises DocumentRefused, PriceAboveCap, NoCapInForce, TariffFalls, ClauseForbidden, TariffRetroactive,
    TariffRiseTooEarly, TariffFollows, TariffReasonMissing, NoRegulator, RoleMissing.
    """
    product = DataProduct.objects.select_for_update(no_key=True).get(pk=plan.product_id)
    require_role(user, product.operator, *TARIFF_ROLES)
    if not reason.strip():
        raise TariffReasonMissing(_("Say why this price: the regulator reads it."), field="reason")
    terms = parse_tariff(document)
    require_necessity(product)
    today = business_date(at)
    if from_date < today:
        raise TariffRetroactive(_("A tariff cannot begin before it is filed."), field="from_date")
    is_guided = product.regime != Regime.MARKET
    if is_guided:
        _check_prices(plan, document, from_date)
    fall = fall_of(terms)
    if fall is not None and not may_fall:
        raise TariffFalls(fall)
    _check_words(plan.name, plan.name_en, plan.description, plan.description_en, plan.terms)
    _check_words(*(c.label for c in terms.components), *(d.reason for d in terms.discounts), field="document")
    _check_date(plan, document, from_date, today)
    _make_room(plan, from_date, user, at)
    state = State.FILED if is_guided else State.ACCEPTED
    tariff = versions.write(
        plan=plan,
        document=document,
        from_date=from_date,
        to_date=None,
        state=state,
        user=user,
        reason=reason,
        at=at,
        may_fall=fall is not None,
    )
    if is_guided:
        _open_case(tariff, product, user, at)
    _record("filed", tariff, user, at, reason, {"from": from_date, "digest": tariff.digest, "may_fall": tariff.may_fall})
    return tariff


def _check_words(*texts: str, field: str = "terms") -> None:
    found = forbidden_clauses(*texts)
    if found:
        raise ClauseForbidden(found, field)


def _check_prices(plan: Plan, document: dict[str, Any], from_date: date) -> None:
    found = preview(plan=plan, document=document, from_date=from_date)
    if found.missing_classes:
        message = _("No cap is in force on %(date)s for %(classes)s: the authorising body must publish it first.")
        values = {"date": from_date.isoformat(), "classes": ", ".join(found.missing_classes)}
        raise NoCapInForce(message % values, field="from_date")
    if found.counter_examples:
        raise PriceAboveCap(found.counter_examples)


def _check_date(plan: Plan, document: dict[str, Any], from_date: date, today: date) -> None:
    running = tariffs_from(plan=plan, from_date=from_date)
    begun = [tariff for tariff in running if tariff.period.lower <= from_date]
    if not begun:
        return
    if from_date == today:
        raise TariffRetroactive(
            _("Today's calls have today's price: a new one begins tomorrow at the earliest."), field="from_date"
        )
    found = preview(plan=plan, document=document, from_date=from_date)
    if not found.rises:
        return
    notice = parameters.days(name="tariff_rise_notice_days", on=today, region=region_of(plan.product))
    if from_date < today + timedelta(days=notice) or from_date.day != 1:
        message = _(
            "%(parts)s costs more than before: a rise begins on the first day of a month, %(days)s days after filing or later."
        )
        values = {"parts": ", ".join(found.rises), "days": notice}
        raise TariffRiseTooEarly(message % values, field="from_date")


def _make_room(plan: Plan, from_date: date, user: User, at: datetime) -> None:
    """The version in force ends where the new one begins. A version that the operator filed for later stands in the way."""
    for tariff in tariffs_from(plan=plan, from_date=from_date):
        if tariff.period.lower < from_date:
            versions.end(tariff, from_date, at)
        elif tariff.continues_id or tariff.clamped_from_id:
            _take_back(tariff, State.WITHDRAWN, user, "", at)
        else:
            message = _("A tariff from %(start)s is filed already; withdraw it first.")
            raise TariffFollows(message % {"start": tariff.period.lower.isoformat()}, field="from_date")


def _open_case(tariff: Tariff, product: DataProduct, user: User, at: datetime) -> None:
    office = regulator_of(product)
    limit = parameters.days(name="tariff_return_working_days", on=business_date(at), region=region_of(product))
    tariff.case = cases.open_case(
        kind=CASE, obj=tariff, applicant=product.operator, handler=office, limit_days=limit, at=at, actor=user
    )
    tariff.save(update_fields=["case"])
    notify(kind="tariff.filed", organisation=office, facts=_facts(tariff), url=f"/console/regulator/tariffs/{tariff.pk}/", at=at)


@transaction.atomic
def tariff_note(*, tariff: Tariff, user: User, at: datetime, reason: str = "") -> Tariff:
    """The regulator has seen the tariff and lets it stand. Raises TariffNotOpen, RoleMissing."""
    case = _case(tariff, user)
    _claim(tariff, State.FILED, state=State.ACCEPTED, decided_by=user, decided_at=at, decision_reason=reason)
    cases.close(case=case, outcome="noted", actor=user, at=at, note=reason)
    _tell_operator("tariff.noted", tariff, at)
    _record("noted", tariff, user, at, reason)
    return tariff


@transaction.atomic
def tariff_return(*, tariff: Tariff, user: User, reason: str, at: datetime) -> Tariff:
    """The regulator sends the tariff back, within the days of its case. What it would have followed goes on.

    A tariff that has begun already stops before tomorrow; one that has not never was in force. Where the days cannot be
    counted (a year whose holidays are not loaded) the return is accepted. Raises ReturnTooLate, TariffReasonMissing.
    """
    case = _case(tariff, user)
    if not reason.strip():
        raise TariffReasonMissing(_("A return needs its reason."), field="reason")
    left = cases.days_left(case=case, today=business_date(at))
    if left.is_late:
        raise ReturnTooLate(_("The days for returning this tariff have passed; it stands."))
    _lock(tariff)
    decided = {"decided_by": user, "decided_at": at, "decision_reason": reason}
    if tariff.period.lower > business_date(at):
        _claim(tariff, State.FILED, state=State.RETURNED, **decided)
    else:
        _claim(tariff, State.FILED, state=State.STOPPED, **decided)
        versions.end(tariff, business_date(at) + timedelta(days=1), at)
    versions.go_on(tariff, user=user, at=at)
    cases.close(case=case, outcome="returned", actor=user, at=at, note=reason)
    _tell_operator("tariff.returned", tariff, at)
    _record("returned", tariff, user, at, reason)
    return tariff


@transaction.atomic
def tariff_withdraw(*, tariff: Tariff, user: User, reason: str, at: datetime) -> Tariff:
    """The operator takes back a tariff that has not begun. What it would have followed goes on. Raises TariffNotOpen."""
    require_role(user, tariff.plan.product.operator, *TARIFF_ROLES)
    _lock(tariff)
    if tariff.period.lower <= business_date(at) or tariff.state not in (State.FILED, State.ACCEPTED):
        raise TariffNotOpen(_("Only a tariff that has not begun can be withdrawn."))
    _take_back(tariff, State.WITHDRAWN, user, reason, at)
    versions.go_on(tariff, user=user, at=at)
    return tariff


def _take_back(tariff: Tariff, state: str, user: User, reason: str, at: datetime) -> None:
    """Free the dates of a version that has not begun; its case, where one is open, is closed."""
    _claim(tariff, tariff.state, state=state, decision_reason=reason)
    if tariff.case is not None and tariff.case.state != "closed":
        cases.close(case=tariff.case, outcome=state, actor=user, at=at, note=reason)
    _record(state, tariff, user, at, reason)


def _lock(tariff: Tariff) -> None:
    DataProduct.objects.select_for_update(no_key=True).get(pk=tariff.plan.product_id)
    tariff.refresh_from_db()


def _case(tariff: Tariff, user: User) -> cases.Case:
    """The open case of a filed tariff, whose office the person must belong to."""
    if tariff.case is None or tariff.state != State.FILED:
        raise TariffNotOpen(_("This tariff is not before the price regulator."))
    require_role(user, tariff.case.handler, *REGULATOR_ROLES)
    return tariff.case


def _claim(tariff: Tariff, old: str, **values: Any) -> None:
    if not Tariff.objects.filter(pk=tariff.pk, state=old).update(**values):
        raise TariffNotOpen(_("This tariff has been dealt with by now; look at it again."))
    tariff.refresh_from_db()


def _facts(tariff: Tariff) -> dict[str, Any]:
    product = tariff.plan.product
    return {
        "product": product.name,
        "operator": product.operator.name,
        "plan": tariff.plan.name,
        "start": tariff.period.lower.isoformat(),
        "reason": tariff.decision_reason,
    }


def _tell_operator(kind: str, tariff: Tariff, at: datetime) -> None:
    operator: Organisation = tariff.plan.product.operator
    url = f"/console/operator/tariffs/{tariff.pk}/"
    notify(kind=kind, organisation=operator, roles=("pricing", "owner"), facts=_facts(tariff), url=url, at=at)


def _record(act: str, tariff: Tariff, user: User, at: datetime, reason: str = "", facts: dict[str, Any] | None = None) -> None:
    operator = tariff.plan.product.operator
    audit.record(action=f"tariff.{act}", obj=tariff, actor=user, organisation=operator, at=at, reason=reason, facts=facts)
