"""Thread step 1 in the browser: a person, an organisation with its certificate, an invitation."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile

from products.models import Evidence, Membership, Organisation, User
from products.organisations.members import digest
from tests.factories.cast import PASSWORD, make_uscc

pytestmark = pytest.mark.django_db


def certificate():
    return SimpleUploadedFile("营业执照.pdf", b"%PDF-1.7 ...", "application/pdf")


def test_a_visitor_becomes_owner_of_an_unverified_organisation(client, cast):
    answer = client.post("/sign-up/", {"name": "王五", "email": "Wang@New.example", "password": "kuaile-shuju-2026"})
    assert (answer.status_code, answer.url) == (302, "/sign-up/organisation/")
    filed = {"uscc": "91330200MA2T001030", "name": "新甬科技", "kind": "", "certificate": certificate()}
    assert client.post("/sign-up/organisation/", filed).url == "/console/"
    organisation = Organisation.objects.get(uscc="91330200MA2T001030")
    assert (organisation.kind, organisation.state) == ("enterprise", "unverified")
    assert Membership.objects.get(organisation=organisation).user.email == "wang@new.example"
    assert Evidence.objects.get(organisation=organisation).purpose == "certificate"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"uscc": "91330200MA2T00103Y"}, "uscc"),
        ({"uscc": "91330200ma2t001030"}, "uscc"),
        ({"certificate": SimpleUploadedFile("a.pdf", b"<html>", "application/pdf")}, "certificate"),
        ({"kind": "platform"}, "kind"),
        ({"kind": "operator", "uscc": make_uscc(1)}, "uscc"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_kept(client, cast, changes, field):
    client.force_login(cast.stranger)
    filed = {"uscc": "91330200MA2T001030", "name": "x", "kind": "", "certificate": certificate()}
    before = Organisation.objects.count()
    answer = client.post("/sign-up/organisation/", filed | changes)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert Organisation.objects.count() == before
    assert not Evidence.objects.exists()


@pytest.mark.parametrize("password", ["short", "password123", "stranger@nowhere.example"])
def test_a_weak_password_and_a_taken_address_are_refused(client, cast, password):
    assert client.post("/sign-up/", {"name": "x", "email": "new@x.example", "password": password}).status_code in {302, 422}
    answer = client.post("/sign-up/", {"name": "x", "email": "STRANGER@nowhere.example", "password": "kuaile-shuju-2026"})
    assert answer.status_code in {302, 422}
    assert User.objects.filter(email__iexact="stranger@nowhere.example").count() == 1


def test_a_person_is_never_sent_to_a_foreign_site(client):
    data = {"name": "x", "email": "new@x.example", "password": "kuaile-shuju-2026", "next": "https://evil.example/"}
    assert client.post("/sign-up/", data).url == "/sign-up/organisation/"


@pytest.mark.parametrize(
    ("code", "says"),
    [("53330200MJ8000004X", "社会组织"), ("91330200MA2T001030", "企业"), ("91330200MA2T00103Y", "末位校验码"), ("9133", "")],
)
def test_the_kind_is_proposed_while_the_code_is_typed(client, code, says):
    answer = client.get("/sign-up/kind/", {"uscc": code})
    assert says in answer.content.decode()
    assert bool(says) == bool(answer.content.strip())


def test_an_invitation_leads_the_invited_person_in(client, cast):
    client.force_login(cast.buyer.owner)
    answer = client.post("/console/organisation/members/invite/", {"email": cast.stranger.email, "roles": ["developer"]})
    assert answer.status_code == 302
    link = re.search(r"/invitations/\S+", mail.outbox[0].body)[0]
    token = link.split("/")[2]
    assert digest(token) not in mail.outbox[0].body
    client.force_login(cast.buyer_b.owner)
    assert client.post(link).status_code == 422
    client.force_login(cast.stranger)
    assert client.get(link).status_code == 200
    assert client.post(link).url == "/console/"
    assert Membership.objects.get(user=cast.stranger).roles == ["developer"]
    assert client.get("/invitations/nonsense/").status_code == 404


def test_signing_up_needs_no_more_than_this(client):
    assert client.get("/sign-up/").status_code == 200
    assert client.get("/sign-up/organisation/").url.startswith("/sign-in/")
    assert client.delete("/sign-up/").status_code == 405
    assert client.post("/sign-up/kind/").status_code == 405
    assert PASSWORD
