from django.urls import URLPattern, path
from oscar.apps.checkout.apps import CheckoutConfig as OscarCheckoutConfig


class CheckoutConfig(OscarCheckoutConfig):
    """Oscar's checkout asks for addresses and shipping; ours asks for the agreement and the way to pay."""

    name = "market.forks.checkout"

    def get_urls(self) -> list[URLPattern]:
        from market.storefront import checkout

        return self.post_process_urls(
            [
                path("<int:basket>/", checkout.checkout, name="index"),
                path("grant/<str:number>/", checkout.grant, name="grant"),
                path("payment/<uuid:pk>/", checkout.payment, name="payment"),
                path("payment/<uuid:pk>/pay/", checkout.pay, name="pay"),
                path("payment/<uuid:pk>/cancel/", checkout.cancel, name="cancel"),
                path("done/<str:number>/", checkout.done, name="thank-you"),
            ]
        )
