"""The consoles of the ground floor: each page works, refuses the wrong method and the wrong person, and counts its queries."""

from __future__ import annotations

import pytest

from products.models import AuditEntry, Membership, Organisation
from products.organisations import services
from products.record import evidence
from tests.factories.cast import make_uscc
from tests.factories.ground import make_authorisation, make_registration, make_resource
from tests.products.record.test_audit import as_superuser, write

pytestmark = pytest.mark.django_db

PAGES = {
    "/console/organisation/": ("buyer", "developer"),
    "/console/organisation/members/": ("buyer", "developer"),
    "/console/platform/": ("platform", "reviewer"),
    "/console/platform/calendar/": ("platform", "owner"),
    "/console/provider/": ("provider", "owner"),
    "/console/provider/resources/new/": ("provider", "owner"),
    "/console/auditor/": ("auditor", "owner"),
    "/console/auditor/chain/": ("auditor", "owner"),
}


def person(cast, who):
    return getattr(getattr(cast, who[0]), who[1])


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("url", PAGES)
def test_the_page_opens_for_the_right_person(client, cast, url, language):
    client.force_login(person(cast, PAGES[url]))
    client.cookies["django_language"] = language
    assert client.get(url).status_code == 200
    assert client.delete(url).status_code == 405


@pytest.mark.parametrize("url", PAGES)
def test_the_page_stays_closed_to_everyone_else(client, cast, url):
    assert client.get(url).url.startswith("/sign-in/")
    for outsider in (cast.stranger, cast.operator.owner, cast.buyer.owner):
        client.force_login(outsider)
        is_own = "organisation/" in url and outsider is not cast.stranger
        assert client.get(url).status_code == (200 if is_own else 403)


@pytest.mark.parametrize(
    "url", ["/console/platform/", "/console/auditor/", "/console/provider/", "/console/organisation/members/"]
)
def test_a_longer_list_takes_no_more_queries(client, cast, clock, url, django_assert_max_num_queries):
    for serial in range(900, 912):
        services.organisation_register(uscc=make_uscc(serial), name=f"机构{serial}", kind="enterprise", user=None, at=clock.now)
        make_registration(cast, clock.now, make_resource(cast, clock.now, code=f"R-{serial}"))
    for number in range(6):
        services.member_add(
            organisation=cast.buyer.organisation,
            user=type(cast.stranger).objects.create_user(f"m{number}@x.example"),
            roles=["developer"],
            actor=cast.buyer.owner,
            at=clock.now,
        )
    client.force_login(cast.buyer.owner if "members" in url else person(cast, PAGES[url]))
    with django_assert_max_num_queries(12):
        assert client.get(url).status_code == 200


@pytest.fixture
def newcomer(cast, clock):
    organisation = services.organisation_register(
        uscc=make_uscc(900), name="新来企业", kind="price_regulator", user=cast.stranger, at=clock.now
    )
    file = evidence.keep(
        organisation=organisation,
        user=cast.stranger,
        file_name="执照.pdf",
        content=b"%PDF-1.7 x",
        purpose="certificate",
        at=clock.now,
    )
    return organisation, file


def test_the_platform_verifies_after_seeing_the_certificate(client, cast, newcomer):
    organisation, file = newcomer
    client.force_login(cast.platform.reviewer)
    page = client.get("/console/platform/").content.decode()
    assert f"/evidence/{file.pk}/" in page
    assert client.post(f"/console/platform/organisations/{organisation.pk}/", {"action": "verify"}).status_code == 302
    organisation.refresh_from_db()
    assert (organisation.state, organisation.verified_by) == ("verified", cast.platform.reviewer)
    assert client.get(f"/console/platform/organisations/{organisation.pk}/").status_code == 405
    assert client.post("/console/platform/organisations/0/").status_code == 404
    assert client.get("/console/platform/?state=other").status_code == 404


def test_an_unverified_regulator_opens_no_regulators_page(client, cast, newcomer):
    from django.http import HttpResponse
    from django.test import RequestFactory

    from market.storefront.access import role_required

    page = role_required(kinds=["price_regulator"])(lambda request: HttpResponse("in"))
    request = RequestFactory().get("/")
    request.user, request.session = cast.stranger, {}
    assert page(request).status_code == 403
    Organisation.objects.filter(pk=newcomer[0].pk).update(
        state="verified", verified_by=cast.platform.owner, verified_at=cast.buyer.organisation.verified_at
    )
    again = RequestFactory().get("/")
    again.user, again.session = cast.stranger, {}
    assert page(again).status_code == 200


