"""Emergency stops in the console and the shop: two steps to start, two people to end, everybody sees it (scenario 72, R70)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from products.record.models import CaseEvent, Notice
from settlement.entitlements.models import EmergencyStop, Entitlement
from tests.factories.cast import Cast
from tests.factories.offers import make_offer
from tests.settlement.stall import entitle

pytestmark = pytest.mark.django_db
NEW = "/console/stops/new/"


@pytest.fixture
def offer(cast: Cast, clock):
    return make_offer(cast, clock.now)


@pytest.fixture
def held(cast: Cast, offer, clock) -> Entitlement:
    facts = {"purposes": [offer.product.purposes[0]], "valid_from": clock.now - timedelta(days=9), "created_at": clock.now}
    return entitle(offer.product, cast.buyer.organisation, offer.plan, code="E-held", **facts)


def given(offer, **changes) -> dict[str, str]:
    facts = {"kind": "product", "target": offer.product.code, "public_reason": "答复内容有误", "reason": "Identifiers were seen"}
    return facts | changes


def start(client, offer, **changes) -> EmergencyStop:
    response = client.post(NEW, given(offer, confirm="yes", **changes))
    assert response.status_code == 302, response.content.decode()
    return EmergencyStop.objects.latest("id")


def test_a_stop_is_started_in_two_steps_and_the_first_says_whom_it_touches(cast, offer, held, sign_in):
    client = sign_in(cast.platform.reviewer)
    form = client.get(f"{NEW}?kind=product&target={offer.product.code}")
    assert form.status_code == 200 and offer.product.code in form.content.decode()
    shown = client.post(NEW, given(offer))
    assert shown.status_code == 200 and EmergencyStop.objects.count() == 0
    assert (shown.context["reach"].buyers, shown.context["reach"].entitlements) == (1, 1)
    file = SimpleUploadedFile("seen.txt", "行 1".encode(), content_type="text/plain")
    done = client.post(NEW, given(offer, confirm="yes") | {"evidence": file}, follow=True)
    stop = EmergencyStop.objects.get()
    assert done.redirect_chain[-1][0] == f"/console/stops/{stop.pk}/"
    page = done.content.decode()
    assert "Identifiers were seen" in page and "seen.txt" in page
    assert CaseEvent.objects.filter(case=stop.case, evidence__file_name="seen.txt").count() == 1
    assert Notice.objects.filter(user=cast.buyer.owner, kind="stop.started").count() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"target": "no-such-product"}, "target"),
        ({"target": ""}, "target"),
        ({"kind": "everything"}, "kind"),
        ({"public_reason": ""}, "public_reason"),
        ({"public_reason": "x" * 201}, "public_reason"),
        ({"reason": " "}, "reason"),
    ],
)
@pytest.mark.parametrize("step", [{}, {"confirm": "yes"}])
def test_what_is_wrong_is_said_beside_its_field_and_what_was_typed_is_kept(cast, offer, sign_in, changes, field, step):
    response = sign_in(cast.platform.reviewer).post(NEW, given(offer) | step | changes)
    assert response.status_code == 422 and response.context["form"].errors[field]
    assert EmergencyStop.objects.count() == 0
    if field != "reason":
        assert "Identifiers were seen" in response.content.decode()


def test_what_may_not_be_stopped_is_refused_before_the_confirmation(cast, offer, held, sign_in):
    for step in ({}, {"confirm": "yes"}):
        response = sign_in(cast.operator_b.owner).post(NEW, given(offer) | step)
        assert response.status_code == 422 and EmergencyStop.objects.count() == 0
    response = sign_in(cast.operator.owner).post(NEW, given(offer, kind="buyer", target=cast.buyer.organisation.slug))
    assert response.status_code == 422 and response.context["form"].errors["kind"]
    start(sign_in(cast.platform.reviewer), offer)
    response = sign_in(cast.platform.reviewer).post(NEW, given(offer, confirm="yes"))
    assert response.status_code == 422 and EmergencyStop.objects.count() == 1


def test_one_asks_another_lifts_and_who_asked_is_not_offered_to_decide(cast, offer, held, sign_in):
    stop = start(sign_in(cast.operator.owner), offer)
    url = f"/console/stops/{stop.pk}/"
    owner, other = sign_in(cast.operator.owner), sign_in(cast.operator.developer)
    assert owner.post(f"{url}lift/", {"outcome": "recovery"}).status_code == 409
    assert owner.post(f"{url}ask/", {"outcome": "recovery", "reason": ""}).status_code == 422
    assert owner.post(f"{url}ask/", {"outcome": "nothing", "reason": "x"}).status_code == 422
    assert owner.post(f"{url}ask/", {"outcome": "recovery", "reason": "Repaired"}).status_code == 302
    assert not owner.get(url).context["may_lift"] and other.get(url).context["may_lift"]
    assert owner.post(f"{url}lift/", {"outcome": "recovery"}).status_code == 409
    assert other.post(f"{url}lift/", {"outcome": "termination"}).status_code == 409
    assert other.post(f"{url}lift/", {}).status_code == 422
    assert other.post(f"{url}lift/", {"outcome": "recovery", "note": "Seen"}).status_code == 302
    stop.refresh_from_db()
    assert (stop.lift_asked_by, stop.lifted_by) == (cast.operator.owner, cast.operator.developer)
    assert other.get("/console/stops/?show=ended").context["page"].object_list[0] == stop


def test_another_operators_stops_are_not_there(cast, offer, sign_in):
    stop = start(sign_in(cast.operator.owner), offer)
    stranger = sign_in(cast.operator_b.owner)
    assert stranger.get(f"/console/stops/{stop.pk}/").status_code == 404
    assert stranger.post(f"/console/stops/{stop.pk}/ask/", {"outcome": "recovery", "reason": "x"}).status_code == 404
    assert stranger.post(f"/console/stops/{stop.pk}/lift/", {"outcome": "recovery"}).status_code == 404
    assert list(stranger.get("/console/stops/").context["page"].object_list) == []
    assert sign_in(cast.authority.owner).get(f"/console/stops/{stop.pk}/").status_code == 200
    cashier = sign_in(cast.platform.cashier).get(f"/console/stops/{stop.pk}/")
    assert cashier.status_code == 200 and "Identifiers were seen" not in cashier.content.decode(), (
        "the file is for those in charge"
    )


def test_the_list_costs_the_same_queries_however_many_stops(cast, offer, sign_in, clock):
    client = sign_in(cast.platform.reviewer)

    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert client.get("/console/stops/").status_code == 200
        return len(seen)

    start(client, offer)
    queries()
    few = queries()
    start(client, offer, kind="operator", target=cast.operator.organisation.slug)
    assert queries() == few


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_public_and_the_shop_see_a_stop(cast, offer, held, sign_in, client, language):
    client.cookies["django_language"] = language
    before = client.get(f"/products/{offer.product.code}/").content.decode()
    assert "答复内容有误" not in before
    start(sign_in(cast.platform.reviewer), offer, kind="operator", target=cast.operator.organisation.uscc)
    page = client.get(f"/products/{offer.product.code}/").content.decode()
    assert "答复内容有误" in page and "Identifiers" not in page
    listed = client.get(f"/operators/{cast.operator.organisation.slug}/capabilities")
    assert "答复内容有误" in listed.content.decode()
    rows = client.get(f"/operators/{cast.operator.organisation.slug}/capabilities.csv").content.decode()
    assert ",stopped" in rows


def test_nothing_new_is_sold_of_what_is_stopped_and_nothing_to_a_buyer_who_is(cast, offer, held, sign_in):
    buyer = sign_in(cast.buyer.owner)
    wanted = {
        "product": offer.product.code,
        "plan": offer.plan.pk,
        "purpose": "industry.finance.pre_loan",
        "scenario": offer.product.scenarios[0],
    }
    stop = start(sign_in(cast.platform.reviewer), offer)
    assert buyer.get(f"/products/{offer.product.code}/").context["buy_form"] is None
    from market.storefront.baskets import basket_add
    from products.models import Membership
    from products.record.clock import now
    from settlement.entitlements.stop_selectors import StoppedInAnEmergency

    def add(user):
        return basket_add(
            membership=Membership.objects.get(user=user),
            product=offer.product,
            plan=offer.plan,
            purpose=wanted["purpose"],
            scenario=wanted["scenario"],
            expected_units={},
            user=user,
            at=now(),
        )

    with pytest.raises(StoppedInAnEmergency):
        add(cast.buyer.owner)
    sign_in(cast.platform.reviewer).post(f"/console/stops/{stop.pk}/ask/", {"outcome": "recovery", "reason": "x"})
    sign_in(cast.data_bureau.owner).post(f"/console/stops/{stop.pk}/lift/", {"outcome": "recovery"})
    add(cast.buyer.owner)
    start(sign_in(cast.platform.reviewer), offer, kind="buyer", target=cast.buyer.organisation.name)
    with pytest.raises(StoppedInAnEmergency):
        add(cast.buyer.owner)
    add(cast.buyer_b.owner)
    checkout = buyer.get("/basket/").context
    assert checkout is not None


def test_the_buyer_sees_the_stop_on_the_list_and_on_the_page_of_what_it_holds(cast, offer, held, sign_in):
    buyer = sign_in(cast.buyer.owner)
    assert "答复内容有误" not in buyer.get(f"/console/buyer/entitlements/{held.code}/").content.decode()
    start(sign_in(cast.platform.reviewer), offer)
    buyer = sign_in(cast.buyer.owner)
    assert "答复内容有误" in buyer.get(f"/console/buyer/entitlements/{held.code}/").content.decode()
    assert ">应急停用</a>" in buyer.get("/console/buyer/").content.decode()


def test_the_menu_marks_the_page_that_a_deeper_page_stands_under(cast, sign_in):
    page = sign_in(cast.platform.reviewer).get(NEW).content.decode()
    assert page.count('<a href="/console/stops/" aria-current="true">') == 1
