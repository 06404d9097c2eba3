"""Caps: draft → approve (another person) → report in writing → publish. Not filed, not published.

A set for many products at once is a basket: ``baskets.py``. Who may set a cap: ``authority.py``; whether it is too high:
``cap_tests.py``; how it comes into force: ``publication.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pricing.bodies import authorisation_of, overseers, region_of
from pricing.documents import parse_caps
from pricing.necessity import require_necessity
from pricing.reading import DocumentRefused, Problem
from pricing.revenue import cap_tests
from pricing.revenue.authority import CapLevelTooHigh as CapLevelTooHigh
from pricing.revenue.authority import require_authority
from pricing.revenue.cap_reports import filing_facts, issue_report
from pricing.revenue.models import CapFiling, PermittedRevenue
from pricing.revenue.publication import CapFollows as CapFollows
from pricing.revenue.publication import CapRetroactive as CapRetroactive
from pricing.revenue.publication import CapsPublished, check_start, put_into_force
from pricing.revenue.rules import purpose_classes
from pricing.revenue.standing import permitted_revenue_on
from pricing.rules import CapSet
from products.catalogue.models import DataProduct, Regime
from products.organisations.models import Organisation, User
from products.organisations.selectors import require_role
from products.record import audit
from products.record.clock import business_date
from products.record.models import Evidence
from products.record.notices import define, notify
from products.record.refusals import Refused

CAP_ROLES = ("pricing", "decider", "approver")
State: Any = CapFiling.State

define(
    "caps.reported",
    subject=gettext_lazy("Caps reported: %(product)s"),
    text=gettext_lazy("%(body)s reported the caps of %(product)s in writing (%(report)s)."),
)
define(
    "caps.published",
    subject=gettext_lazy("New caps for %(product)s from %(start)s"),
    text=gettext_lazy("%(body)s published %(document)s: from %(start)s new caps hold for %(product)s. %(count)s prices are cut."),
)


class CapNeedsDocument(Refused):
    code = "cap_needs_document"


class CapNotAllowed(Refused):
    code = "cap_not_allowed"


class CapTrialOver(Refused):
    """A permitted revenue is determined for that day: only formal caps, tested against it."""

    code = "cap_trial_over"


class CapOnlyOnTrial(Refused):
    """No permitted revenue is determined for that day: only caps on trial."""

    code = "cap_only_on_trial"


class CapInBasket(Refused):
    code = "cap_in_basket"


class CapStepOutOfOrder(Refused):
    code = "cap_step_out_of_order"


class CapNotReported(CapStepOutOfOrder):
    code = "cap_not_reported"


class SamePerson(Refused):
    code = "same_person"


@dataclass(frozen=True)
class Standing:
    """What a filing is held against: the permitted revenue of its first day (None: on trial) and the test's outcome."""

    permitted: PermittedRevenue | None
    tested: cap_tests.Tested | None


@transaction.atomic
def cap_draft(
    *,
    product: DataProduct,
    document: dict[str, Any],
    user: User,
    at: datetime,
    is_trial: bool | None = None,
    volumes: Sequence[dict[str, Any]] = (),
) -> CapFiling:
    """Write down the caps of a product: a cap document with its number (``document``), ``from`` and purpose classes.

    ``volumes``: [{"basis", "period", "expected", "capacity"}], charged units of a year as decimal text; needed for formal caps.
    ``is_trial`` None: as the case is. Raises DocumentRefused, CapNeedsDocument, CapNotAllowed (market or free regime),
    NecessityMissing, CapLevelTooHigh, CapTrialOver, CapOnlyOnTrial, VolumeMissing, CapsAbovePermittedRevenue, RoleMissing.
    """
    body = require_authority(product=product, user=user, on=business_date(at), roles=CAP_ROLES)
    terms = parse_caps(document, "caps")
    check_terms(terms)
    require_chargeable(product)
    assert terms.start is not None
    permitted = permitted_revenue_on(authorisation=authorisation_of(product), on=terms.start)
    check_trial(permitted, is_trial)
    parsed = cap_tests.read_volumes(list(volumes), terms)
    if permitted is not None:
        cap_tests.require_volumes(terms, parsed)
    filing = CapFiling.objects.create(
        product=product,
        authorising_body=body,
        document=document,
        document_no=str(terms.document),
        is_trial=permitted is None,
        permitted_revenue=permitted,
        volumes=list(volumes),
        drafted_by=user,
        drafted_at=at,
    )
    if permitted is not None:
        cap_tests.require_within(cap_tests.try_filings(permitted=permitted, filings=[filing]))
    facts = {"document": filing.document_no, "from": terms.start, "caps": document["caps"], "volumes": filing.volumes}
    _record("drafted", filing, user, at, facts)
    return filing


