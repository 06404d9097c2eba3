"""Emergency stops: who may start and lift them, who is told, how they end (domain.md SM11, R70, scenario 72)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from products.models import Membership, Organisation
from products.organisations.models import OrganisationKind, Role
from products.record.models import AuditEntry, Case, Notice
from settlement.entitlements import stop_rights, stops
from settlement.entitlements.models import EmergencyStop, Entitlement
from settlement.entitlements.stop_selectors import reach_of, stop_of, stops_of
from tests.factories.cast import Cast
from tests.factories.offers import make_offer
from tests.settlement.stall import entitle

pytestmark = pytest.mark.django_db

ALL = ("product", "operator", "buyer")
# Who may start what: of what is its own, and of what is another's. Everybody who is not named may start nothing.
MAY = {
    ("platform", "reviewer"): (ALL, ALL),
    ("platform", "owner"): (ALL, ALL),
    ("data_bureau", "reviewer"): (ALL, ALL),
    ("data_bureau", "decider"): (ALL, ALL),
    ("data_bureau", "owner"): (ALL, ALL),
    ("authorising_body", "reviewer"): (("product",), ()),
    ("authorising_body", "decider"): (("product",), ()),
    ("authorising_body", "owner"): (("product",), ()),
    ("operator", "publisher"): (("product", "operator"), ()),
    ("operator", "owner"): (("product", "operator"), ()),
}


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("role", Role.values)
@pytest.mark.parametrize("acting", OrganisationKind.values)
def test_the_table_says_who_may_stop_what(acting, role, kind):
    own, others = MAY.get((acting, role), ((), ()))
    facts = {"kind": kind, "acting_kind": acting, "roles": frozenset({role})}
    assert stop_rights.may_start(**facts, is_own=True) is (kind in own)
    assert stop_rights.may_start(**facts, is_own=False) is (kind in others)


@pytest.mark.parametrize(
    ("acting", "started_for", "expected"),
    [
        ("operator", "operator", True),
        ("operator", "authorising_body", False),
        ("operator", "platform", False),
        ("operator", "data_bureau", False),
        ("authorising_body", "operator", True),
        ("authorising_body", "authorising_body", True),
        ("authorising_body", "platform", False),
        ("platform", "data_bureau", True),
        ("data_bureau", "platform", True),
    ],
)
def test_nobody_lifts_what_someone_above_stopped(acting, started_for, expected):
    facts = {"acting_kind": acting, "roles": frozenset({"owner"}), "is_own": True, "started_for_kind": started_for}
    assert stop_rights.may_lift(kind="product", **facts) is expected


@pytest.fixture
def offer(cast: Cast, clock):
    return make_offer(cast, clock.now)


@pytest.fixture
def held(cast: Cast, offer, clock) -> Entitlement:
    facts = {"purposes": [offer.product.purposes[0]], "valid_from": clock.now - timedelta(days=9), "created_at": clock.now}
    return entitle(offer.product, cast.buyer.organisation, offer.plan, code="E-held", **facts)


def start(cast: Cast, product, clock, **changes) -> EmergencyStop:
    facts = {"kind": "product", "product": product, "user": cast.platform.reviewer, "acting_for": cast.platform.organisation}
    facts |= {"reason": "Identifiers in the answers", "public_reason": "答复内容有误", "at": clock.now}
    return stops.stop_start(**facts | changes)


def ask(cast: Cast, stop, clock, **changes):
    facts = {"user": cast.platform.reviewer, "acting_for": cast.platform.organisation, "reason": "Repaired", "at": clock.now}
    return stops.stop_ask_lift(stop=stop, **facts | changes)


def lift(cast: Cast, stop, clock, **changes):
    facts = {"user": cast.data_bureau.owner, "acting_for": cast.data_bureau.organisation, "outcome": "recovery"}
    return stops.stop_lift(stop=stop, **facts | {"at": clock.now} | changes)


def told(user, kind: str) -> int:
    return Notice.objects.filter(user=user, kind=kind).count()


def test_one_person_stops_a_product_and_everybody_concerned_is_told_once(cast, offer, held, clock):
    entitle(offer.product, cast.buyer.organisation, offer.plan, code="E-second", purposes=held.purposes)
    stop = start(cast, offer.product, clock)
    assert stop_of(offer.product) == stop and stop.started_at == clock.now
    for user in (cast.buyer.owner, cast.buyer.developer, cast.operator.owner, cast.authority.owner, cast.platform.reviewer):
        assert told(user, "stop.started") == 1, user
    assert told(cast.buyer_b.owner, "stop.started") == told(cast.buyer.approver, "stop.started") == 0
    notice = Notice.objects.get(user=cast.buyer.owner)
    assert notice.facts["reason"] == "答复内容有误" and "Identifiers" not in str(notice.facts)
    case = Case.objects.get(kind="emergency_stop")
    assert (case.handler, case.applicant, case.state) == (cast.platform.organisation, cast.operator.organisation, "open")
    entry = AuditEntry.objects.get(action="stop.started")
    assert (entry.actor, entry.reason) == (cast.platform.reviewer, "Identifiers in the answers")


def test_two_people_lift_it_and_the_buyers_are_told_again(cast, offer, held, clock):
    stop = start(cast, offer.product, clock)
    with pytest.raises(stops.LiftNotAsked):
        lift(cast, stop, clock)
    ask(cast, stop, clock, user=cast.data_bureau.owner, acting_for=cast.data_bureau.organisation)
    with pytest.raises(stops.LiftByOnePerson):
        lift(cast, stop, clock)
    clock.move(hours=3)
    with pytest.raises(stops.LiftNotAsked):
        lift(cast, stop, clock, user=cast.platform.reviewer, acting_for=cast.platform.organisation, outcome="termination")
    lift(cast, stop, clock, user=cast.platform.reviewer, acting_for=cast.platform.organisation)
    assert stop_of(offer.product) is None and EmergencyStop.objects.get().lifted_at == clock.now
    assert told(cast.buyer.owner, "stop.lifted") == 1
    assert Case.objects.get(kind="emergency_stop").outcome == "recovery"
    with pytest.raises(stops.StopLifted):
        ask(cast, stop, clock)
    with pytest.raises(stops.StopLifted):
        lift(cast, stop, clock)
    assert Entitlement.objects.get().state == "active"


def test_a_termination_ends_the_product_and_its_entitlements(cast, offer, held, clock):
    stop = start(cast, offer.product, clock)
    ask(cast, stop, clock, outcome="termination")
    lift(cast, stop, clock, outcome="termination")
    held.refresh_from_db()
    offer.product.refresh_from_db()
    assert (held.state, held.ended_at, offer.product.state) == ("ended", clock.now, "delisted")
    assert told(cast.buyer.owner, "stop.ended") == 1
    assert Case.objects.get(kind="emergency_stop").outcome == "termination"


def test_a_buyer_that_is_ended_loses_its_entitlements_and_no_product_is_touched(cast, offer, held, clock):
    stop = start(cast, None, clock, kind="buyer", organisation=cast.buyer.organisation)
    assert told(cast.buyer.owner, "stop.started") == 1 and told(cast.operator.owner, "stop.started") == 0
    ask(cast, stop, clock, outcome="termination")
    lift(cast, stop, clock, outcome="termination")
    offer.product.refresh_from_db()
    assert Entitlement.objects.get().state == "ended" and offer.product.state == "listed"


def test_an_operator_stops_its_own_and_cannot_lift_what_the_platform_stopped(cast, offer, held, clock):
    own = {"user": cast.operator.owner, "acting_for": cast.operator.organisation}
    other = {"user": cast.operator_b.owner, "acting_for": cast.operator_b.organisation}
    with pytest.raises(stops.StopNotAllowed):
        start(cast, offer.product, clock, **other)
    stop = start(cast, offer.product, clock, **own)
    assert stop.case.handler == cast.authority.organisation, "its authorising body looks into what an operator stops"
    ask(cast, stop, clock, user=cast.operator.developer, acting_for=cast.operator.organisation)
    lift(cast, stop, clock, **own)
    stop = start(cast, offer.product, clock)
    ask(cast, stop, clock, **own)
    with pytest.raises(stops.StopNotAllowed):
        lift(cast, stop, clock, user=cast.operator.developer, acting_for=cast.operator.organisation)


def test_an_organisation_whose_certificate_is_not_checked_stops_nothing(cast, offer, clock):
    Organisation.objects.filter(pk=cast.data_bureau.organisation.pk).update(state="unverified", verified_at=None)
    with pytest.raises(stops.StopNotAllowed):
        bureau = Organisation.objects.get(pk=cast.data_bureau.organisation.pk)
        start(cast, offer.product, clock, user=cast.data_bureau.owner, acting_for=bureau)


def test_a_role_in_one_organisation_does_not_serve_in_another(cast, offer, clock):
    with pytest.raises(stops.StopNotAllowed):
        start(cast, offer.product, clock, user=cast.buyer.owner)


def test_what_is_stopped_is_not_stopped_again_and_bad_input_starts_nothing(cast, offer, clock):
    start(cast, offer.product, clock)
    with pytest.raises(stops.StopStands):
        start(cast, offer.product, clock)
    for changes in ({"reason": " "}, {"public_reason": ""}, {"public_reason": "x" * 201}):
        with pytest.raises(stops.StopReasonMissing):
            start(cast, None, clock, kind="operator", organisation=cast.operator.organisation, **changes)
    for target in ({"organisation": cast.buyer_b.organisation, "kind": "buyer"}, {"kind": "nothing"}, {"kind": "operator"}):
        with pytest.raises(stops.StopTargetWrong):
            start(cast, None, clock, **target)
    assert EmergencyStop.objects.count() == Case.objects.filter(kind="emergency_stop").count() == 1


def test_a_stop_of_an_operator_holds_for_all_its_products_and_for_no_other(cast, offer, clock):
    stop = start(cast, None, clock, kind="operator", organisation=cast.operator.organisation)
    assert stops_of([offer.product]) == {offer.product.pk: stop}
    assert told(cast.authority.owner, "stop.started") == 1


def test_what_a_stop_touches_is_known_before_it_is_started(cast, offer, held, clock):
    entitle(offer.product, cast.buyer_b.organisation, offer.plan, code="E-b", purposes=held.purposes)
    entitle(offer.product, cast.buyer_b.organisation, offer.plan, code="E-c", purposes=held.purposes, state="ended")
    found = reach_of(kind="product", product=offer.product, organisation=None, at=clock.now)
    assert (found.buyers, found.entitlements, found.products) == (2, 2, 1)
    found = reach_of(kind="buyer", product=None, organisation=cast.buyer.organisation, at=clock.now)
    assert (found.buyers, found.entitlements, found.products) == (1, 1, 1)


def test_the_queries_of_a_stop_do_not_grow_with_its_buyers(cast, offer, held, clock):
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            stop = start(cast, offer.product, clock)
        ask(cast, stop, clock)
        lift(cast, stop, clock)
        return len(seen)

    queries()  # what is read once a test is read
    few = queries()
    for n, party in enumerate((cast.buyer_b, cast.nonprofit, cast.public_body)):
        entitle(offer.product, party.organisation, offer.plan, code=f"E-more-{n}", purposes=held.purposes)
    assert queries() == few


def test_a_stop_is_never_rewritten_or_deleted(cast, offer, clock):
    stop = start(cast, offer.product, clock)
    for change in ({"started_at": clock.now - timedelta(days=3)}, {"public_reason": "other"}, {"product": None}):
        with pytest.raises(IntegrityError), transaction.atomic():
            EmergencyStop.objects.filter(pk=stop.pk).update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        EmergencyStop.objects.filter(pk=stop.pk).delete()
    with pytest.raises(IntegrityError), transaction.atomic():  # nobody lifts alone, whoever writes to the table
        EmergencyStop.objects.filter(pk=stop.pk).update(
            lift_asked_by=cast.platform.owner, outcome="recovery", lifted_by=cast.platform.owner, lifted_at=clock.now
        )
    ask(cast, stop, clock)
    lift(cast, stop, clock)
    with pytest.raises(IntegrityError), transaction.atomic():
        EmergencyStop.objects.filter(pk=stop.pk).update(lifted_at=None, lifted_by=None)


def test_who_left_the_organisation_stops_nothing(cast, offer, clock):
    Membership.objects.filter(user=cast.platform.reviewer).update(is_active=False)
    with pytest.raises(stops.StopNotAllowed):
        start(cast, offer.product, clock)
