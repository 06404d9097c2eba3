"""Each override of Oscar is really ours: a misspelt one silently falls back to Oscar's class."""

from __future__ import annotations

import pytest
from django.apps import apps
from oscar.core.loading import get_class

from market.storefront.listing import listing_of
from tests.factories.cast import Cast
from tests.factories.offers import make_product


@pytest.mark.parametrize(
    ("module", "name"),
    [("partner.strategy", "Selector"), ("partner.strategy", "Strategy"), ("order.utils", "OrderNumberGenerator")],
)
def test_the_override_is_ours(module: str, name: str):
    assert get_class(module, name).__module__ == f"market.forks.{module}"


def test_the_checkout_has_our_pages_only():
    config = apps.get_app_config("checkout")
    assert config.name == "market.forks.checkout"
    assert {url.name for url in config.get_urls()} == {"index", "grant", "payment", "pay", "cancel", "thank-you"}


@pytest.mark.django_db
def test_a_listing_has_one_stock_record_no_stock_and_no_shipping(cast: Cast, clock):
    product = make_product(cast, clock.now, "credit-pre-loan")
    listing = listing_of(product)
    assert listing_of(product) == listing
    assert listing.product.stockrecords.count() == 1
    kind = listing.product.get_product_class()
    assert not kind.requires_shipping and not kind.track_stock
