"""What a buyer would come to know together: a purchase that completes a join rule needs a review first (R72, scenario 71).

Held are the entitlements that have not ended. ``join_require`` is asked by ``entitlement_open`` under a lock on the organisation,
and by the checkout before anybody pays; ``join_review_request`` and ``join_review_decide`` are the way through.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from products.catalogue.concepts import Concept, named
from products.catalogue.joins import rules_in_force
from products.catalogue.models import DataProduct, JoinRule
from products.organisations.models import Organisation, OrganisationKind, OrganisationState, Role, User
from products.organisations.selectors import has_role, require_role
from products.record import audit, cases, notices
from products.record.clock import business_date
from products.record.refusals import Refused
from products.record.rule_sets import parameter
from settlement.entitlements.models import Entitlement, JoinReview

CASE_KIND = "join_review"
BUYER_ROLES = (Role.OWNER, Role.BUYER, Role.APPROVER)
DECIDER_ROLES = (Role.REVIEWER, Role.DECIDER)
notices.define(
    "join_review.requested",
    subject=_("Products held together wait for your review"),
    text=_("%(organisation)s asks to hold %(product)s beside what it has: together they meet the rule “%(rule)s”."),
)
notices.define(
    "join_review.allowed",
    subject=_("You may hold %(product)s beside what you have"),
    text=_("Allowed until %(until)s under conditions. You can order it now. Read the conditions on the review's page."),
)
notices.define(
    "join_review.refused",
    subject=_("You may not hold %(product)s beside what you have"),
    text=_("The review was refused. The reason, and how to object, stand on its page."),
)


@dataclass(frozen=True)
class Held:
    """A product that the buyer has, and which of a rule's concepts it tells."""

    product: DataProduct
    concepts: list[Concept]


@dataclass(frozen=True)
class Finding:
    """A rule that a product would complete: what the product adds, what is held already, and a review that is open."""

    rule: JoinRule
    product: DataProduct
    adds: list[Concept]
    held: list[Held]
    review: JoinReview | None = None

    @property
    def pairs(self) -> list[tuple[DataProduct, list[Concept]]]:
        """What is held, as a page shows it."""
        return [(each.product, each.concepts) for each in self.held]


class JoinReviewNeeded(Refused):
    """``findings`` name each rule that the purchase completes."""

    code = "join_review_needed"

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = list(findings)
        first = self.findings[0]
        message = _(
            "With what your organisation has already, %(product)s would meet the rule “%(rule)s”: together the answers point to "
            "a person. Ask for a review first."
        )
        facts = {"product": _local(first.product), "rule": _local(first.rule)}
        super().__init__(message % facts, product=first.product.code, rule=first.rule.pk)


class JoinStatementMissing(Refused):
    code = "join_statement_missing"


class JoinReviewNotNeeded(Refused):
    code = "join_review_not_needed"


class JoinReviewOpen(Refused):
    code = "join_review_open"


class JoinReviewDecided(Refused):
    code = "join_review_decided"


class JoinReviewNotYours(Refused):
    code = "join_review_not_yours"


class AllowanceWithoutTerm(Refused):
    code = "allowance_without_term"


def held_products(*, organisation: Organisation, at: datetime) -> list[DataProduct]:
    """The products that an organisation has a right to, now or later, with what they tell; by code."""
    live = Entitlement.objects.filter(organisation=organisation, valid_to__gt=at).exclude(state=Entitlement.State.ENDED)
    return list(DataProduct.objects.filter(pk__in=live.values("product_id")).exclude(concepts=[]).order_by("code"))


def join_check(
    *, organisation: Organisation, product: DataProduct, at: datetime, beside: Iterable[DataProduct] = ()
) -> list[Finding]:
    """The rules that ``product`` would complete with what is held and with ``beside`` (what is bought with it); [] where none.

    A product that meets a rule all by itself passed its own security review: it completes nothing. An allowance that holds today
    removes its finding.
    """
    if not product.concepts:
        return []
    have = {each.pk: each for each in (*held_products(organisation=organisation, at=at), *beside) if each.pk != product.pk}
    day = business_date(at)
    found = []
    for rule in rules_in_force(on=day):
        wanted, own = set(rule.concepts), set(product.concepts)
        others = {concept for each in have.values() for concept in each.concepts}
        if not wanted & own or wanted <= own or not wanted <= own | others:
            continue
        held = [Held(each, named(wanted & set(each.concepts))) for each in have.values() if wanted & set(each.concepts)]
        found.append(Finding(rule, product, named(wanted & own), held))
    return _not_allowed(found, organisation, day) if found else []


