"""The demo's way to a set of caps works on the cast."""

from datetime import date, timedelta

from market.demo.capsets import publish_set
from market.demo.founding import Cast as Told
from pricing.models import Cap
from tests.pricing.revenue.sets import make_products, permit


def test_the_demo_publishes_a_set_of_caps_by_two_people(cast, clock):
    products = make_products(cast, clock.now, "credit-score", "risk-check", purposes=("industry.finance", "sector.consulting"))
    permitted = permit(cast, clock.now, products[0].authorisation)
    told = Told()
    told.people = {"authority": cast.authority.owner, "authority_checker": cast.authority.checker}
    first = date(2026, 12, 1)
    basket = publish_set(
        told, permitted=permitted, method="usage", from_date=first, document_no="江数价〔2026〕40号", at=clock.now
    )
    assert (basket.state, basket.test["ok"]) == ("published", True)
    assert Cap.objects.filter(period__contains=first + timedelta(days=1)).count() == 4