def test_evidence_is_a_download_for_those_it_concerns_only(client, cast, newcomer):
    url = f"/evidence/{newcomer[1].pk}/"
    for reader in (cast.stranger, cast.platform.reviewer, cast.auditor.owner):
        client.force_login(reader)
        answer = client.get(url)
        assert answer.status_code == 200
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
    for outsider in (cast.buyer.owner, cast.operator.owner, cast.regulator.owner):
        client.force_login(outsider)
        assert client.get(url).status_code == 404
    assert client.post(url).status_code == 405


def test_an_owner_changes_roles_and_others_do_not(client, cast):
    member = Membership.objects.get(user=cast.buyer.developer)
    url = f"/console/organisation/members/{member.pk}/"
    client.force_login(cast.buyer.developer)
    assert client.post(url, {"roles": ["owner"], "action": "save"}).status_code == 403
    client.force_login(cast.buyer_b.owner)
    assert client.post(url, {"roles": ["owner"], "action": "save"}).status_code == 404
    client.force_login(cast.buyer.owner)
    assert client.get(url).status_code == 405
    client.post(url, {"roles": ["developer", "buyer"], "action": "save"})
    member.refresh_from_db()
    assert member.roles == ["buyer", "developer"]
    client.post(url, {"action": "end"})
    member.refresh_from_db()
    assert not member.is_active


def test_the_platform_loads_a_year(client, cast):
    client.force_login(cast.platform.owner)
    wrong = client.post("/console/platform/calendar/", {"year": 2027, "source": "号", "days": "2027-01-01,holiday"})
    assert wrong.status_code == 422
    right = client.post("/console/platform/calendar/", {"year": 2027, "source": "号", "days": "2027-01-01,off,元旦"})
    assert right.status_code == 302
    assert AuditEntry.objects.filter(action="calendar.loaded", actor=cast.platform.owner).exists()


RESOURCE = {
    "code": "R-9",
    "name": "港口集装箱动态",
    "data_class": "港航物流",
    "grade": "2",
    "open_type": "conditional",
    "provenance": "own",
    "update_frequency": "daily",
    "dictionary": "teu,integer,集装箱量,Containers\nport,string,港区",
}


def test_a_provider_enters_a_resource_with_its_dictionary(client, cast, clock):
    client.force_login(cast.provider.owner)
    answer = client.post("/console/provider/resources/new/", RESOURCE)
    assert answer.status_code == 302
    make_page = client.get(answer.url).content.decode()
    assert "集装箱量" in make_page
    assert client.post("/console/provider/resources/new/", RESOURCE | {"code": "R-8", "grade": "4"}).status_code == 422
    assert client.post("/console/provider/resources/new/", RESOURCE | {"code": "R-7", "dictionary": "teu"}).status_code == 422


def test_a_resource_page_shows_who_may_build_and_only_to_its_provider(client, cast, clock):
    resource = make_resource(cast, clock.now)
    make_registration(cast, clock.now, resource)
    make_authorisation(cast, clock.now, scope=[(resource, "model", "industry.finance.pre_loan", "small-business-lending")])
    client.force_login(cast.provider.owner)
    assert "甬数公共数据运营公司" in client.get(f"/console/provider/resources/{resource.pk}/").content.decode()
    resource.__class__.objects.filter(pk=resource.pk).update(provider=cast.registry.organisation)
    assert client.get(f"/console/provider/resources/{resource.pk}/").status_code == 404


def test_the_auditor_filters_the_trail_and_sees_a_break(client, cast, clock):
    write(cast, clock.now)
    client.force_login(cast.auditor.owner)
    shown = client.get(
        "/console/auditor/", {"organisation": cast.buyer.organisation.uscc, "from_date": "2026-10-20", "to_date": "2026-10-20"}
    )
    assert len(shown.context["page"].object_list) == 5
    assert len(client.get("/console/auditor/", {"action": "tariff"}).context["page"].object_list) == 0
    assert client.get("/console/auditor/", {"from_date": "rubbish"}).status_code == 200
    assert client.get("/console/auditor/chain/").context["breaks"] == []
    as_superuser("UPDATE products_auditentry SET reason = 'x' WHERE id = 2")
    assert [found.entry_id for found in client.get("/console/auditor/chain/").context["breaks"]] == [2]
