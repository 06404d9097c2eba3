"""The authorising body's pages: draft with gaps, scope, activation by another person, stop and end, the decision record."""

from __future__ import annotations

from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from products.registry.models import Authorisation
from tests.factories.ground import CLAUSES, make_authorisation, make_resource

pytestmark = pytest.mark.django_db
INDEX = "/console/authority/authorisations/"
PAGES = ["", "change/", "evidence/"]
ACTS = ["scope/", "activate/", "suspend/", "resume/", "end/"]


@pytest.fixture
def body(client, cast):
    client.force_login(cast.authority.owner)
    return client


@pytest.fixture
def draft(cast, clock):
    return make_authorisation(cast, clock.now, active=False)


@pytest.fixture
def resource(cast, clock):
    return make_resource(cast, clock.now)


def draft_data(cast, **changes):
    data = {
        "number": "甬数授〔2026〕9号",
        "title": "港航数据授权运营",
        "operator": cast.operator.organisation.pk,
        "mode": "scenario",
        "from_date": "2026-11-01",
        "to_date": "2029-10-31",
    }
    return data | changes


def scope_data(resource, **changes):
    data = {
        "resources": [resource.code],
        "types": ["model", "index"],
        "purposes": ["industry.finance.pre_loan", "governance"],
        "scenarios": ["consumer-credit"],
    }
    return data | changes


def test_a_draft_is_made_in_the_browser_and_says_what_it_lacks(body, cast):
    answer = body.post(INDEX + "new/", draft_data(cast), follow=True)
    authorisation = Authorisation.objects.get(number="甬数授〔2026〕9号")
    assert authorisation.drafted_by == cast.authority.owner
    assert authorisation.state == "draft"
    assert set(answer.context["missing"]) == {*CLAUSES, "scope"}
    assert answer.redirect_chain == [(f"{INDEX}{authorisation.pk}/", 302)]


def test_the_draft_is_filled_in_with_its_decision_record(body, draft):
    file = SimpleUploadedFile("minutes.pdf", b"%PDF-1.4 minutes", content_type="application/pdf")
    data = {"title": "新标题", "mode": "field", "from_date": "2026-01-01", "to_date": "2028-12-31", "evidence": file}
    data |= {name: "改" for name in ("conditions", "operating_model", "term_clause", "exit_clause", "security_duties")}
    answer = body.post(f"{INDEX}{draft.pk}/change/", data | {"decision_reference": "纪要3号", "decision_date": "2025-12-02"})
    assert answer.status_code == 302
    draft.refresh_from_db()
    assert (draft.title, draft.mode, draft.exit_clause) == ("新标题", "field", "改")
    assert draft.number == "江数授〔2026〕001号"
    download = body.get(f"{INDEX}{draft.pk}/evidence/")
    assert download.content == b"%PDF-1.4 minutes"
    assert download["Content-Disposition"].startswith("attachment")


def test_a_wrong_file_keeps_the_draft_as_it_was(body, draft):
    file = SimpleUploadedFile("minutes.exe", b"MZ\x00\x01", content_type="application/pdf")
    data = {"title": "新标题", "mode": "field", "from_date": "2026-01-01", "to_date": "2028-12-31", "evidence": file}
    answer = body.post(f"{INDEX}{draft.pk}/change/", data)
    assert answer.status_code == 422
    assert "evidence" in answer.context["form"].errors
    draft.refresh_from_db()
    assert draft.title == "金融场景公共数据授权运营"


def test_a_term_of_more_than_five_years_is_refused_at_its_field(body, cast):
    answer = body.post(INDEX + "new/", draft_data(cast, to_date="2031-11-01"))
    assert answer.status_code == 422
    assert "to_date" in answer.context["form"].errors


def test_each_combination_becomes_a_scope_item(body, draft, resource):
    answer = body.post(f"{INDEX}{draft.pk}/scope/", scope_data(resource))
    assert answer.status_code == 302
    found = draft.scope_items.values_list("resource__code", "product_type", "purpose_id", "scenario_id")
    assert set(found) == {
        (resource.code, kind, purpose, "consumer-credit")
        for kind in ("model", "index")
        for purpose in ("industry.finance.pre_loan", "governance")
    }


def test_a_resource_that_is_not_open_is_not_offered(body, draft, cast, clock):
    closed = make_resource(cast, clock.now, code="R-CLOSED", grade=4, open_type="closed")
    answer = body.post(f"{INDEX}{draft.pk}/scope/", scope_data(closed))
    assert answer.status_code == 422
    assert not draft.scope_items.exists()