def check_terms(terms: CapSet) -> None:
    """Raise CapNeedsDocument or DocumentRefused where a cap document is no basis for a filing."""
    if not terms.document or terms.start is None:
        raise CapNeedsDocument(_("A cap needs its document number and the date from which it holds."), field="document")
    if not terms.caps:
        raise CapNeedsDocument(_("Name at least one cap."), field="caps")
    try:
        purpose_classes(terms.purposes)
    except ValueError:
        problem = Problem("caps", "/purposes", "unknown_value", {"value": ", ".join(terms.purposes), "known": "industry, sector"})
        raise DocumentRefused([problem]) from None


def require_chargeable(product: DataProduct) -> None:
    """Raise CapNotAllowed or NecessityMissing where nothing may be charged under a guided price."""
    if product.regime in (Regime.MARKET, Regime.FREE):
        raise CapNotAllowed(_("Only products under government-guided prices have caps."), field="product")
    require_necessity(product)


def check_trial(permitted: PermittedRevenue | None, is_trial: bool | None) -> None:
    """Raise where what the author says about the trial is not so."""
    if is_trial and permitted is not None:
        message = _("A permitted revenue is determined for that day: file formal caps with their expected volumes.")
        raise CapTrialOver(message, field="is_trial")
    if is_trial is False and permitted is None:
        message = _("No permitted revenue is determined for that day, so these caps can only be on trial.")
        raise CapOnlyOnTrial(message, field="is_trial")


@transaction.atomic
def cap_approve(*, filing: CapFiling, user: User, at: datetime) -> CapFiling:
    """Another person of the body approves the draft; the reasonableness test (F2) is made anew and kept with the filing.

    Raises SamePerson, CapInBasket, CapLevelTooHigh, CapTrialOver, CapsAbovePermittedRevenue, CapStepOutOfOrder, RoleMissing.
    """
    _require_single(filing, user)
    if user.pk == filing.drafted_by_id:
        raise SamePerson(_("You wrote this draft; another person of your body must approve it."))
    standing = stand(filing, user, at)
    test = standing.tested.facts(at=at) if standing.tested else {}
    _step(filing, State.DRAFT, State.APPROVED, approved_by=user, approved_at=at, test=test)
    _record("approved", filing, user, at, {name: test[name] for name in ("net", "permitted", "gap") if name in test})
    return filing


def stand(filing: CapFiling, user: User, at: datetime) -> Standing:
    """Hold a filing against authority and permitted revenue as they are now; one lock per operation keeps two filings apart."""
    authorisation = authorisation_of(filing.product)
    type(authorisation).objects.select_for_update(no_key=True).get(pk=authorisation.pk)
    require_authority(product=filing.product, user=user, on=business_date(at), roles=CAP_ROLES)
    start = date.fromisoformat(filing.document["from"])
    permitted = permitted_revenue_on(authorisation=authorisation, on=start)
    check_trial(permitted, filing.is_trial)
    if permitted is None:
        return Standing(None, None)
    return Standing(permitted, cap_tests.require_within(cap_tests.try_filings(permitted=permitted, filings=[filing])))


