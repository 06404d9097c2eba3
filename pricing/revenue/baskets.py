"""A set of caps for a whole operation: draft → file → approve (another person) → report → publish, each in one step.

The rows are checked in ``basket_rows.py``, where they start from in ``basket_sources.py``, the three ways to price them in
``basket_rules.py``. A filed set is one filing a product and purpose class; they never move alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pricing.revenue.authority import pricing_body
from pricing.revenue.basket_rows import (
    BasketRow,
    as_json,
    chargeable,
    from_json,
    priced,
    read_rows,
    versions_of,
    with_caps_before,
)
from pricing.revenue.cap_reports import basket_facts, issue_report
from pricing.revenue.cap_tests import Tested, frame_of, require_within, try_versions
from pricing.revenue.models import CapBasket, CapFiling, PermittedRevenue
from pricing.revenue.publication import CapsPublished, check_start, close_trial, put_into_force
from pricing.revenue.reasonableness import year_budget
from pricing.revenue.services import CAP_ROLES, CapNeedsDocument, CapNotReported, CapStepOutOfOrder, SamePerson, offices
from products.catalogue.models import DataProduct
from products.organisations.models import Organisation, User
from products.organisations.selectors import require_role
from products.record import audit
from products.record.clock import business_date
from products.record.models import Evidence
from products.record.notices import define, notify
from products.record.refusals import Refused
from products.registry.models import Authorisation

State: Any = CapBasket.State
Filing: Any = CapFiling.State

define(
    "caps.set_filed",
    subject=gettext_lazy("A set of caps waits for approval: %(document)s"),
    text=gettext_lazy("%(person)s filed %(document)s with %(count)s caps, from %(start)s. Another person approves it."),
)
define(
    "caps.set_reported",
    subject=gettext_lazy("Caps reported: %(document)s"),
    text=gettext_lazy(
        "%(body)s reported %(count)s caps of %(operator)s in writing (%(report)s). The report is in your documents."
    ),
)
define(
    "caps.set_published",
    subject=gettext_lazy("New caps from %(start)s: %(document)s"),
    text=gettext_lazy("%(body)s published %(document)s: from %(start)s %(count)s new caps hold. %(cut)s prices are cut to them."),
)


class BasketNotOpen(Refused):
    code = "cap_basket_not_open"


class BasketDateWrong(Refused):
    code = "cap_basket_date"


def basket_body(*, permitted: PermittedRevenue, on: date) -> Organisation:
    """Who sets the caps of an operation's set: the body of its first product, by where that is registered."""
    products = chargeable(permitted.authorisation)
    body = pricing_body(product=products[0], on=on) if products else None
    return body or permitted.authorisation.authorising_body


@transaction.atomic
def basket_draft(
    *,
    permitted_revenue: PermittedRevenue,
    method: str,
    from_date: date,
    rows: Sequence[Mapping[str, Any]],
    user: User,
    at: datetime,
    note: str = "",
) -> CapBasket:
    """Write down a set of caps by a method (``cost``, ``usage``, ``welfare``) or with one's ``own`` figures.

    ``rows`` as ``CapBasket.rows`` has them; ``cap`` counts for ``own`` only. Raises BasketRowsRefused, BasketDateWrong,
    BasketNotOpen, NothingToShare, RoleMissing.
    """
    body = basket_body(permitted=permitted_revenue, on=business_date(at))
    require_role(user, body, *CAP_ROLES)
    if permitted_revenue.state != PermittedRevenue.State.DETERMINED:
        raise BasketNotOpen(_("A set of caps starts from a determined permitted revenue whose period is open."))
    check_dates(permitted_revenue, from_date, at)
    filled, test = _work_out(permitted_revenue, body, method, from_date, rows, at)
    basket = CapBasket.objects.create(
        permitted_revenue=permitted_revenue,
        authorising_body=body,
        method=method,
        from_date=from_date,
        rows=as_json(filled),
        note=note.strip(),
        test=test.facts(at=at),
        made_by=user,
        made_at=at,
    )
    _record("set_drafted", basket, user, at, {"method": method, "from": from_date, "caps": len(filled)} | _sums(basket))
    return basket


