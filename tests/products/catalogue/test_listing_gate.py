from datetime import date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from products.catalogue.listing_gate import listing_gaps
from products.catalogue.models import DataProduct, ReviewRecord
from products.catalogue.services import ListingRefused, product_list
from products.registry.models import Authorisation, Registration, ScopeItem
from products.registry.purposes import covers

from .conftest import AT, Priced


@pytest.fixture
def product(world):
    product = world.publish().product
    world.pass_reviews(product)
    return product


def codes(product, at=AT, price=None):
    product = DataProduct.objects.get(pk=product.pk)
    return {gap.code for gap in listing_gaps(product=product, at=at, price_state=price or Priced())}


def test_a_product_with_everything_has_no_gap(product):
    assert codes(product) == set()


def test_all_gaps_are_named_at_once(world, product):
    Authorisation.objects.update(state="suspended")
    Registration.objects.update(state="cancelled")
    ReviewRecord.objects.update(state="failed")
    DataProduct.objects.update(necessity="")
    gaps = codes(product, price=Priced("missing"))
    assert gaps == {"authorisation_inactive", "registration_missing", "review_missing", "necessity_missing", "price_missing"}


@pytest.mark.parametrize(
    ("table", "change", "gap"),
    [
        ("product", {"authorisation": None}, "authorisation_missing"),
        ("product", {"purposes": []}, "purposes_missing"),
        ("product", {"scenarios": []}, "scenarios_missing"),
        ("product", {"purposes": ["industry"]}, "scope_purpose"),
        ("product", {"purposes": ["industry.logistic"]}, "scope_purpose"),
        ("product", {"purposes": ["industry.finance"]}, "scope_purpose"),
        ("product", {"scenarios": ["consumer-credit"]}, "scope_scenario"),
        ("product", {"type": "model"}, "scope_resource"),
        ("product", {"necessity": " "}, "necessity_missing"),
        ("operator", {"state": "suspended"}, "operator_unverified"),
        ("resource", {"open_type": "closed"}, "resource_closed"),
        ("resource", {"dictionary": []}, "dictionary_missing"),
        ("resource", {"dictionary": [{"field": "a"}]}, "dictionary_missing"),
        ("resource", {"provenance": "shared"}, "consent_missing"),
        ("resource", {"has_personal_data": False}, "open_first"),
        ("resource", {"open_type": "unconditional"}, "open_first"),
        ("authorisation", {"state": "ended"}, "authorisation_inactive"),
        ("authorisation", {"to_date": date(2026, 5, 9)}, "authorisation_out_of_term"),
        ("authorisation", {"from_date": date(2026, 5, 11)}, "authorisation_out_of_term"),
        ("registration", {"valid_to": date(2026, 5, 9)}, "registration_missing"),
        ("registration", {"issued_date": date(2026, 5, 11)}, "registration_missing"),
    ],
)
def test_each_rule_is_held(world, product, table, change, gap):
    rows = {
        "product": DataProduct.objects.filter(pk=product.pk),
        "operator": type(world.operator).objects.filter(pk=world.operator.pk),
        "resource": type(world.resource("JZ-PORT-001")).objects.filter(code="JZ-PORT-001"),
        "authorisation": Authorisation.objects.filter(pk=world.authorisation.pk),
        "registration": Registration.objects.filter(resource__code="JZ-PORT-001"),
    }
    assert rows[table].update(**change) == 1
    assert codes(product) == {gap}


def test_the_authorisation_of_another_operator_does_not_count(world, product):
    type(world.authorisation).objects.update(operator=world.resource("JZ-PORT-001").provider)
    assert codes(product) == {"authorisation_foreign"}


def test_terms_end_with_the_business_day(world, product):
    Registration.objects.update(valid_to=date(2026, 5, 10))
    last, after = (datetime.fromisoformat(f"2026-05-10T{time}+00:00") for time in ("15:59:59", "16:00:00"))
    assert codes(product, at=last) == set()
    assert codes(product, at=after) == {"registration_missing"}


def test_a_free_product_needs_neither_price_nor_necessity_nor_open_first(world, product):
    world.resource("JZ-PORT-001").__class__.objects.update(has_personal_data=False)
    DataProduct.objects.update(regime="free", necessity="")
    assert codes(product, price=Priced("free")) == set()


def test_open_first_can_be_overridden_by_a_named_reason(world, product):
    world.resource("JZ-PORT-001").__class__.objects.update(has_personal_data=False)
    assert codes(product) == {"open_first"}
    DataProduct.objects.update(open_first_override="汇总口径需持续治理，已公开说明。")
    assert codes(product) == set()


def test_closed_data_has_no_override(world, product):
    world.resource("JZ-PORT-001").__class__.objects.update(open_type="closed")
    DataProduct.objects.update(open_first_override="理由", regime="free")
    assert codes(product) == {"resource_closed"}


def test_a_review_of_an_earlier_release_does_not_count(world, product):
    later = AT + timedelta(days=1)
    world.publish(world.spec(config={**world.spec().config, "max_points": 10}, request_reviews=False), at=later)
    assert codes(product) == {"review_outdated"}


def test_gaps_of_the_price_are_named_by_the_floor_above(product):
    from dataclasses import dataclass

    @dataclass(frozen=True)
    class Above:
        code: str = "price_above_cap"
        message: str = "0.51 > 0.50"

    assert codes(product, price=Priced("missing", (Above(),))) == {"price_above_cap"}


def test_gaps_cost_a_fixed_number_of_queries(world, product, django_assert_max_num_queries):
    product = DataProduct.objects.select_related("operator", "authorisation").get(pk=product.pk)
    with django_assert_max_num_queries(6):
        listing_gaps(product=product, at=AT, price_state=Priced())


def test_a_refused_listing_changes_nothing_and_says_all(world, product):
    ScopeItem.objects.all().delete()
    with pytest.raises(ListingRefused) as refusal:
        product_list(product=product, price_state=Priced("missing"), by=world.publisher, at=AT)
    assert [gap.code for gap in refusal.value.gaps] == ["scope_resource", "price_missing"]
    assert DataProduct.objects.get(pk=product.pk).state == "draft"


def test_the_database_knows_no_raw_data(product):
    with pytest.raises(IntegrityError, match="data_product_never_raw_data"), transaction.atomic():
        DataProduct.objects.filter(pk=product.pk).update(type="raw")


@pytest.mark.parametrize(
    ("right", "code", "expected"),
    [
        ("industry", "industry.finance", True),
        ("industry.finance", "industry.finance", True),
        ("industry.finance", "industry", False),
        ("industry.finance.pre_loan", "industry.finance.post_loan", False),
        ("industry.fin", "industry.finance", False),
    ],
)
def test_a_right_covers_what_is_below_it_and_no_sibling(right, code, expected):
    assert covers(right, code) is expected
