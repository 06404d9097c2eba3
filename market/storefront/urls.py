from django.apps import apps
from django.urls import path

from market.storefront import account, basket_pages, bundle_pages, evidence, pages, sign_up, webhooks

urlpatterns = [
    path("", pages.home, name="home"),
    path("products/", pages.products, name="products"),
    path("products/<slug:code>/", pages.product, name="product"),
    path("products/<slug:code>/price/", pages.price, name="product-price"),
    path("bundles/", bundle_pages.bundle_list, name="bundles"),
    path("bundles/<slug:code>/", bundle_pages.bundle, name="bundle"),
    path("bundles/<slug:code>/price/", bundle_pages.price, name="bundle-price"),
    path("bundles/<slug:code>/buy/", bundle_pages.buy, name="bundle-buy"),
    path("basket/", basket_pages.basket, name="basket"),
    path("basket/add/", basket_pages.add, name="basket-add"),
    path("basket/lines/<int:line>/", basket_pages.change, name="basket-line"),
    path("checkout/", apps.get_app_config("checkout").urls),
    path("payments/webhooks/stripe/", webhooks.stripe, name="stripe-webhook"),
    path("sign-in/", account.SignInView.as_view(), name="sign-in"),
    path("sign-out/", account.SignOutView.as_view(), name="sign-out"),
    path("language/", account.choose_language, name="language"),
    path("acting-for/", account.choose_organisation, name="choose-organisation"),
    path("sign-up/", sign_up.person, name="sign-up"),
    path("sign-up/organisation/", sign_up.organisation, name="sign-up-organisation"),
    path("sign-up/kind/", sign_up.kind, name="sign-up-kind"),
    path("invitations/<str:token>/", sign_up.invitation, name="invitation"),
    path("evidence/<uuid:pk>/", evidence.download, name="evidence"),
    path("notices/", account.notices, name="notices"),
]
