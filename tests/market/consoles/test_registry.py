"""The registration institution's pages: issue a registration, see it, end it; nobody else's."""

from __future__ import annotations

import pytest

from products.models import Registration
from products.record import clock
from tests.factories.ground import make_registration, make_resource

pytestmark = pytest.mark.django_db
PAGE = "/console/registry/"


def resource_of(cast, code="R-SB-001"):
    return make_resource(cast, clock.now(), code=code)


def registered(cast, code="R-SB-001"):
    return make_registration(cast, clock.now(), resource_of(cast, code))


@pytest.fixture
def registrar(client, cast):
    client.force_login(cast.registry.owner)
    return client


def test_a_resource_is_registered_and_the_end_is_worked_out(registrar, cast):
    resource = resource_of(cast)
    assert registrar.get(f"{PAGE}new/").status_code == 200
    typed = {"resource": resource.pk, "code": "330200-R-77", "level": "city", "region": "330200", "issued_date": "2026-10-20"}
    assert registrar.post(f"{PAGE}new/", typed).status_code == 302
    registration = Registration.objects.get(code="330200-R-77")
    assert (registration.registry, registration.holder) == (cast.registry.organisation, resource.provider)
    assert registration.valid_to.isoformat() == "2029-10-19"
    assert "330200-R-77" in registrar.get(PAGE).content.decode()


def test_a_code_that_is_taken_is_refused_beside_its_field(registrar, cast):
    taken = registered(cast)
    typed = {"resource": taken.resource.pk, "code": taken.code, "level": "city", "issued_date": "2026-10-20"}
    answer = registrar.post(f"{PAGE}new/", typed)
    assert answer.status_code == 422 and taken.code in answer.content.decode()
    assert Registration.objects.count() == 1


def test_a_registration_ends_with_a_reason_and_only_by_its_registry(registrar, cast):
    registration = registered(cast)
    registrar.post(f"{PAGE}{registration.pk}/cancel/", {"reason": ""})
    registration.refresh_from_db()
    assert registration.state == "valid"
    registrar.post(f"{PAGE}{registration.pk}/cancel/", {"reason": "数据灭失"})
    registration.refresh_from_db()
    assert registration.state == "cancelled"
    assert registrar.post(f"{PAGE}999999/cancel/", {"reason": "x"}).status_code == 404
    registrar.force_login(cast.provider.owner)
    assert registrar.post(f"{PAGE}{registration.pk}/cancel/", {"reason": "x"}).status_code == 403


def test_the_pages_answer_the_right_people_and_methods(client, cast, django_assert_max_num_queries):
    assert client.get(PAGE).status_code == 302
    client.force_login(cast.buyer.owner)
    assert client.get(PAGE).status_code == 403 and client.get(f"{PAGE}new/").status_code == 403
    client.force_login(cast.registry.owner)
    assert client.post(PAGE).status_code == 405 and client.get(f"{PAGE}1/cancel/").status_code == 405
    for number in range(3):
        registered(cast, f"R-{number}")
    with django_assert_max_num_queries(12):
        assert client.get(PAGE).status_code == 200
