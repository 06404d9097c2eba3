import io
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction

from products.catalogue.models import DataProduct, ProductState, Release, ReviewRecord
from products.catalogue.permissions import NotAllowed
from products.catalogue.publishing import PublishRefused
from products.catalogue.services import (
    ProductStateRefused,
    ReasonMissing,
    product_delist,
    product_list,
    product_suspend,
    release_activate,
    review_decide,
)
from products.catalogue.spec import SpecRefused
from products.organisations.selectors import RoleMissing
from products.runtimes.base import ReleaseRefused
from products.runtimes.keys import variable_name

from .conftest import AT, KEY, SPECS, Priced, member, organisation

LATER = AT + timedelta(days=1)
ALL = ["port-logistics-index", "enterprise-verification", "pre-loan-score", "economic-brief"]


@pytest.mark.parametrize("name", ALL)
def test_each_kind_is_published_with_its_sample_answered(world, name):
    published = world.publish(world.spec(name))
    release = Release.objects.get(pk=published.release.pk)
    assert (published.product.state, release.state, release.version) == ("draft", "active", 1)
    assert release.sample_output
    assert {gap.code for gap in published.todo} == {"review_missing", "price_missing"}
    assert {review.requested_by for review in published.product.reviews.all()} == {world.publisher}


def test_a_sample_never_holds_a_link_that_opens_the_report(world):
    release = world.publish(world.spec("economic-brief")).release
    assert release.sample_output["url"] == "/v1/deliveries/…"


@pytest.mark.parametrize("name", ALL)
def test_the_same_spec_again_changes_nothing(world, name):
    first = world.publish(world.spec(name))
    again = world.publish(world.spec(name), at=LATER)
    assert (again.is_new_product, again.is_new_release, again.has_changed) == (False, False, False)
    assert again.release.pk == first.release.pk
    assert ReviewRecord.objects.count() == 2


def test_a_changed_spec_is_a_new_version_and_retires_the_one_before(world):
    first = world.publish()
    second = world.publish(world.spec(config={**world.spec().config, "max_points": 10}), at=LATER)
    assert (second.release.version, second.release.state) == (2, "active")
    assert Release.objects.get(pk=first.release.pk).state == "retired"
    assert second.product.reviews.filter(requested_at=LATER).count() == 2


def test_a_release_never_changes(world):
    release = world.publish().release
    for change in ({"config": {}}, {"artifact": b"x"}, {"sha256": "0" * 64}, {"version": 9}):
        with pytest.raises(IntegrityError, match="release does not change"), transaction.atomic():
            Release.objects.filter(pk=release.pk).update(**change)


def test_refused_with_all_reasons_and_nothing_saved(world):
    resource = world.resource("JZ-PORT-001")
    type(resource).objects.update(dictionary=[], open_type="closed")
    with pytest.raises(PublishRefused) as refusal:
        world.publish(world.spec(purposes=("industry.finance.pre_loan",), necessity=""))
    assert {gap.code for gap in refusal.value.gaps} == {
        "scope_purpose", "dictionary_missing", "resource_closed", "necessity_missing",
    }  # fmt: skip
    assert not DataProduct.objects.exists()


def test_names_that_are_not_known_are_a_fault_of_the_spec(world):
    spec = world.spec(operator="nobody", resources=("JZ-PORT-001", "R-NONE"), purposes=("industry.none",), authorisation="0号")
    with pytest.raises(SpecRefused) as refusal:
        world.publish(spec)
    assert [error["pointer"] for error in refusal.value.errors] == ["/operator", "/authorisation", "/resources/1", "/purposes/0"]


def test_a_sample_that_does_not_run_is_refused_at_its_place(world):
    with pytest.raises(ReleaseRefused, match="/release/samples/1/ask"):
        world.publish(world.spec(samples=({"ask": "latest"}, {"ask": "rows"})))
    with pytest.raises(ReleaseRefused, match=r"samples/0 → output/points"):
        world.publish(world.spec(output_schema={"properties": {"points": {"type": "string"}}}))


