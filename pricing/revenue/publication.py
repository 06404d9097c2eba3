"""Caps come into force: rows per purpose class and basis, the old set ended, running tariffs cut, a trial left behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils.translation import gettext as _

from pricing.documents import parse_caps
from pricing.revenue.models import Cap, CapFiling
from pricing.revenue.rules import purpose_classes
from pricing.rules import CapSet
from pricing.tariffs.clamping import clamp_running_tariffs
from pricing.tariffs.models import Tariff
from products.catalogue.models import DataProduct, Regime
from products.organisations.models import User
from products.record import audit, cases
from products.record.models import Case, CaseState
from products.record.objects import reference
from products.record.refusals import Refused
from products.registry.models import Authorisation

FORMAL_CASE = "trial_to_formal"


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


def put_into_force(*, filing: CapFiling, product: DataProduct, user: User, at: datetime) -> CapsPublished:
    """Write the caps of a filing that has just become ``published``; needs the product's lock.

    Raises CapRetroactive (scenario 38), CapFollows, CapLeavesBasisOpen.
    """
    terms = parse_caps(filing.document, "caps")
    start, classes = terms.start, purpose_classes(terms.purposes)
    assert start is not None
    _end_caps(product, classes, start, at)
    created = Cap.objects.bulk_create(
        [cap for purpose_class in classes for cap in _caps(filing, product, purpose_class, start, terms)]
    )
    clamped = clamp_running_tariffs(product=product, start=start, user=user, reason=filing.document_no, at=at)
    if not filing.is_trial:
        _leave_trial(product, filing, user, at)
    return CapsPublished(filing, tuple(created), clamped)


def check_start(product: DataProduct, start: date, today: date) -> None:
    """Today is early enough where nothing holds yet; what follows something begins tomorrow at the earliest."""
    if start < today:
        raise CapRetroactive(_("A cap cannot begin before it is published. Draft it anew with a later date."), field="from")
    follows = Cap.objects.filter(product=product).exists() or Tariff.objects.filter(plan__product=product).exists()
    if start == today and follows:
        raise CapRetroactive(_("Today's calls have today's cap: a new version begins tomorrow at the earliest."), field="from")


def close_trial(*, authorisation: Authorisation, user: User, at: datetime, note: str) -> None:
    """The operation's case for leaving the trial: closed when no product is on trial any more, a note in it until then."""
    object_type, object_id = reference(authorisation)
    open_cases = Case.objects.filter(kind=FORMAL_CASE, object_type=object_type, object_id=object_id)
    waiting = DataProduct.objects.filter(authorisation=authorisation, regime=Regime.TRIAL).exclude(state="delisted").count()
    for case in open_cases.exclude(state=CaseState.CLOSED).order_by("id"):
        if waiting:
            cases.note(case=case, actor=user, at=at, note=note)
        else:
            cases.close(case=case, outcome="formal", actor=user, at=at, note=note)


def _leave_trial(product: DataProduct, filing: CapFiling, user: User, at: datetime) -> None:
    """Formal caps end the product's trial price: its regime is the guided price from now on."""
    if not DataProduct.objects.filter(pk=product.pk, regime=Regime.TRIAL).update(regime=Regime.GUIDED):
        return
    product.regime = Regime.GUIDED
    facts = {"regime": Regime.GUIDED, "document": filing.document_no}
    audit.record(action="product.formal", obj=product, actor=user, organisation=filing.authorising_body, at=at, facts=facts)
    if filing.basket_id is None and product.authorisation is not None:
        note = _("%(product)s has formal caps (%(document)s).") % {"product": product.name, "document": filing.document_no}
        close_trial(authorisation=product.authorisation, user=user, at=at, note=note)


def _caps(filing: CapFiling, product: DataProduct, purpose_class: str, start: date, terms: CapSet) -> list[Cap]:
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
