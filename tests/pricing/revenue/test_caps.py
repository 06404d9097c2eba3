"""Caps: two people, a written report, dates that never reach back, and running tariffs cut to a lower cap."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from pricing.models import Cap, CapFiling, Tariff
from pricing.reading import DocumentRefused
from pricing.revenue.selectors import caps_in_force
from pricing.revenue.services import (
    CapFollows,
    CapLevelTooHigh,
    CapNotAllowed,
    CapNotReported,
    CapRetroactive,
    CapStepOutOfOrder,
    SamePerson,
    cap_approve,
    cap_draft,
    cap_publish,
    cap_report,
)
from pricing.tariffs.clamping import CapLeavesBasisOpen
from pricing.tariffs.selectors import tariff_in_force
from products.models import AuditEntry, Notice
from products.organisations.selectors import RoleMissing
from products.registry.models import Registration
from tests.pricing.market import caps, filed, make_plan, make_product, per_call, published, reported, tariff

TODAY = date(2026, 10, 20)
NOVEMBER = date(2026, 11, 1)


@pytest.fixture
def product(cast, clock):
    return make_product(cast, clock.now)


def test_caps_come_into_force_per_purpose_class_and_basis(cast, clock, product):
    done = published(
        cast, product, caps(("calls", "0.5"), ("year", "12000"), start=TODAY, purposes=("industry", "sector")), clock.now
    )
    assert len(done.caps) == 4
    found = caps_in_force(product=product, purpose_class="sector", on=TODAY)
    assert [(cap.basis, cap.flat_period, cap.amount) for cap in found] == [
        ("calls", "", Decimal("0.5")),
        ("periods", "year", 12000),
    ]
    assert caps_in_force(product=product, purpose_class="industry", on=date(2026, 10, 19)) == []


def test_the_writer_of_a_draft_does_not_approve_it(cast, clock, product):
    filing = cap_draft(product=product, document=caps(("calls", "0.5"), start=TODAY), user=cast.authority.owner, at=clock.now)
    with pytest.raises(SamePerson):
        cap_approve(filing=filing, user=cast.authority.owner, at=clock.now)
    with pytest.raises(IntegrityError, match="cap_filing_by_two_people"), transaction.atomic():
        CapFiling.objects.filter(pk=filing.pk).update(approved_by=cast.authority.owner)


def test_only_the_authorising_body_drafts(cast, clock, product):
    for person in (cast.operator.owner, cast.regulator.decider, cast.stranger):
        with pytest.raises(RoleMissing):
            cap_draft(product=product, document=caps(("calls", "0.5"), start=TODAY), user=person, at=clock.now)


def test_scenario_40_a_cap_whose_report_is_not_filed_is_not_published(cast, clock, product):
    filing = cap_draft(product=product, document=caps(("calls", "0.5"), start=TODAY), user=cast.authority.owner, at=clock.now)
    cap_approve(filing=filing, user=cast.authority.checker, at=clock.now)
    with pytest.raises(CapNotReported):
        cap_publish(filing=filing, user=cast.authority.owner, at=clock.now)
    with pytest.raises(IntegrityError, match="not_reported_not_published"), transaction.atomic():
        CapFiling.objects.filter(pk=filing.pk).update(state="published", published_at=clock.now)
    cap_report(filing=filing, report_no="甬数报〔2026〕7号", user=cast.authority.owner, at=clock.now)
    assert cap_publish(filing=filing, user=cast.authority.owner, at=clock.now).filing.state == "published"
    told = set(Notice.objects.filter(kind="caps.reported").values_list("user__memberships__organisation__kind", flat=True))
    assert told == {"price_regulator", "data_bureau"}


def test_scenario_38_a_cap_does_not_reach_back(cast, clock, product):
    filing = reported(cast, product, caps(("calls", "0.9"), start=date(2026, 10, 1)), clock.now)
    with pytest.raises(CapRetroactive):
        cap_publish(filing=filing, user=cast.authority.owner, at=clock.now)
    published(cast, product, caps(("calls", "0.5"), start=TODAY), clock.now)
    raised = reported(cast, product, caps(("calls", "0.9"), start=TODAY), clock.now)
    with pytest.raises(CapRetroactive):
        cap_publish(filing=raised, user=cast.authority.owner, at=clock.now)


def test_a_new_version_ends_the_old_one_at_its_start(cast, clock, product):
    published(cast, product, caps(("calls", "0.5"), ("records", "0.1"), start=TODAY), clock.now)
    published(cast, product, caps(("calls", "0.6"), start=NOVEMBER), clock.now)
    assert [c.amount for c in caps_in_force(product=product, purpose_class="industry", on=date(2026, 10, 31))] == [
        Decimal("0.5"),
        Decimal("0.1"),
    ]
    assert [c.amount for c in caps_in_force(product=product, purpose_class="industry", on=NOVEMBER)] == [Decimal("0.6")]
    with pytest.raises(CapFollows):
        published(cast, product, caps(("calls", "0.4"), start=date(2026, 10, 25)), clock.now)


def test_a_published_cap_keeps_its_amount_and_dates(cast, clock, product):
    done = published(cast, product, caps(("calls", "0.5"), start=TODAY), clock.now)
    row = Cap.objects.filter(pk=done.caps[0].pk)
    with pytest.raises(IntegrityError, match="cap keeps its content"), transaction.atomic():
        row.update(amount="0.6")
    with pytest.raises(IntegrityError, match="end is set in the future"), transaction.atomic():
        row.update(period=(TODAY, date(2026, 10, 20 + 1)), end_set_at=clock.now.replace(day=25))
    with pytest.raises(IntegrityError, match="never deleted"), transaction.atomic():
        row.delete()
    with pytest.raises(IntegrityError, match="filing keeps its content"), transaction.atomic():
        CapFiling.objects.filter(pk=done.filing.pk).update(document_no="改")


def test_scenario_37_a_lower_cap_cuts_running_tariffs_from_its_first_day(cast, clock, product):
    published(cast, product, caps(("calls", "0.50"), start=TODAY), clock.now)
    plan, cheap = make_plan(cast, product, clock.now), make_plan(cast, product, clock.now, code="cheap")
    running = filed(cast, plan, per_call("0.45"), TODAY, clock.now)
    filed(cast, cheap, per_call("0.20"), TODAY, clock.now)
    done = published(cast, product, caps(("calls", "0.30"), start=NOVEMBER), clock.now)
    assert [cut.clamped_from for cut in done.clamped] == [running]
    assert tariff_in_force(plan=plan, on=date(2026, 10, 31)) == running
    assert tariff_in_force(plan=plan, on=NOVEMBER).document["components"][0]["unit_price"] == "0.30"
    assert tariff_in_force(plan=cheap, on=NOVEMBER).version == 1
    assert AuditEntry.objects.filter(action="tariff.clamped").count() == 1
    assert Notice.objects.filter(kind="caps.published", user=cast.operator.owner).exists()


def test_a_lower_cap_cuts_a_tariff_that_is_filed_for_later_too(cast, clock, product):
    published(cast, product, caps(("calls", "0.50"), start=TODAY), clock.now)
    plan = make_plan(cast, product, clock.now)
    filed(cast, plan, per_call("0.50"), TODAY, clock.now)
    later = filed(cast, plan, per_call("0.40"), date(2026, 12, 1), clock.now)
    done = published(cast, product, caps(("calls", "0.30"), start=NOVEMBER), clock.now)
    later.refresh_from_db()
    assert later.state == "withdrawn"
    assert [(cut.period.lower, cut.period.upper) for cut in done.clamped] == [
        (NOVEMBER, date(2026, 12, 1)),
        (date(2026, 12, 1), None),
    ]
    assert {cut.document["components"][0]["unit_price"] for cut in done.clamped} == {"0.30"}


def test_caps_must_name_every_basis_that_a_running_tariff_charges(cast, clock, product):
    published(cast, product, caps(("calls", "0.50"), ("records", "0.10"), start=TODAY), clock.now)
    plan = make_plan(cast, product, clock.now)
    filed(
        cast,
        plan,
        tariff({"code": "rows", "basis": "records", "model": "per_unit", "unit_price": "0.10"}),
        TODAY,
        clock.now,
    )
    with pytest.raises(CapLeavesBasisOpen, match="records"):
        published(cast, product, caps(("calls", "0.50"), start=NOVEMBER), clock.now)
    assert Cap.objects.filter(product=product).count() == 2
    assert Tariff.objects.count() == 1


def test_scenario_41_a_city_does_not_cap_a_nationally_registered_product(cast, clock, product):
    Registration.objects.create(
        code="GJ-1",
        product=product,
        registry=cast.registry.organisation,
        holder=cast.operator.organisation,
        level="national",
        issued_date=TODAY,
        valid_to=date(2029, 1, 1),
    )
    with pytest.raises(CapLevelTooHigh):
        cap_draft(product=product, document=caps(("calls", "0.5"), start=TODAY), user=cast.authority.owner, at=clock.now)


def test_scenario_46_a_market_priced_product_has_no_cap(cast, clock, product):
    product.regime = "market"
    with pytest.raises(CapNotAllowed):
        cap_draft(product=product, document=caps(("calls", "0.5"), start=TODAY), user=cast.authority.owner, at=clock.now)


def test_caps_hold_for_whole_charged_classes(cast, clock, product):
    for purposes in (("welfare",), ("industry.finance",)):
        document = caps(("calls", "0.5"), start=TODAY, purposes=purposes)
        with pytest.raises(DocumentRefused, match="/purposes"):
            cap_draft(product=product, document=document, user=cast.authority.owner, at=clock.now)


def test_a_step_is_taken_once(cast, clock, product):
    filing = reported(cast, product, caps(("calls", "0.5"), start=TODAY), clock.now)
    with pytest.raises(CapStepOutOfOrder):
        cap_report(filing=filing, report_no="again", user=cast.authority.owner, at=clock.now)
    cap_publish(filing=filing, user=cast.authority.owner, at=clock.now)
    with pytest.raises(CapNotReported):
        cap_publish(filing=filing, user=cast.authority.owner, at=clock.now)