def test_a_stranger_publishes_nothing(world):
    with pytest.raises(RoleMissing):
        world.publish(by=world.stranger)
    with pytest.raises(RoleMissing):
        world.publish(by=world.reviewer)
    assert not DataProduct.objects.exists()


def test_while_listed_the_terms_stay_and_a_new_release_waits_for_its_reviews(world, listed):
    product = listed()
    with pytest.raises(PublishRefused) as refusal:
        world.publish(world.spec(purposes=("industry.logistics",)), at=LATER)
    assert [(gap.code, gap.where) for gap in refusal.value.gaps] == [("kept_while_listed", "purposes")]
    second = world.publish(world.spec(config={**world.spec().config, "max_points": 10}), at=LATER)
    assert (second.release.state, second.product.state) == ("draft", "listed")
    with pytest.raises(ProductStateRefused):
        release_activate(release=second.release, by=world.publisher, at=LATER)
    world.pass_reviews(product)
    release_activate(release=second.release, by=world.publisher, at=LATER)
    assert list(product.releases.order_by("version").values_list("state", flat=True)) == ["retired", "active"]


def test_the_type_of_a_product_never_changes(world):
    world.publish()
    with pytest.raises(PublishRefused, match="may not be listed") as refusal:
        world.publish(world.spec("economic-brief", code="port-logistics-index"))
    assert "kept_for_ever" in {gap.code for gap in refusal.value.gaps}


def test_a_review_is_decided_by_another_side_with_a_reason(world):
    review = world.publish().product.reviews.first()
    with pytest.raises(NotAllowed):
        review_decide(review=review, is_passed=True, reason="ok", by=world.publisher, at=AT)
    with pytest.raises(ReasonMissing):
        review_decide(review=review, is_passed=True, reason=" ", by=world.reviewer, at=AT)
    for kind, state in (("enterprise", "verified"), ("data_bureau", "unverified")):
        outsider = member(organisation(len(kind), kind.replace("_", "-"), kind), f"reviewer@{kind}.example", ["reviewer"])
        verified = {"verified_at": AT, "verified_by": world.reviewer} if state == "verified" else {}
        type(world.operator).objects.filter(kind=kind).update(state=state, **verified)
        with pytest.raises(NotAllowed):
            review_decide(review=review, is_passed=True, reason="ok", by=outsider, at=AT)
    review_decide(review=review, is_passed=False, reason="no purpose limit", by=world.reviewer, at=AT)
    with pytest.raises(ProductStateRefused):
        review_decide(review=review, is_passed=True, reason="changed my mind", by=world.reviewer, at=AT)


def test_listing_suspending_and_delisting(world, listed):
    product = listed()
    assert (product.state, product.listed_at) == (ProductState.LISTED, AT)
    with pytest.raises(NotAllowed):
        product_suspend(product=product, reason="x", by=world.stranger, at=AT)
    with pytest.raises(ReasonMissing):
        product_suspend(product=product, reason="", by=world.reviewer, at=AT)
    suspended = product_suspend(product=product, reason="data error found", by=world.reviewer, at=AT)
    assert (suspended.state, suspended.state_reason) == ("suspended", "data error found")
    with pytest.raises(ProductStateRefused):
        product_suspend(product=product, reason="again", by=world.reviewer, at=AT)
    assert product_list(product=product, price_state=Priced(), by=world.publisher, at=LATER).state == "listed"
    assert product_delist(product=product, reason="term is over", by=world.publisher, at=LATER).state == "delisted"
    with pytest.raises(ProductStateRefused):
        product_list(product=product, price_state=Priced(), by=world.publisher, at=LATER)
    with pytest.raises(PublishRefused):
        world.publish(at=LATER)


def run(*arguments):
    out, err = io.StringIO(), io.StringIO()
    code = 0
    try:
        call_command("publish_product", *arguments, stdout=out, stderr=err)
    except SystemExit as stop:
        code = stop.code
    return code, out.getvalue(), err.getvalue()