def join_findings(*, organisation: Organisation, products: Iterable[DataProduct], at: datetime) -> list[Finding]:
    """What products, taken in their order, would complete: each with those before it."""
    taken: list[DataProduct] = []
    findings: list[Finding] = []
    for product in products:
        findings += join_check(organisation=organisation, product=product, at=at, beside=taken)
        taken.append(product)
    return findings


def join_require(*, organisation: Organisation, products: Iterable[DataProduct], at: datetime) -> None:
    """Raise JoinReviewNeeded where products, taken in their order, complete a rule that no allowance covers."""
    findings = join_findings(organisation=organisation, products=products, at=at)
    if findings:
        raise JoinReviewNeeded(findings)


@transaction.atomic
def join_review_request(
    *,
    organisation: Organisation,
    product: DataProduct,
    rule: JoinRule,
    statement: str,
    user: User,
    at: datetime,
    beside: Iterable[DataProduct] = (),
) -> JoinReview:
    """Ask the product's authorising body (or the data bureau) whether the organisation may hold them together.

    Raises RoleMissing, JoinStatementMissing, JoinReviewNotNeeded, JoinReviewOpen.
    """
    require_role(user, organisation, *BUYER_ROLES)
    if not statement.strip():
        raise JoinStatementMissing(_("Say why you need them together, and how you keep them apart."), field="statement")
    findings = join_check(organisation=organisation, product=product, at=at, beside=beside)
    finding = next((each for each in findings if each.rule.pk == rule.pk), None)
    if finding is None:
        raise JoinReviewNotNeeded(_("No review is needed: order the product."))
    handler = handler_of(product)
    try:
        with transaction.atomic():
            review = JoinReview.objects.create(
                organisation=organisation,
                rule=rule,
                product=product,
                held=[{"product": each.product.code, "concepts": [c.code for c in each.concepts]} for each in finding.held],
                statement=statement.strip(),
                requested_by=user,
                requested_at=at,
            )
    except IntegrityError as error:
        raise JoinReviewOpen(_("A review of this is open already.")) from error
    days = int(parameter(name="join_review_working_days", on=business_date(at), jurisdiction=handler.region or "CN"))
    review.case = cases.open_case(
        kind=CASE_KIND, obj=review, applicant=organisation, handler=handler, limit_days=days, at=at, actor=user, note=statement
    )
    review.save(update_fields=["case"])
    _tell(review, "join_review.requested", handler, DECIDER_ROLES, f"/console/platform/joins/{review.pk}/", at)
    facts = {"product": product.code, "rule": rule.pk, "held": review.held}
    audit.record(action="join_review.request", obj=review, actor=user, organisation=organisation, at=at, facts=facts)
    return review


