"""Caps: draft → approve (another person) → report in writing → publish. Not filed, not published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pricing.bodies import authorisation_of, overseers, region_of
from pricing.documents import parse_caps
from pricing.reading import DocumentRefused, Problem
from pricing.revenue.models import Cap, CapFiling
from pricing.revenue.rules import may_set_caps, purpose_classes
from pricing.rules import CapSet
from pricing.tariffs.clamping import clamp_running_tariffs
from pricing.tariffs.models import Tariff
from products.catalogue.models import DataProduct, Regime
from products.organisations.models import User
from products.organisations.selectors import require_role
from products.record import audit
from products.record.clock import business_date
from products.record.models import Evidence
from products.record.notices import define, notify
from products.record.refusals import Refused
from products.registry.models import Registration

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


class CapLevelTooHigh(Refused):
    """The product is registered at a level whose pricing catalogue is not this body's (domain.md fact 6)."""

    code = "cap_level_too_high"


class CapStepOutOfOrder(Refused):
    code = "cap_step_out_of_order"


class CapNotReported(CapStepOutOfOrder):
    code = "cap_not_reported"


class SamePerson(Refused):
    code = "same_person"


class CapRetroactive(Refused):
    code = "cap_retroactive"


class CapFollows(Refused):
    code = "cap_follows"


@dataclass(frozen=True)
class CapsPublished:
    """What a publication did: the caps now on file and the tariffs that it cut; whoever knows the buyers tells them."""

    filing: CapFiling
    caps: tuple[Cap, ...]
    clamped: tuple[Tariff, ...]


@transaction.atomic
def cap_draft(*, product: DataProduct, document: dict[str, Any], user: User, at: datetime, is_trial: bool = True) -> CapFiling:
    """Write down the caps of a product: a cap document with its number (``document``), ``from`` and purpose classes.

    Raises DocumentRefused, CapNeedsDocument, CapNotAllowed (market or free regime), CapLevelTooHigh, RoleMissing.
    """
    body = authorisation_of(product).authorising_body
    require_role(user, body, *CAP_ROLES)
    terms = parse_caps(document, "caps")
    _check_terms(terms)
    if product.regime in (Regime.MARKET, Regime.FREE):
        raise CapNotAllowed(_("Only products under government-guided prices have caps."), field="product")
    levels = Registration.objects.filter(product=product, state="valid").values_list("level", flat=True)
    if not may_set_caps(levels=levels, region=body.region):
        raise CapLevelTooHigh(_("This product is registered nationally: the central pricing catalogue sets its cap."))
    filing = CapFiling.objects.create(
        product=product,
        authorising_body=body,
        document=document,
        document_no=str(terms.document),
        is_trial=is_trial,
        drafted_by=user,
        drafted_at=at,
    )
    _record("drafted", filing, user, at, {"document": filing.document_no, "from": terms.start, "caps": document["caps"]})
    return filing


def _check_terms(terms: CapSet) -> None:
    if not terms.document or terms.start is None:
        raise CapNeedsDocument(_("A cap needs its document number and the date from which it holds."), field="document")
    if not terms.caps:
        raise CapNeedsDocument(_("Name at least one cap."), field="caps")
    try:
        purpose_classes(terms.purposes)
    except ValueError:
        problem = Problem("caps", "/purposes", "unknown_value", {"value": ", ".join(terms.purposes), "known": "industry, sector"})
        raise DocumentRefused([problem]) from None


@transaction.atomic
def cap_approve(*, filing: CapFiling, user: User, at: datetime) -> CapFiling:
    """Another person of the body approves the draft. Raises SamePerson, CapStepOutOfOrder, RoleMissing."""
    require_role(user, filing.authorising_body, *CAP_ROLES)
    if user.pk == filing.drafted_by_id:
        raise SamePerson(_("You wrote this draft; another person of your body must approve it."))
    _step(filing, State.DRAFT, State.APPROVED, approved_by=user, approved_at=at)
    _record("approved", filing, user, at)
    return filing


@transaction.atomic
def cap_report(*, filing: CapFiling, report_no: str, user: User, at: datetime, evidence: Evidence | None = None) -> CapFiling:
    """File the written report to the price regulator and the data bureau, and tell both. Raises CapStepOutOfOrder."""
    require_role(user, filing.authorising_body, *CAP_ROLES)
    if not report_no.strip():
        raise CapNeedsDocument(_("The written report needs its number."), field="report_no")
    values = {"report_no": report_no.strip(), "report_evidence": evidence, "reported_by": user, "reported_at": at}
    _step(filing, State.APPROVED, State.REPORTED, **values)
    facts = {"product": filing.product.name, "body": filing.authorising_body.name, "report": filing.report_no}
    for kind in ("price_regulator", "data_bureau"):
        for office in overseers(kind=kind, region=region_of(filing.product))[:1]:
            notify(kind="caps.reported", organisation=office, facts=facts, url="/console/regulator/", at=at)
    _record("reported", filing, user, at, {"report_no": filing.report_no, "evidence": evidence and evidence.sha256})
    return filing