def test_the_command_publishes_the_worked_specs(world, monkeypatch):
    monkeypatch.setenv(variable_name("enterprise-verification"), KEY.hex())
    for name in ALL:
        code, out, err = run(str(SPECS / f"{name}.yaml"))
        assert (code, err) == (0, "")
        assert f"{name}: filed; release 1 is active; product is draft" in out
        assert "before listing: review_missing" in out
    assert "unchanged" in run(str(SPECS / "economic-brief.yaml"))[1]


def test_the_command_says_each_reason_on_a_line_and_exits_1(world):
    type(world.authorisation).objects.update(state="suspended")
    type(world.resource("JZ-PORT-001")).objects.update(dictionary=[])
    code, out, err = run(str(SPECS / "port-logistics-index.yaml"))
    assert (code, out) == (1, "")
    assert [line.split(":")[0] for line in err.splitlines()] == ["authorisation_inactive", "dictionary_missing"]


def test_the_command_needs_the_product_key_and_names_its_variable(world, monkeypatch):
    monkeypatch.delenv(variable_name("enterprise-verification"), raising=False)
    code, _out, err = run(str(SPECS / "enterprise-verification.yaml"))
    assert code == 1
    assert "GONGSHU_PRODUCT_KEY_ENTERPRISE_VERIFICATION" in err


def test_the_command_exits_2_on_a_bad_spec_with_pointers(world, tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text("code: x\ntype: raw\n", encoding="utf-8")
    code, _out, err = run(str(path))
    assert code == 2
    assert f"{path}#/type: " in err
    assert f"{path}#/operator: " in err


def test_an_index_with_counts_keeps_the_rules_least_cell_and_may_not_ask_for_less(world):
    data = b"date,value,count\n2026-01-31,1.5,30\n2026-02-28,2.5,4\n"
    config = {"series": {"composite": {"unit": "", "label": "x"}}, "small_cells": "suppress"}
    named = {"data": data, "samples": ({"ask": "latest"},)}
    filed = world.publish(world.spec(**named, config=config))
    assert filed.release.config["min_cell"] == 10
    assert filed.release.sample_output["points"][0] == {
        "date": "2026-02-28",
        "value": None,
        "vintage": "2026-02-28",
        "suppressed": True,
    }
    with pytest.raises(SpecRefused) as refused:
        world.publish(world.spec(**named, config={**config, "min_cell": 9}))
    assert refused.value.errors[0]["pointer"] == "/release/config/min_cell"
    assert world.publish(world.spec(**named, config={**config, "min_cell": 20})).release.config["min_cell"] == 20


def test_personal_data_behind_a_verification_asks_for_consent_unless_a_reason_is_given(world):
    def needs(code, **changes):
        return world.publish(world.spec("pre-loan-score", code=code, **changes)).product

    assert needs("score-a", needs_consent=False).needs_consent
    exempt = needs("score-b", needs_consent=False, consent_exemption="only firms are asked about")
    assert not exempt.needs_consent and exempt.consent_exemption
    review = exempt.reviews.get(kind="compliance")
    review_decide(review=review, is_passed=True, reason="persons after all", by=world.reviewer, at=LATER, insists_on_consent=True)
    again = needs("score-b", needs_consent=False, consent_exemption="only firms are asked about", necessity="other")
    assert again.needs_consent


def test_what_protects_people_only_grows_while_the_product_is_in_the_shop(world, listed):
    product = listed()
    with pytest.raises(PublishRefused) as refused:
        world.publish(world.spec(concepts=()))
    assert [(gap.code, gap.where) for gap in refused.value.gaps] == [("protection_weakened", "concepts")]
    world.publish(world.spec(concepts=("aggregate.statistics", "place.district"), needs_consent=True))
    product.refresh_from_db()
    assert product.needs_consent and "place.district" in product.concepts
    with pytest.raises(PublishRefused):
        world.publish(world.spec(concepts=("aggregate.statistics", "place.district"), needs_consent=False))


def test_a_product_on_personal_data_says_what_it_tells_before_it_is_listed(world):
    assert "concepts_missing" in {gap.code for gap in world.publish(world.spec(concepts=())).todo}