@transaction.atomic
def basket_adjust(
    *,
    basket: CapBasket,
    rows: Sequence[Mapping[str, Any]],
    user: User,
    at: datetime,
    from_date: date | None = None,
    method: str = "own",
) -> CapBasket:
    """Other figures for a draft. Raises as ``basket_draft``, BasketNotOpen where the set is filed already."""
    require_role(user, basket.authorising_body, *CAP_ROLES)
    basket = CapBasket.objects.select_for_update().get(pk=basket.pk)
    if basket.state != State.DRAFT:
        raise BasketNotOpen(_("This set is filed; its figures stay. Drop it and draft another."))
    start = from_date or basket.from_date
    check_dates(basket.permitted_revenue, start, at)
    filled, test = _work_out(basket.permitted_revenue, basket.authorising_body, method, start, rows, at)
    basket.rows, basket.method, basket.from_date, basket.test = as_json(filled), method, start, test.facts(at=at)
    basket.save(update_fields=["rows", "method", "from_date", "test"])
    _record("set_adjusted", basket, user, at, {"method": method, "from": start, "caps": len(filled)} | _sums(basket))
    return basket


def check_dates(permitted: PermittedRevenue, from_date: date, at: datetime) -> None:
    """Raise BasketDateWrong for a first day in the past or outside the period of the permitted revenue."""
    period = permitted.period
    if from_date < business_date(at):
        raise BasketDateWrong(_("Caps cannot begin in the past: choose a later first day."), field="from_date")
    if not period.lower <= from_date < period.upper:
        message = _("The first day must lie in the period of the permitted revenue: from %(from)s to before %(to)s.")
        raise BasketDateWrong(message % {"from": period.lower, "to": period.upper}, field="from_date")


def _work_out(
    permitted: PermittedRevenue, body: Organisation, method: str, start: date, rows: Sequence[Mapping[str, Any]], at: datetime
) -> tuple[list[BasketRow], Tested]:
    """The checked rows with their caps, and the test of the set as it would hold."""
    if method not in CapBasket.Method.values:
        raise BasketNotOpen(_("Choose one of the three ways, or your own figures."), field="method")
    own = method == CapBasket.Method.OWN
    read = read_rows(rows, authorisation=permitted.authorisation, body=body, on=business_date(at), needs_cap=own)
    read = with_caps_before(read, on=business_date(at))
    frame = frame_of(permitted)
    filled = priced(read, method, budget_pico=year_budget(frame), floor_micro=frame.floor_micro)
    return filled, try_versions(permitted=permitted, new=versions_of(filled, start))


@transaction.atomic
def basket_file(*, basket: CapBasket, document_no: str, user: User, at: datetime) -> CapBasket:
    """Turn a set into cap filings, one a product and class, in one transaction; the set must pass the test.

    Raises CapsAbovePermittedRevenue with the gap by product (scenario 31), CapNeedsDocument, BasketRowsRefused, BasketDateWrong.
    """
    require_role(user, basket.authorising_body, *CAP_ROLES)
    if not document_no.strip():
        raise CapNeedsDocument(_("A cap needs its document number and the date from which it holds."), field="document_no")
    _lock(basket)
    check_dates(basket.permitted_revenue, basket.from_date, at)
    test = _test(basket, at)
    filed = {"document_no": document_no.strip(), "filed_by": user, "filed_at": at, "test": test.facts(at=at)}
    _step(basket, State.DRAFT, State.FILED, **filed)
    products = {product.code: product for product in DataProduct.objects.filter(code__in={row["product"] for row in basket.rows})}
    CapFiling.objects.bulk_create(_filings(basket, products, user, at), batch_size=1000)
    facts = {
        "document": basket.document_no,
        "person": str(user),
        "count": len(basket.rows),
        "start": basket.from_date.isoformat(),
    }
    notify(kind="caps.set_filed", organisation=basket.authorising_body, roles=CAP_ROLES, facts=facts, url=_url(basket), at=at)
    _record("set_filed", basket, user, at, {"document": basket.document_no, "caps": len(basket.rows)} | _sums(basket))
    return basket