@transaction.atomic
def cap_publish(*, filing: CapFiling, user: User, at: datetime) -> CapsPublished:
    """Put the caps into force on their date: rows per purpose class and basis; the old set ends where the new one begins.

    Every running tariff above a new cap gets a successor, cut to it, from that date (scenario 37). Raises CapNotReported
    (scenario 40), CapRetroactive (38), CapFollows, CapLeavesBasisOpen, RoleMissing.
    """
    require_role(user, filing.authorising_body, *CAP_ROLES)
    product = DataProduct.objects.select_for_update(no_key=True).get(pk=filing.product_id)
    filing.refresh_from_db()
    if filing.state != State.REPORTED:
        raise CapNotReported(_("File the written report to the price regulator and the data bureau first."))
    terms = parse_caps(filing.document, "caps")
    start, classes = terms.start, purpose_classes(terms.purposes)
    assert start is not None
    _check_start(product, start, business_date(at))
    _step(filing, State.REPORTED, State.PUBLISHED, published_at=at)
    _end_caps(product, classes, start, at)
    caps = [_cap(filing, product, purpose_class, start, terms) for purpose_class in classes]
    created = tuple(Cap.objects.bulk_create([cap for group in caps for cap in group]))
    clamped = clamp_running_tariffs(product=product, start=start, user=user, reason=filing.document_no, at=at)
    facts = {
        "product": product.name,
        "body": filing.authorising_body.name,
        "document": filing.document_no,
        "start": start.isoformat(),
        "count": len(clamped),
    }
    roles = ("pricing", "owner")
    notify(kind="caps.published", organisation=product.operator, roles=roles, facts=facts, url="/console/operator/", at=at)
    _record("published", filing, user, at, {"from": start, "clamped": [tariff.pk for tariff in clamped]})
    return CapsPublished(filing, created, clamped)


@transaction.atomic
def cap_withdraw(*, filing: CapFiling, reason: str, user: User, at: datetime) -> CapFiling:
    """Drop a filing that is not published. Raises CapStepOutOfOrder, RoleMissing."""
    require_role(user, filing.authorising_body, *CAP_ROLES)
    if filing.state == State.PUBLISHED:
        raise CapStepOutOfOrder(_("Published caps are not withdrawn; publish new ones."))
    _step(filing, filing.state, State.WITHDRAWN)
    _record("withdrawn", filing, user, at, reason=reason)
    return filing


def _cap(filing: CapFiling, product: DataProduct, purpose_class: str, start: date, terms: CapSet) -> Sequence[Cap]:
    return [
        Cap(
            filing=filing,
            product=product,
            purpose_class=purpose_class,
            basis=cap.basis,
            flat_period=cap.period or "",
            amount=Decimal(cap.cap_micro).scaleb(-6),
            period=DateRange(start, None),
        )
        for cap in terms.caps
    ]


def _check_start(product: DataProduct, start: date, today: date) -> None:
    """Today is early enough where nothing holds yet; what follows something begins tomorrow at the earliest."""
    if start < today:
        raise CapRetroactive(_("A cap cannot begin before it is published. Draft it anew with a later date."), field="from")
    follows = Cap.objects.filter(product=product).exists() or Tariff.objects.filter(plan__product=product).exists()
    if start == today and follows:
        raise CapRetroactive(_("Today's calls have today's cap: a new version begins tomorrow at the earliest."), field="from")


def _end_caps(product: DataProduct, classes: Sequence[str], start: date, at: datetime) -> None:
    """The caps of these classes end at ``start``; a version that begins then or later stands in the way."""
    rows = Cap.objects.filter(product=product, purpose_class__in=classes)
    latest = rows.filter(period__startswith__gte=start).order_by("-period__startswith").first()
    if latest is not None:
        message = _("Caps from %(start)s are already published; a new version must begin after that.")
        raise CapFollows(message % {"start": latest.period.lower.isoformat()}, field="from")
    for cap in rows.filter(period__upper_inf=True):
        cap.period, cap.end_set_at = DateRange(cap.period.lower, start), at
        cap.save(update_fields=["period", "end_set_at"])


def _step(filing: CapFiling, old: str, new: str, **values: Any) -> None:
    """Claim the step: it goes on only if the filing is still where the caller saw it."""
    if not CapFiling.objects.filter(pk=filing.pk, state=old).update(state=new, **values):
        raise CapStepOutOfOrder(_("This filing is at another step by now; look at it again."))
    filing.refresh_from_db()


def _record(act: str, filing: CapFiling, user: User, at: datetime, facts: dict[str, Any] | None = None, reason: str = "") -> None:
    audit.record(
        action=f"caps.{act}", obj=filing, actor=user, organisation=filing.authorising_body, at=at, reason=reason, facts=facts
    )
