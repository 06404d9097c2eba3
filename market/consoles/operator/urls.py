from django.urls import path

from market.consoles.operator import acts, filing_views, plans, trying, usage_keys, views

urlpatterns = [
    path("", views.home, name="operator-home"),
    path("products/new/", filing_views.choose, name="operator-product-new"),
    path("products/new/form/", filing_views.new, name="operator-product-form"),
    path("products/new/redevelop/", filing_views.redevelop, name="operator-product-redevelop"),
    path("products/upload/", filing_views.upload, name="operator-product-upload"),
    path("products/<slug:code>/", views.product_page, name="operator-product"),
    path("products/<slug:code>/change/", filing_views.change, name="operator-product-change"),
    path("products/<slug:code>/try/", trying.try_product, name="operator-product-try"),
    path("products/<slug:code>/reviews/", acts.request_reviews, name="operator-product-reviews"),
    path("products/<slug:code>/list/", acts.list_product, name="operator-product-list"),
    path("products/<slug:code>/suspend/", acts.suspend, name="operator-product-suspend"),
    path("products/<slug:code>/delist/", acts.delist, name="operator-product-delist"),
    path("products/<slug:code>/releases/<int:version>/activate/", acts.activate, name="operator-release-activate"),
    path("products/<slug:code>/plans/new/", plans.new, name="operator-plan-new"),
    path("usage-keys/", usage_keys.keys, name="operator-usage-keys"),
    path("usage-keys/<int:pk>/revoke/", usage_keys.revoke, name="operator-usage-key-revoke"),
]