@transaction.atomic
def join_review_decide(
    *,
    review: JoinReview,
    is_allowed: bool,
    reason: str,
    user: User,
    at: datetime,
    conditions: str = "",
    valid_to: date | None = None,
) -> JoinReview:
    """Allow until a day under conditions, or refuse with a reason; by a reviewer of the handling body, never by who asked.

    Raises JoinReviewNotYours, JoinReviewDecided, JoinStatementMissing, AllowanceWithoutTerm.
    """
    if not may_decide_join(user=user, review=review):
        raise JoinReviewNotYours(_("A reviewer of the authorising body or of the data bureau decides, and never who asked."))
    if not reason.strip():
        raise JoinStatementMissing(_("Say why, so that the other side can act on it."), field="reason")
    if is_allowed and (valid_to is None or valid_to < business_date(at)):
        raise AllowanceWithoutTerm(_("An allowance ends on a day, today at the earliest."), field="valid_to")
    if is_allowed and not conditions.strip():
        raise JoinStatementMissing(
            _("Say under which conditions, for example who may see the answers together."), field="conditions"
        )
    state = JoinReview.State.ALLOWED if is_allowed else JoinReview.State.REFUSED
    claimed = JoinReview.objects.filter(pk=review.pk, state=JoinReview.State.REQUESTED).update(
        state=state,
        decided_by=user,
        decided_at=at,
        reason=reason.strip(),
        conditions=conditions.strip() if is_allowed else "",
        valid_to=valid_to if is_allowed else None,
    )
    if not claimed:
        raise JoinReviewDecided(_("This review is decided already."))
    review.refresh_from_db()
    if review.case is not None:
        cases.close(case=review.case, outcome=str(state), actor=user, at=at, note=reason)
    url = f"/console/buyer/joins/{review.pk}/"
    _tell(review, f"join_review.{state}", review.organisation, BUYER_ROLES, url, at, until=str(valid_to or ""))
    facts = {"state": str(state), "valid_to": str(valid_to or ""), "conditions": review.conditions}
    organisation = review.case.handler if review.case else None
    audit.record(
        action=f"join_review.{state}", obj=review, actor=user, organisation=organisation, at=at, reason=reason, facts=facts
    )
    return review


def may_decide_join(*, user: User, review: JoinReview) -> bool:
    """A reviewer or decider of the body that handles the case, or of a verified data bureau; never of the buyer itself."""
    if review.requested_by_id == user.pk or has_role(user, review.organisation) or review.case is None:
        return False
    if has_role(user, review.case.handler, *DECIDER_ROLES):
        return True
    held = user.memberships.filter(is_active=True, roles__overlap=list(DECIDER_ROLES))
    return held.filter(organisation__kind=OrganisationKind.DATA_BUREAU, organisation__state=OrganisationState.VERIFIED).exists()


def reviews_of(*, organisation: Organisation) -> QuerySet[JoinReview]:
    """The reviews that an organisation asked for, the newest first."""
    return _reviews().filter(organisation=organisation).order_by("-requested_at", "-id")


def reviews_before(*, office: Organisation) -> QuerySet[JoinReview]:
    """The reviews that a body may decide: its own cases; for a data bureau and the platform, all. The open ones first."""
    found = _reviews()
    if office.kind not in (OrganisationKind.DATA_BUREAU, OrganisationKind.PLATFORM):
        found = found.filter(case__handler=office)
    return found.order_by("-state", "requested_at", "id")


def handler_of(product: DataProduct) -> Organisation:
    """Who decides about risks of a product: its authorising body; the platform where it stands on none."""
    if product.authorisation is not None:
        return product.authorisation.authorising_body
    return Organisation.objects.filter(kind=OrganisationKind.PLATFORM).order_by("id")[0]


def _reviews() -> QuerySet[JoinReview]:
    return JoinReview.objects.select_related(
        "organisation", "rule", "product__operator", "requested_by", "decided_by", "case__handler"
    )


def _not_allowed(findings: list[Finding], organisation: Organisation, day: date) -> list[Finding]:
    """Findings without those that an allowance covers; each with its open review where there is one."""
    reviews = JoinReview.objects.filter(organisation=organisation, product=findings[0].product).order_by("id")
    allowed = {each.rule_id for each in reviews if each.state == JoinReview.State.ALLOWED and each.valid_to >= day}
    asked = {each.rule_id: each for each in reviews if each.state == JoinReview.State.REQUESTED}
    return [
        Finding(each.rule, each.product, each.adds, each.held, asked.get(each.rule.pk))
        for each in findings
        if each.rule.pk not in allowed
    ]


def _tell(review: JoinReview, kind: str, to: Organisation, roles: Sequence[Any], url: str, at: datetime, **more: str) -> None:
    facts = {"organisation": review.organisation.name, "product": review.product.name, "rule": review.rule.name, **more}
    notices.notify(kind=kind, organisation=to, roles=roles, facts=facts, url=url, at=at)


def _local(obj: Any) -> str:
    return (obj.name_en or obj.name) if (get_language() or "").startswith("en") else obj.name