def _filings(basket: CapBasket, products: Mapping[str, DataProduct], user: User, at: datetime) -> list[CapFiling]:
    grouped: dict[tuple[str, str], list[BasketRow]] = {}
    for row in from_json(basket.rows):
        grouped.setdefault((row.product, row.purpose_class), []).append(row)
    return [
        CapFiling(
            product=products[code],
            authorising_body=basket.authorising_body,
            document={
                "caps": [_named(row) | {"cap": row.cap} for row in rows],
                "document": basket.document_no,
                "from": basket.from_date.isoformat(),
                "purposes": [purpose_class],
            },
            document_no=basket.document_no,
            is_trial=False,
            permitted_revenue=basket.permitted_revenue,
            basket=basket,
            volumes=[_named(row) | {"expected": row.expected, "capacity": row.capacity or None} for row in rows],
            drafted_by=user,
            drafted_at=at,
        )
        for (code, purpose_class), rows in grouped.items()
    ]


def _named(row: BasketRow) -> dict[str, str]:
    return {"basis": row.basis} | ({"period": row.flat_period} if row.flat_period else {})


@transaction.atomic
def basket_approve(*, basket: CapBasket, user: User, at: datetime) -> CapBasket:
    """Another person approves the whole set; the test is made anew and kept, with each filing its own part of it.

    Raises SamePerson, CapsAbovePermittedRevenue, BasketRowsRefused (a registration moved, 42), CapStepOutOfOrder, RoleMissing.
    """
    require_role(user, basket.authorising_body, *CAP_ROLES)
    if user.pk in (basket.made_by_id, basket.filed_by_id):
        raise SamePerson(_("You wrote this set; another person of your body must approve it."))
    _lock(basket)
    test = _test(basket, at)
    whole = test.facts(at=at)
    _step(basket, State.FILED, State.APPROVED, approved_by=user, approved_at=at, test=whole)
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in whole["rows"]:
        rows.setdefault(row["product"], []).append(row)
    filings = list(basket.filings.filter(state=Filing.DRAFT).select_related("product"))
    for filing in filings:
        filing.state, filing.approved_by, filing.approved_at = Filing.APPROVED, user, at
        filing.test = whole | {"rows": rows[filing.product.code], "basket": basket.pk}
    CapFiling.objects.bulk_update(filings, ["state", "approved_by", "approved_at", "test"], batch_size=500)
    _record("set_approved", basket, user, at, _sums(basket))
    return basket


@transaction.atomic
def basket_report(
    *, basket: CapBasket, user: User, at: datetime, report_no: str = "", evidence: Evidence | None = None
) -> CapBasket:
    """The written report on the whole set, as a numbered document with PDF, to the price regulator and the data bureau.

    ``report_no``: the body's own number where it sent its own letter; else the document's. Raises CapStepOutOfOrder, RoleMissing.
    """
    require_role(user, basket.authorising_body, *CAP_ROLES)
    _lock(basket)
    if basket.state != State.APPROVED:
        raise CapStepOutOfOrder(_("This set is at another step by now; look at it again."))
    region = basket.permitted_revenue.authorisation.region or basket.authorising_body.region
    readers = offices(region)
    body = basket.authorising_body
    document = issue_report(about=basket, body=body, facts=basket_facts(basket), user=user, at=at, readers=readers)
    values = {
        "report_no": report_no.strip() or document.number,
        "report_document": document,
        "reported_by": user,
        "reported_at": at,
    }
    _step(basket, State.APPROVED, State.REPORTED, **values)
    basket.filings.filter(state=Filing.APPROVED).update(state=Filing.REPORTED, report_evidence=evidence, **values)
    facts = {
        "document": basket.document_no,
        "body": body.name,
        "operator": basket.permitted_revenue.authorisation.operator.name,
        "report": basket.report_no,
        "count": len(basket.rows),
    }
    for office in readers:
        notify(
            kind="caps.set_reported", organisation=office, facts=facts, url=f"/console/regulator/caps/sets/{basket.pk}/", at=at
        )
    _record("set_reported", basket, user, at, {"report_no": basket.report_no, "document": document.number})
    return basket


