"""Oscar's basket, only where a shop page needs it: its middleware would run its queries on every request."""

from oscar.apps.basket.middleware import BasketMiddleware

SHOP_PREFIXES = ("/basket/", "/checkout/", "/products/")


class ShopBasketMiddleware(BasketMiddleware):
    def __call__(self, request):
        if not request.path.startswith(SHOP_PREFIXES):
            return self.get_response(request)
        return super().__call__(request)
