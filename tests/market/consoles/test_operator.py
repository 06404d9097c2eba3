"""The operator's pages: file a product with a form or a spec, see what is missing, list, suspend, delist, plans, try, keys."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from market.consoles.operator import starters
from pricing.tariffs.models import Plan
from pricing.tariffs.services import plan_open
from products.catalogue.models import DataProduct, ReviewRecord
from products.catalogue.services import review_decide
from products.record.models import AuditEntry
from products.runtimes import host
from products.runtimes.base import ReleaseSpec
from products.runtimes.remoteconfig import check_config
from settlement.entitlements import keys as key_format
from settlement.entitlements.models import ApiKey
from tests.market.consoles.conftest import DATA

pytestmark = pytest.mark.django_db
HOME = "/console/operator/"
PRODUCT = "/console/operator/products/port-index/"
KEYS = "/console/operator/usage-keys/"
SPEC = """
code: port-index
operator: {operator}
type: index
name: {{zh: 港口景气指数, en: Port index}}
summary: {{zh: 按月发布, en: Monthly}}
authorisation: 江数授〔2026〕001号
resources: [JZ-PORT-001]
purposes: [industry.logistics]
scenarios: [port-logistics]
necessity: 弥补成本
release:
  data: data/port.csv
  config: {{series: {{composite: {{unit: 2020=100, label: 综合}}}}}}
  samples: [{{ask: latest}}]
