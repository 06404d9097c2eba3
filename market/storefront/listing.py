"""A data product's face in Oscar: made when it is first put into a basket, so that browsing never needs Oscar's tables."""

from __future__ import annotations

from django.db import transaction
from oscar.core.loading import get_model

from market.models import Listing
from products.catalogue.models import DataProduct

CLASS_NAME = "Data product"


@transaction.atomic
def listing_of(data_product: DataProduct) -> Listing:
    """The product's listing with Oscar's product, partner (the operator) and its one stock record; made where missing."""
    found = Listing.objects.select_related("product").filter(data_product=data_product).first()
    if found is not None:
        return found
    data_product = DataProduct.objects.select_for_update(of=("self",)).select_related("operator").get(pk=data_product.pk)
    found = Listing.objects.select_related("product").filter(data_product=data_product).first()
    return found or _make(data_product)


def _make(data_product: DataProduct) -> Listing:
    kind, _ = get_model("catalogue", "ProductClass").objects.get_or_create(
        name=CLASS_NAME, defaults={"requires_shipping": False, "track_stock": False}
    )
    product = get_model("catalogue", "Product").objects.create(
        product_class=kind, upc=data_product.code, title=data_product.name, slug=data_product.code, is_discountable=False
    )
    operator = data_product.operator
    partner, _ = get_model("partner", "Partner").objects.get_or_create(code=operator.slug, defaults={"name": operator.name})
    get_model("partner", "StockRecord").objects.create(
        product=product, partner=partner, partner_sku=data_product.code, price_currency="CNY"
    )
    return Listing.objects.create(product=product, data_product=data_product)
