"""The operator puts a bundle together in the browser: parts, tariffs filed together, on sale, closed."""

import json
from datetime import date

import pytest

from pricing.models import Bundle, Tariff
from products.models import DataProduct
from tests.market.pages import acting, text
from tests.pricing.market import caps, filed, make_plan, make_product, per_call, published

TODAY = date(2026, 10, 20)
BASE = "/console/operator/bundles/"
PURPOSE = "industry.finance.pre_loan"
NEW = {"code": "lending", "name": "小微信贷套餐", "purpose": PURPOSE, "scenario": "small-business-lending"}


@pytest.fixture
def products(cast, clock):
    made = [make_product(cast, clock.now, code=code) for code in ("credit-score", "tax-check")]
    for product, cap in zip(made, ("0.50", "0.20"), strict=True):
        published(cast, product, caps(("calls", cap), ("year", "12000"), start=TODAY), clock.now)
        DataProduct.objects.filter(pk=product.pk).update(state="listed")
        filed(cast, make_plan(cast, product, clock.now), per_call("0.20"), TODAY, clock.now)
    return made


@pytest.fixture
def bundle(cast, products):
    client = acting(cast.operator.owner)
    client.post(f"{BASE}new/", NEW)
    for product in products:
        client.post(f"{BASE}lending/parts/", {"product": product.code})
    return Bundle.objects.get()


def documents(bundle, *prices, **more):
    plans = bundle.plans.order_by("id")
    texts = {f"document_{plan.pk}": json.dumps(per_call(price)) for plan, price in zip(plans, prices, strict=True)}
    return {"from_date": "2026-10-20", "reason": "按成本测算"} | texts | more


def test_a_bundle_is_put_together_filed_opened_and_closed(cast, bundle):
    client = acting(cast.operator.owner)
    page = text(client.get(f"{BASE}lending/"))
    assert "credit-score" not in page and "0.20" in page  # the product's own price is the start of the editor
    client.post(f"{BASE}lending/tariffs/", documents(bundle, "0.40", "0.15", file="1"))
    assert Tariff.objects.filter(plan__bundle=bundle).count() == 2
    client.post(f"{BASE}lending/open/")
    bundle.refresh_from_db()
    assert bundle.state == "open"
    assert "小微信贷套餐" in text(acting(cast.buyer.owner).get("/bundles/"))
    client.post(f"{BASE}lending/close/", {"reason": "换代"})
    bundle.refresh_from_db()
    assert bundle.state == "closed"


def test_scenario_36_the_page_names_the_part_above_its_cap_and_keeps_what_was_typed(cast, bundle):
    answer = acting(cast.operator.owner).post(f"{BASE}lending/tariffs/", documents(bundle, "0.30", "0.25", file="1"))
    assert answer.status_code == 422
    second = bundle.plans.order_by("id")[1]
    assert "0.25" in str(answer.context["form"].errors[f"document_{second.pk}"])
    assert not Tariff.objects.filter(plan__bundle=bundle).exists()


def test_a_check_shows_each_part_and_files_nothing(cast, bundle):
    answer = acting(cast.operator.owner).post(f"{BASE}lending/tariffs/", documents(bundle, "0.40", "0.15", check="1"))
    assert [plan.product.code for plan, _comparison in answer.context["checked"]] == ["credit-score", "tax-check"]
    broken = documents(bundle, "0.40", "0.15", check="1") | {f"document_{bundle.plans.first().pk}": "{"}
    assert acting(cast.operator.owner).post(f"{BASE}lending/tariffs/", broken).status_code == 422
    assert not Tariff.objects.filter(plan__bundle=bundle).exists()


def test_the_regulator_sees_the_parts_together(cast, bundle):
    acting(cast.operator.owner).post(f"{BASE}lending/tariffs/", documents(bundle, "0.40", "0.15", file="1"))
    first, second = Tariff.objects.filter(plan__bundle=bundle).order_by("id")
    page = text(acting(cast.regulator.decider).get(f"/console/regulator/tariffs/{first.pk}/"))
    assert f"../{second.pk}/" in page and "小微信贷套餐" in page


def test_a_bundle_that_is_not_ready_says_why(cast, bundle):
    answer = acting(cast.operator.owner).post(f"{BASE}lending/open/", follow=True)
    assert len(list(answer.context["messages"])) == 2  # no part has a price
    bundle.refresh_from_db()
    assert bundle.state == "draft"


def test_a_part_that_was_never_priced_is_taken_out(cast, bundle):
    plan = bundle.plans.first()
    acting(cast.operator.owner).post(f"{BASE}lending/parts/{plan.pk}/remove/")
    assert bundle.plans.count() == 1


@pytest.mark.parametrize("wrong", [{"code": "Not A Code"}, {"purpose": "welfare.education"}, {"scenario": "x"}, {"name": ""}])
def test_a_wrong_field_is_refused_and_kept(cast, products, wrong):
    answer = acting(cast.operator.owner).post(f"{BASE}new/", NEW | wrong)
    assert (answer.status_code, set(answer.context["form"].errors)) == (422, set(wrong))
    assert not Bundle.objects.exists()


def test_the_pages_are_the_operators_own(cast, client, bundle):
    for url in (BASE, f"{BASE}new/", f"{BASE}lending/"):
        assert client.get(url).status_code == 302
        assert acting(cast.buyer.owner).get(url).status_code == 403
        assert acting(cast.operator.owner).get(url).status_code == 200
    assert acting(cast.operator_b.owner).get(f"{BASE}lending/").status_code == 404
    for step in ("parts/", "tariffs/", "open/", "close/"):
        assert acting(cast.operator_b.owner).post(f"{BASE}lending/{step}").status_code == 404
        assert acting(cast.operator.developer).post(f"{BASE}lending/{step}").status_code == 403
        assert acting(cast.operator.owner).get(f"{BASE}lending/{step}").status_code == 405


def test_the_list_has_a_fixed_number_of_queries(cast, bundle, queries_of):
    client = acting(cast.operator.owner)
    few = queries_of(client, BASE)
    for number in range(4):
        client.post(f"{BASE}new/", NEW | {"code": f"b{number}"})
    assert queries_of(client, BASE) == few