"""


def pass_reviews(product, reviewer, at):
    for review in product.reviews.filter(state=ReviewRecord.State.REQUESTED):
        review_decide(review=review, is_passed=True, reason="合规", by=reviewer, at=at)


def codes(answer):
    return [str(step.message) for step in answer.context["steps"]]


# --- Filing -------------------------------------------------------------------------------------------------------------------


def test_the_choice_offers_what_the_authorisation_allows(operator, ground):
    held = operator.get(HOME + "products/new/").context["held"]
    assert [(authorisation.pk, [kind for kind, _label in types]) for authorisation, types in held] == [
        (ground.authorisation.pk, ["index", "report"])
    ]


def test_the_form_offers_the_scope_and_nothing_else(operator, ground):
    form = operator.get(ground.form_url).context["form"]
    assert [code for code, _ in form.fields["resources"].choices] == ["JZ-PORT-001"]
    assert [code for code, _ in form.fields["purposes"].choices] == ["governance.planning", "industry.logistics"]
    assert [code for code, _ in form.fields["scenarios"].choices] == ["port-logistics"]
    assert form["input_schema"].value() == ""


def test_the_form_files_a_draft_with_a_proven_release_and_asks_for_both_reviews(product, cast):
    release = product.releases.get()
    assert (product.state, product.operator, release.version, release.state) == ("draft", cast.operator.organisation, 1, "active")
    assert release.sample_output["points"][0]["value"] == "100.2"
    assert {review.kind for review in product.reviews.all()} == {"compliance", "security"}
    assert AuditEntry.objects.filter(action="product.filed", actor=cast.operator.owner).count() == 1


def test_a_purpose_outside_the_scope_is_no_choice(operator, ground):
    answer = operator.post(ground.form_url, ground.form(purposes=["industry.finance"]))
    assert answer.status_code == 422
    assert "purposes" in answer.context["form"].errors
    assert not DataProduct.objects.exists()


def test_a_sample_that_the_release_cannot_answer_is_named_at_the_samples(operator, ground):
    answer = operator.post(ground.form_url, ground.form(samples='[{"ask": "latest"}, {"ask": "date"}]'))
    assert answer.status_code == 422
    assert "samples" in answer.context["form"].errors
    assert not DataProduct.objects.exists()


def test_a_bad_data_file_is_named_at_the_data(operator, ground):
    bad = SimpleUploadedFile("port.csv", b"date,value\n2026-01-31,much\n")
    answer = operator.post(ground.form_url, ground.form(data=bad))
    assert answer.status_code == 422
    assert not DataProduct.objects.exists()


def test_a_listing_rule_that_fails_is_told_and_nothing_is_saved(operator, ground):
    answer = operator.post(ground.form_url, ground.form(necessity=""))
    assert answer.status_code == 422
    assert [gap.code for gap in answer.context["gaps"]] == ["necessity_missing"]
    assert not DataProduct.objects.exists()


def test_a_type_that_the_scope_does_not_name_leads_back_to_the_choice(operator, ground):
    answer = operator.get(ground.form_url.replace("type=index", "type=model"))
    assert (answer.status_code, answer["Location"]) == (302, HOME + "products/new/")


def upload(client, spec, data=DATA):
    files = {"spec": SimpleUploadedFile("spec.yaml", spec.encode()), "data": SimpleUploadedFile("any.csv", data.encode())}
    return client.post(HOME + "products/upload/", files)


def test_a_spec_and_its_data_file_are_filed_by_upload(operator, ground, cast):
    spec = SPEC.format(operator=cast.operator.organisation.uscc)
    assert upload(operator, spec).status_code == 302
    assert DataProduct.objects.get().releases.get().version == 1
    again = upload(operator, spec)
    assert again.status_code == 302
    assert DataProduct.objects.get().releases.count() == 1


def test_a_spec_of_another_operator_is_refused(operator, ground, cast):
    answer = upload(operator, SPEC.format(operator=cast.operator_b.organisation.slug))
    assert answer.status_code == 422
    assert "/operator" in str(answer.context["form"].non_field_errors())


@pytest.mark.parametrize("spec", ["just text", "code: [", "- a\n- b\n", "code: port-index\n"])
def test_what_is_no_spec_is_refused_with_where(operator, ground, spec):
    answer = upload(operator, spec)
    assert answer.status_code == 422
    assert answer.context["form"].errors


# --- One product --------------------------------------------------------------------------------------------------------------


def test_the_product_page_lists_what_is_missing_and_where_to_mend_it(operator, product):
    answer = operator.get(PRODUCT)
    assert len(answer.context["steps"]) == 3
    urls = [step.url for step in answer.context["steps"]]
    assert urls == ["#reviews", "#reviews", PRODUCT + "plans/new/"]
    assert PRODUCT + "list/" not in answer.content.decode()


def test_a_missing_price_leads_to_the_plans_tariff(operator, product, clock, cast):
    plan = plan_open(
        product=product, code="standard", name="标准", purposes=["industry.logistics"], user=cast.operator.owner, at=clock.now
    )
    step = operator.get(PRODUCT).context["steps"][-1]
    assert step.url == f"/console/operator/tariffs/plans/{plan.pk}/new/"
    assert operator.get(step.url).status_code == 200


def test_listing_too_early_shows_every_gap(operator, product):
    answer = operator.post(PRODUCT + "list/")
    assert answer.status_code == 409
    assert answer.context["refusal"].code == "listing_refused"
    assert len(answer.context["steps"]) == 3
    product.refresh_from_db()
    assert product.state == "draft"


def test_a_free_product_is_listed_suspended_with_a_reason_listed_again_and_delisted(operator, ground, cast, clock):
    operator.post(ground.form_url, ground.form(regime="free", necessity=""))
    product = DataProduct.objects.get()
    pass_reviews(product, cast.data_bureau.reviewer, clock.move(hours=1))
    assert operator.get(PRODUCT).context["steps"] == []
    for act, reason, state in (
        ("list", "", "listed"),
        ("suspend", "数据源检修", "suspended"),
        ("list", "", "listed"),
        ("delist", "产品到期", "delisted"),
    ):
        assert operator.post(f"{PRODUCT}{act}/", {"reason": reason}).status_code == 302
        product.refresh_from_db()
        assert product.state == state
    assert product.state_reason == "产品到期"
    assert operator.get(PRODUCT).context["is_over"]


def test_stopping_without_a_reason_is_refused(operator, product):
    answer = operator.post(PRODUCT + "delist/", {"reason": " "})
    assert answer.status_code == 409
    assert answer.context["refusal"].code == "reason_missing"


def test_a_new_release_of_a_listed_product_waits_for_its_reviews(operator, ground, cast, clock):
    operator.post(ground.form_url, ground.form(regime="free", necessity=""))
    product = DataProduct.objects.get()
    pass_reviews(product, cast.data_bureau.reviewer, clock.move(hours=1))
    operator.post(PRODUCT + "list/")
    clock.move(hours=1)
    data = SimpleUploadedFile("port.csv", (DATA + "2026-03-31,2026-04-10,103\n").encode())
    change = ground.form(regime="free", necessity="", data=data)
    change.pop("code")
    assert operator.post(PRODUCT + "change/", change).status_code == 302
    assert list(product.releases.order_by("version").values_list("version", "state")) == [(1, "active"), (2, "draft")]
    assert operator.post(PRODUCT + "releases/2/activate/").status_code == 409
    pass_reviews(product, cast.data_bureau.reviewer, clock.move(hours=1))
    assert "releases/2/activate/" in operator.get(PRODUCT).content.decode()
    assert operator.post(PRODUCT + "releases/2/activate/").status_code == 302
    assert list(product.releases.order_by("version").values_list("version", "state")) == [(1, "retired"), (2, "active")]


def test_the_change_form_begins_with_what_was_filed(operator, product):
    form = operator.get(PRODUCT + "change/").context["form"]
    assert form["name_en"].value() == "Port index"
    assert '"ask": "latest"' in form["samples"].value()


def test_reviews_are_asked_for_anew(operator, product, clock, cast):
    pass_reviews(product, cast.data_bureau.reviewer, clock.now)
    clock.move(hours=1)
    assert operator.post(PRODUCT + "reviews/").status_code == 302
    assert product.reviews.filter(state="requested", requested_at=clock.now).count() == 2


def test_trying_runs_the_release_and_meters_nothing(operator, product):
    answer = operator.post(PRODUCT + "try/", {"body": '{"ask": "date", "date": "2026-02-28", "vintage": "2026-03-15"}'})
    assert "99.8" in answer.context["tried"].output
    assert answer.context["tried"].units == {"calls": "1"}
    bad = operator.post(PRODUCT + "try/", {"body": '{"ask": "never"}'})
    assert bad.context["tried"].errors[0]["pointer"] == "/ask"
    assert operator.post(PRODUCT + "try/", {"body": "{"}).status_code == 422
    assert operator.get(PRODUCT + "try/?version=9").status_code == 404


def test_a_plan_is_opened_for_charged_purposes_only(operator, product):
    form = operator.get(PRODUCT + "plans/new/").context["form"]
    assert [code for code, _ in form.fields["purposes"].choices] == ["industry.logistics"]
    data = {"code": "standard", "name": "标准", "purposes": ["industry.logistics"], "term_months": 12, "rate_per_minute": 600}
    assert operator.post(PRODUCT + "plans/new/", data).status_code == 302
    assert Plan.objects.get().purposes == ["industry.logistics"]
    again = operator.post(PRODUCT + "plans/new/", data)
    assert again.status_code == 422
    assert "code" in again.context["form"].errors


# --- Usage keys ---------------------------------------------------------------------------------------------------------------


def test_a_usage_key_is_shown_once_and_kept_as_a_digest(operator, cast):
    answer = operator.post(KEYS, {"name": "核验服务"})
    secret = answer.context["secret"]
    assert secret.startswith("gs_op_")
    key = ApiKey.objects.get(organisation=cast.operator.organisation)
    assert bytes(key.digest) == key_format.digest(secret)
    assert answer["Cache-Control"].startswith("max-age=0")
    assert secret not in operator.get(KEYS).content.decode()


def test_a_third_usage_key_is_refused_until_one_is_revoked(operator, clock):
    for name in ("a", "b"):
        operator.post(KEYS, {"name": name})
    refused = operator.post(KEYS, {"name": "c"})
    assert (refused.status_code, refused.context["refusal"].code) == (409, "too_many_keys")
    key = ApiKey.objects.get(name="a")
    assert operator.post(f"{KEYS}{key.pk}/revoke/").status_code == 302
    key.refresh_from_db()
    assert key.revoked_at == clock.now
    assert operator.post(KEYS, {"name": "c"}).status_code == 200


# --- Who may, and what it costs ----------------------------------------------------------------------------------------------

PAGES = [PRODUCT, PRODUCT + "change/", PRODUCT + "try/", PRODUCT + "plans/new/"]
ACTS = [PRODUCT + act for act in ("reviews/", "list/", "suspend/", "delist/", "releases/1/activate/")]
OPEN = [HOME, HOME + "products/new/", HOME + "products/upload/", KEYS]


def test_another_operators_product_and_key_are_not_found(client, operator, product, cast):
    operator.post(KEYS, {"name": "a"})
    key = ApiKey.objects.get()
    client.force_login(cast.operator_b.owner)
    assert {client.get(url).status_code for url in PAGES} == {404}
    assert {client.post(url).status_code for url in [*ACTS, f"{KEYS}{key.pk}/revoke/"]} == {404}
    assert "port-index" not in client.get(HOME).content.decode()
    key.refresh_from_db()
    assert key.revoked_at is None


def test_strangers_and_other_kinds_stay_out(client, cast, product):
    client.logout()
    assert {client.get(url).status_code for url in [*OPEN, *PAGES]} == {302}
    for person in (cast.stranger, cast.buyer.owner, cast.authority.owner):
        client.force_login(person)
        assert {client.get(url).status_code for url in [*OPEN, *PAGES]} == {403}
        assert {client.post(url).status_code for url in ACTS} == {403}


def test_a_member_without_a_role_reads_but_does_not_act(client, cast, product):
    client.force_login(cast.operator.checker)
    page = client.get(PRODUCT)
    assert page.status_code == 200
    assert "delist/" not in page.content.decode()
    assert {client.post(url).status_code for url in ACTS} == {403}
    assert client.get(PRODUCT + "change/").status_code == 403


def test_acts_take_posts_only(operator, product):
    assert {operator.get(url).status_code for url in ACTS} == {405}
    assert operator.post(HOME).status_code == 405


def test_the_overview_costs_the_same_however_many_products(operator, ground, product, queries_of, clock):
    few = queries_of(operator, HOME)
    for number in range(3):
        operator.post(ground.form_url, ground.form(code=f"port-{number}", data=SimpleUploadedFile("d.csv", DATA.encode())))
    assert DataProduct.objects.count() == 4
    assert queries_of(operator, HOME) == few <= 24
    assert len(operator.get(HOME).context["rows"]) == 4


def test_the_product_page_costs_the_same_however_many_releases(operator, ground, product, queries_of, clock):
    few = queries_of(operator, PRODUCT)
    for number in range(3):
        clock.move_to(clock.now + timedelta(hours=1))
        extra = SimpleUploadedFile("d.csv", (DATA + f"2026-0{number + 3}-15,2026-08-10,103\n").encode())
        change = ground.form(data=extra)
        change.pop("code")
        assert operator.post(PRODUCT + "change/", change).status_code == 302
    assert queries_of(operator, PRODUCT) == few <= 40


# --- Remote releases ----------------------------------------------------------------------------------------------------------


def test_a_remote_release_needs_no_data_file_in_the_form(operator, ground):
    config = {"runtime": "remote", "url": "https://api.example.com:8443/port"}
    form = ground.form(config=json.dumps(config), samples="[{}]", **schemas())
    form.pop("data")
    answer = operator.post(ground.form_url, form)
    assert answer.status_code == 422 and "data" not in answer.context["form"].errors
    assert "api.example.com:8443" in answer.content.decode(), "its host is not allowed yet: that is all that is missing"
    assert not DataProduct.objects.exists()
    with_file = operator.post(ground.form_url, form | {"data": SimpleUploadedFile("port.csv", DATA.encode())})
    assert with_file.status_code == 422 and list(with_file.context["form"].errors) == ["data"]


def test_another_release_still_needs_its_data_file(operator, ground):
    form = ground.form()
    form.pop("data")
    answer = operator.post(ground.form_url, form)
    assert answer.status_code == 422 and list(answer.context["form"].errors) == ["data"]
    spec = SPEC.format(operator="operator")
    for text in (spec, spec.replace("  data: data/port.csv\n", "")):
        answer = operator.post(HOME + "products/upload/", {"spec": SimpleUploadedFile("spec.yaml", text.encode())})
        assert answer.status_code == 422 and list(answer.context["form"].errors) == ["data"]
    unnamed = upload(operator, spec.replace("  data: data/port.csv\n", ""))
    assert unnamed.status_code == 422 and list(unnamed.context["form"].errors) == ["data"]
    assert not DataProduct.objects.exists()


def test_the_starter_of_a_remote_product_is_right_but_for_its_host():
    given = starters.starter_of("remote")
    schemas = {name: given[name] for name in ("input_schema", "output_schema")}
    release = ReleaseSpec(product_code="new", version=1, type="remote", config=given["config"], artifact=b"", **schemas)
    check_config(release)
    host.Schema(given["input_schema"], where="").check(given["samples"][0])
    assert set(starters.CONFIGS) == set(starters.SAMPLES) == set(starters.DATA_HINTS) == set(host.RUNNING_TYPES)


def schemas() -> dict[str, str]:
    given = starters.SCHEMAS["remote"]
    loose = {"type": "object", "additionalProperties": False, "properties": {}}
    return {"input_schema": json.dumps(loose), "output_schema": json.dumps(given["output_schema"])}