def test_a_shared_resource_without_consent_adds_nothing(body, draft, cast, clock, resource):
    shared = make_resource(cast, clock.now, code="R-SHARED", provenance="shared")
    answer = body.post(f"{INDEX}{draft.pk}/scope/", scope_data(resource, resources=[resource.code, shared.code]))
    assert answer.status_code == 409
    assert answer.context["refusal"].code == "shared_without_consent"
    assert not draft.scope_items.exists()


def test_the_drafter_is_told_to_ask_another_person(body, draft, resource):
    body.post(f"{INDEX}{draft.pk}/scope/", scope_data(resource))
    page = body.get(f"{INDEX}{draft.pk}/")
    assert page.context["is_drafter"]
    assert reverse("authority-authorisation-activate", args=[draft.pk]) not in page.content.decode()
    answer = body.post(f"{INDEX}{draft.pk}/activate/")
    assert answer.status_code == 409
    assert answer.context["refusal"].code == "drafter_activates"


def test_another_person_activates_what_is_complete(client, cast, draft, resource):
    client.force_login(cast.authority.owner)
    client.post(f"{INDEX}{draft.pk}/scope/", scope_data(resource))
    client.force_login(cast.authority.checker)
    assert "activate/" in client.get(f"{INDEX}{draft.pk}/").content.decode()
    assert client.post(f"{INDEX}{draft.pk}/activate/").status_code == 302
    draft.refresh_from_db()
    assert (draft.state, draft.activated_by) == ("active", cast.authority.checker)


def test_what_is_incomplete_is_not_activated(client, cast, draft):
    client.force_login(cast.authority.checker)
    answer = client.post(f"{INDEX}{draft.pk}/activate/")
    assert answer.status_code == 409
    assert answer.context["refusal"].code == "authorisation_incomplete"


def test_suspension_resumption_and_end_need_a_reason(client, cast, clock, resource):
    scope = [(resource, "model", "industry.finance", "consumer-credit")]
    authorisation = make_authorisation(cast, clock.now, scope=scope)
    client.force_login(cast.authority.checker)
    page = f"{INDEX}{authorisation.pk}/"
    assert client.post(page + "suspend/", {"reason": " "}).status_code == 409
    for act, state in (("suspend", "suspended"), ("resume", "active"), ("end", "ended")):
        assert client.post(f"{page}{act}/", {"reason": "整改"}).status_code == 302
        authorisation.refresh_from_db()
        assert authorisation.state == state
    assert "formaction" not in client.get(page).content.decode()


def test_an_active_authorisation_takes_no_more_scope(body, cast, clock, resource):
    scope = [(resource, "model", "industry.finance", "consumer-credit")]
    authorisation = make_authorisation(cast, clock.now, scope=scope)
    answer = body.post(f"{INDEX}{authorisation.pk}/scope/", scope_data(resource))
    assert answer.status_code == 409
    assert authorisation.scope_items.count() == 1


def test_another_bodys_authorisation_is_not_found(client, cast, draft):
    Authorisation.objects.filter(pk=draft.pk).update(authorising_body=cast.regulator.organisation)
    client.force_login(cast.authority.owner)
    assert [client.get(f"{INDEX}{draft.pk}/{page}").status_code for page in PAGES] == [404] * 3
    client.force_login(cast.authority.owner)
    assert [client.post(f"{INDEX}{draft.pk}/{act}").status_code for act in ACTS] == [404] * 5
    assert draft.number not in client.get(INDEX).content.decode()


def test_strangers_and_other_kinds_stay_out(client, cast, draft):
    addresses = [INDEX, INDEX + "new/", *(f"{INDEX}{draft.pk}/{page}" for page in PAGES)]
    assert all(client.get(url).status_code == 302 for url in addresses)
    for person in (cast.stranger, cast.operator.owner, cast.buyer.owner):
        client.force_login(person)
        assert {client.get(url).status_code for url in addresses} == {403}


def test_acts_take_posts_only(body, draft):
    assert {body.get(f"{INDEX}{draft.pk}/{act}").status_code for act in ACTS} == {405}
    assert body.post(INDEX).status_code == 405


def test_the_list_costs_the_same_however_many_there_are(body, cast, clock, draft, queries_of):
    few = queries_of(body, INDEX)
    for number in range(5):
        make_authorisation(cast, clock.now, active=False, number=f"N-{number}", from_date=date(2026, 2, 1))
    assert queries_of(body, INDEX) == few <= 12
    assert len(body.get(INDEX).context["page"].object_list) == 6


def test_one_authorisation_costs_the_same_however_wide_its_scope(body, draft, resource, queries_of):
    body.post(f"{INDEX}{draft.pk}/scope/", scope_data(resource, purposes=["governance"], types=["model"]))
    few = queries_of(body, f"{INDEX}{draft.pk}/")
    body.post(f"{INDEX}{draft.pk}/scope/", scope_data(resource))
    assert queries_of(body, f"{INDEX}{draft.pk}/") == few <= 16
