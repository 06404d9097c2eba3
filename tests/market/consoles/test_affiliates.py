"""The regulator decides on an affiliate's product; the reason stands on the product's public page."""

import pytest

from pricing.tariffs.redevelopment import affiliate_flag
from products.models import DataProduct, Organisation
from tests.factories.offers import make_offer, make_product
from tests.market.pages import acting, text

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(cast, clock):
    base = make_offer(cast, clock.now).product
    Organisation.objects.filter(pk=cast.buyer.organisation.pk).update(controlled_by=cast.operator.organisation)
    product = make_product(cast, clock.now, "lending-climate", name="信贷景气指数", regime="market", operator=cast.operator_b)
    DataProduct.objects.filter(pk=product.pk).update(authorisation=None, operator=cast.buyer.organisation)
    product = DataProduct.objects.get(pk=product.pk)
    product.built_on.add(base)
    return affiliate_flag(product=product, user=cast.buyer.owner, at=clock.now)


def decide(cast, case, person=None, **changes):
    client = acting(person or cast.regulator.decider)
    data = {"outcome": "same_control", "reason": "人财物未分开"} | changes
    return client.post(f"/console/regulator/affiliates/{case.pk}/decide/", data)


def test_the_public_page_says_what_is_being_looked_at_and_what_was_decided(cast, client, case):
    page = client.get("/products/lending-climate/", headers={"accept-language": "en"})
    assert "the same control" in text(page) or "同一控制" in text(page)
    assert decide(cast, case).status_code == 302
    assert "人财物未分开" in text(client.get("/products/lending-climate/"))
    assert DataProduct.objects.get(code="lending-climate").state == "suspended"


def test_a_decision_needs_an_outcome_and_a_reason(cast, case):
    for wrong in ({"outcome": ""}, {"outcome": "perhaps"}, {"reason": ""}):
        assert decide(cast, case, **wrong).status_code == 422
    case.refresh_from_db()
    assert case.state == "open"


def test_only_the_regulators_deciders_decide(cast, case):
    assert decide(cast, case, cast.data_bureau.owner).status_code == 403
    assert decide(cast, case, cast.regulator.owner).status_code == 422  # owner and reviewer, neither decider nor pricing
    assert decide(cast, case, cast.buyer.owner).status_code == 403
    url = f"/console/regulator/affiliates/{case.pk}/"
    assert acting(cast.regulator.owner).get(url).status_code == 200
    assert acting(cast.data_bureau.owner).get(url).status_code == 200
    assert acting(cast.operator.owner).get(url).status_code == 403
    assert acting(cast.regulator.owner).get("/console/regulator/affiliates/0/").status_code == 404
