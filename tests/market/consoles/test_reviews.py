"""The reviewers' pages: the queue, what a reviewer sees, the decision by another person with a reason."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from products.catalogue.models import ReviewRecord
from products.organisations.models import Membership, Organisation
from tests.market.consoles.conftest import DATA

pytestmark = pytest.mark.django_db
QUEUE = "/console/platform/reviews/"


@pytest.fixture
def review(product):
    return product.reviews.get(kind="compliance")


@pytest.fixture
def reviewer(client, product, cast):
    client.force_login(cast.platform.reviewer)
    return client


def decide(client, review, decision="passed", reason="用途与场景都在授权内"):
    return client.post(f"{QUEUE}{review.pk}/", {"decision": decision, "reason": reason})


def test_the_queue_shows_both_reviews_of_a_filed_product(reviewer):
    assert [record.kind for record in reviewer.get(QUEUE).context["page"]] == ["compliance", "security"]


def test_a_reviewer_sees_statement_resources_and_sample(reviewer, review):
    page = reviewer.get(f"{QUEUE}{review.pk}/").content.decode()
    for part in ("治理和编制需要弥补成本。", "JZ-PORT-001", "latest", "port-logistics", "Yongshu Data Operations owner"):
        assert part in page


def test_the_sample_runs_on_the_page(reviewer, review):
    answer = reviewer.post(f"{QUEUE}{review.pk}/sample/")
    assert "100.2" in answer.context["tried"].output


def test_passing_names_the_person_and_the_reason(reviewer, review, cast):
    assert decide(reviewer, review).status_code == 302
    review.refresh_from_db()
    assert (review.state, review.reviewed_by, review.reason) == ("passed", cast.platform.reviewer, "用途与场景都在授权内")
    assert [record.pk for record in reviewer.get(QUEUE + "?show=decided").context["page"]] == [review.pk]


def test_not_passing_is_said_to_the_operator(reviewer, client, review, cast):
    decide(reviewer, review, "failed", "样例含个人信息")
    client.force_login(cast.operator.owner)
    assert "样例含个人信息" in client.get("/console/operator/products/port-index/").content.decode()


@pytest.mark.parametrize(("decision", "reason"), [("passed", " "), ("", "好"), ("maybe", "好")])
def test_a_decision_needs_its_reason(reviewer, review, decision, reason):
    assert decide(reviewer, review, decision, reason).status_code == 422
    review.refresh_from_db()
    assert review.state == "requested"


def test_a_review_is_decided_once(reviewer, review):
    decide(reviewer, review)
    answer = decide(reviewer, review, "failed", "再想想")
    assert answer.status_code == 409
    review.refresh_from_db()
    assert review.state == "passed"


def test_who_asked_for_a_review_does_not_decide_it(client, product, review, cast):
    membership = Membership.objects.get(user=cast.platform.reviewer)
    ReviewRecord.objects.filter(pk=review.pk).update(requested_by=membership.user)
    client.force_login(cast.platform.reviewer)
    page = client.get(f"{QUEUE}{review.pk}/")
    assert page.context["is_maker"]
    assert 'name="decision"' not in page.content.decode()
    assert decide(client, review).status_code == 409


def test_a_reviewer_of_the_operator_itself_does_not_decide(client, product, review, cast, clock):
    Membership.objects.create(
        user=cast.platform.reviewer, organisation=cast.operator.organisation, roles=["developer"], created_at=clock.now
    )
    client.force_login(cast.platform.reviewer)
    answer = decide(client, review)
    assert (answer.status_code, answer.context["refusal"].code) == (409, "not_allowed")


def test_an_authorising_body_sees_the_reviews_of_its_own_authorisations_only(client, product, review, cast, ground):
    client.force_login(cast.authority.owner)
    assert client.get(f"{QUEUE}{review.pk}/").status_code == 200
    ground.authorisation.__class__.objects.filter(pk=ground.authorisation.pk).update(authorising_body=cast.regulator.organisation)
    assert client.get(f"{QUEUE}{review.pk}/").status_code == 404
    assert client.post(f"{QUEUE}{review.pk}/sample/").status_code == 404
    assert not client.get(QUEUE).context["page"].object_list


def test_a_body_whose_certificate_is_not_checked_sees_nothing(reviewer, review, cast):
    Organisation.objects.filter(pk=cast.platform.organisation.pk).update(state="unverified")
    assert reviewer.get(f"{QUEUE}{review.pk}/").status_code == 403
    assert reviewer.get(QUEUE).status_code == 403


def test_strangers_and_others_stay_out(client, product, review, cast):
    urls = [QUEUE, f"{QUEUE}{review.pk}/"]
    client.logout()
    assert {client.get(url).status_code for url in urls} == {302}
    for person in (cast.stranger, cast.operator.owner, cast.platform.cashier, cast.buyer.owner, cast.registry.owner):
        client.force_login(person)
        assert {client.get(url).status_code for url in urls} == {403}


def test_wrong_methods_are_refused(reviewer, review):
    assert reviewer.post(QUEUE).status_code == 405
    assert reviewer.get(f"{QUEUE}{review.pk}/sample/").status_code == 405


def test_pages_cost_the_same_however_long_the_queue(reviewer, client, review, cast, ground, queries_of):
    few, one = queries_of(reviewer, QUEUE), queries_of(reviewer, f"{QUEUE}{review.pk}/")
    client.force_login(cast.operator.owner)
    for number in range(3):
        data = SimpleUploadedFile("d.csv", DATA.encode())
        assert client.post(ground.form_url, ground.form(code=f"port-{number}", data=data)).status_code == 302
    client.force_login(cast.platform.reviewer)
    assert queries_of(client, QUEUE) == few <= 12
    assert queries_of(client, f"{QUEUE}{review.pk}/") == one <= 20
