"""What the shop keeps beside Oscar's data."""

from django.db import models

from market.storefront.models import BasketContext, LineChoice, OrderContext


class Listing(models.Model):
    """A data product's face in the shop: joins Oscar's product to ours."""

    product = models.OneToOneField("catalogue.Product", on_delete=models.PROTECT, related_name="listing")
    data_product = models.OneToOneField("products.DataProduct", on_delete=models.PROTECT, related_name="listing")

    def __str__(self) -> str:
        return str(self.data_product)


__all__ = ["BasketContext", "LineChoice", "Listing", "OrderContext"]