@transaction.atomic
def basket_publish(*, basket: CapBasket, user: User, at: datetime) -> tuple[CapsPublished, ...]:
    """Put the whole set into force on its first day; running tariffs are cut, the products leave their trial.

    Raises CapNotReported (40), CapRetroactive (38), CapFollows, CapLeavesBasisOpen, CapsAbovePermittedRevenue, RoleMissing.
    """
    require_role(user, basket.authorising_body, *CAP_ROLES)
    _lock(basket)
    if basket.state != State.REPORTED:
        raise CapNotReported(_("File the written report to the price regulator and the data bureau first."))
    _test(basket, at)
    filings = list(basket.filings.filter(state=Filing.REPORTED).order_by("product_id", "id"))
    pks = {filing.product_id for filing in filings}
    products = {p.pk: p for p in DataProduct.objects.select_for_update(no_key=True).filter(pk__in=pks).order_by("id")}
    for product in products.values():
        check_start(product, basket.from_date, business_date(at))
    _step(basket, State.REPORTED, State.PUBLISHED, published_at=at)
    basket.filings.filter(state=Filing.REPORTED).update(state=Filing.PUBLISHED, published_at=at)
    done = []
    for filing in filings:
        filing.state, filing.published_at = Filing.PUBLISHED, at
        done.append(put_into_force(filing=filing, product=products[filing.product_id], user=user, at=at))
    _after_publication(basket, done, user, at)
    return tuple(done)


def _after_publication(basket: CapBasket, done: Sequence[CapsPublished], user: User, at: datetime) -> None:
    authorisation: Authorisation = basket.permitted_revenue.authorisation
    note = _("Formal caps are published: %(document)s.") % {"document": basket.document_no}
    close_trial(authorisation=authorisation, user=user, at=at, note=note)
    cut = [tariff.pk for each in done for tariff in each.clamped]
    facts = {
        "body": basket.authorising_body.name,
        "document": basket.document_no,
        "start": basket.from_date.isoformat(),
        "count": len(basket.rows),
        "cut": len(cut),
    }
    roles = ("pricing", "owner")
    url = "/console/operator/tariffs/"
    notify(kind="caps.set_published", organisation=authorisation.operator, roles=roles, facts=facts, url=url, at=at)
    _record("set_published", basket, user, at, {"from": basket.from_date, "caps": len(basket.rows), "clamped": cut})


@transaction.atomic
def basket_drop(*, basket: CapBasket, reason: str, user: User, at: datetime) -> CapBasket:
    """Drop a set that is not published, with its filings. Raises CapStepOutOfOrder, RoleMissing."""
    require_role(user, basket.authorising_body, *CAP_ROLES)
    _lock(basket)
    if basket.state in (State.PUBLISHED, State.DROPPED):
        raise CapStepOutOfOrder(_("Published caps are not withdrawn; publish new ones."))
    _step(basket, basket.state, State.DROPPED)
    basket.filings.exclude(state__in=(Filing.PUBLISHED, Filing.WITHDRAWN)).update(state=Filing.WITHDRAWN)
    _record("set_dropped", basket, user, at, reason=reason.strip())
    return basket


def _test(basket: CapBasket, at: datetime) -> Tested:
    """Hold a filed set against the rules as they are now: who may set its caps, and what they may bring in."""
    permitted = basket.permitted_revenue
    read = read_rows(
        basket.rows, authorisation=permitted.authorisation, body=basket.authorising_body, on=business_date(at), needs_cap=True
    )
    return require_within(try_versions(permitted=permitted, new=versions_of(read, basket.from_date)))


def _lock(basket: CapBasket) -> None:
    """One lock an operation: two sets, or a set and a filing, are never tested past each other."""
    Authorisation.objects.select_for_update(no_key=True).get(pk=basket.permitted_revenue.authorisation_id)
    basket.refresh_from_db()


def _step(basket: CapBasket, old: str, new: str, **values: Any) -> None:
    if not CapBasket.objects.filter(pk=basket.pk, state=old).update(state=new, **values):
        raise CapStepOutOfOrder(_("This set is at another step by now; look at it again."))
    basket.refresh_from_db()


def _sums(basket: CapBasket) -> dict[str, str]:
    return {name: basket.test[name] for name in ("net", "permitted", "gap")}


def _url(basket: CapBasket) -> str:
    return f"/console/authority/baskets/{basket.pk}/"


def _record(act: str, basket: CapBasket, user: User, at: datetime, facts: dict[str, Any] | None = None, reason: str = "") -> None:
    audit.record(
        action=f"caps.{act}", obj=basket, actor=user, organisation=basket.authorising_body, at=at, reason=reason, facts=facts
    )