@transaction.atomic
def cap_report(
    *, filing: CapFiling, user: User, at: datetime, report_no: str = "", evidence: Evidence | None = None
) -> CapFiling:
    """File the written report to the price regulator and the data bureau, and tell both.

    Without ``report_no`` (the number of a letter that the body sent itself) the report is written, numbered and kept here as PDF.
    Raises CapStepOutOfOrder, CapInBasket, RoleMissing.
    """
    _require_single(filing, user)
    filing.refresh_from_db()
    if filing.state != State.APPROVED:
        raise CapStepOutOfOrder(_("This filing is at another step by now; look at it again."))
    readers, document = offices(region_of(filing.product)), None
    if not report_no.strip():
        facts = filing_facts(filing, filing.test)
        document = issue_report(about=filing, body=filing.authorising_body, facts=facts, user=user, at=at, readers=readers)
    values: dict[str, Any] = {
        "report_no": report_no.strip() or (document.number if document else ""),
        "report_document": document,
    }
    values |= {"report_evidence": evidence, "reported_by": user, "reported_at": at}
    _step(filing, State.APPROVED, State.REPORTED, **values)
    facts = {"product": filing.product.name, "body": filing.authorising_body.name, "report": filing.report_no}
    for office in readers:
        notify(kind="caps.reported", organisation=office, facts=facts, url=f"/console/regulator/caps/{filing.pk}/", at=at)
    _record("reported", filing, user, at, {"report_no": filing.report_no, "evidence": evidence and evidence.sha256})
    return filing


def offices(region: str) -> list[Organisation]:
    """Who gets the written report: the nearest price regulator and the nearest data bureau of a region."""
    return [office for kind in ("price_regulator", "data_bureau") for office in overseers(kind=kind, region=region)[:1]]


@transaction.atomic
def cap_publish(*, filing: CapFiling, user: User, at: datetime) -> CapsPublished:
    """Put the caps into force on their date: rows per purpose class and basis; the old set ends where the new one begins.

    Every running tariff above a new cap gets a successor, cut to it, from that date (scenario 37). Formal caps end the product's
    trial. Raises CapNotReported (scenario 40), CapRetroactive (38), CapFollows, CapLeavesBasisOpen, CapsAbovePermittedRevenue,
    CapLevelTooHigh (42), CapInBasket, RoleMissing.
    """
    _require_single(filing, user)
    product = DataProduct.objects.select_for_update(no_key=True).get(pk=filing.product_id)
    filing.refresh_from_db()
    if filing.state != State.REPORTED:
        raise CapNotReported(_("File the written report to the price regulator and the data bureau first."))
    start = date.fromisoformat(filing.document["from"])
    check_start(product, start, business_date(at))
    stand(filing, user, at)
    _step(filing, State.REPORTED, State.PUBLISHED, published_at=at)
    done = put_into_force(filing=filing, product=product, user=user, at=at)
    facts = {
        "product": product.name,
        "body": filing.authorising_body.name,
        "document": filing.document_no,
        "start": start.isoformat(),
        "count": len(done.clamped),
    }
    roles = ("pricing", "owner")
    notify(kind="caps.published", organisation=product.operator, roles=roles, facts=facts, url="/console/operator/", at=at)
    _record("published", filing, user, at, {"from": start, "clamped": [tariff.pk for tariff in done.clamped]})
    return done


@transaction.atomic
def cap_withdraw(*, filing: CapFiling, reason: str, user: User, at: datetime) -> CapFiling:
    """Drop a filing that is not published. Raises CapStepOutOfOrder, CapInBasket, RoleMissing."""
    _require_single(filing, user)
    if filing.state == State.PUBLISHED:
        raise CapStepOutOfOrder(_("Published caps are not withdrawn; publish new ones."))
    _step(filing, filing.state, State.WITHDRAWN)
    _record("withdrawn", filing, user, at, reason=reason)
    return filing


def _require_single(filing: CapFiling, user: User) -> None:
    """The person acts for the filing's body, and the filing is not part of a set that moves as a whole."""
    require_role(user, filing.authorising_body, *CAP_ROLES)
    if filing.basket_id is not None:
        raise CapInBasket(_("This filing belongs to a set of caps: take the step for the whole set."))


def _step(filing: CapFiling, old: str, new: str, **values: Any) -> None:
    """Claim the step: it goes on only if the filing is still where the caller saw it."""
    if not CapFiling.objects.filter(pk=filing.pk, state=old).update(state=new, **values):
        raise CapStepOutOfOrder(_("This filing is at another step by now; look at it again."))
    filing.refresh_from_db()


def _record(act: str, filing: CapFiling, user: User, at: datetime, facts: dict[str, Any] | None = None, reason: str = "") -> None:
    audit.record(
        action=f"caps.{act}", obj=filing, actor=user, organisation=filing.authorising_body, at=at, reason=reason, facts=facts
    )
