from django.urls import path, re_path

from market.disclosure import determinations, documents, tariff_views, views

urlpatterns = [
    path("operators/", views.operators, name="operators"),
    path("operators/<slug:slug>/capabilities", views.capabilities, name="capabilities"),
    re_path(
        r"^operators/(?P<slug>[-\w]+)/capabilities\.(?P<ending>json|csv|xlsx|jsonld)$",
        views.capabilities_file,
        name="capabilities-file",
    ),
    path("tariffs/", tariff_views.tariffs, name="tariffs"),
    re_path(r"^tariffs\.(?P<ending>json|csv)$", tariff_views.tariffs_file, name="tariffs-file"),
    path("tariffs.atom", tariff_views.changes, name="tariffs-feed"),
    path("tariffs/<slug:slug>/", tariff_views.tariffs, name="tariffs"),
    re_path(r"^tariffs/(?P<slug>[-\w]+)\.(?P<ending>json|csv)$", tariff_views.tariffs_file, name="tariffs-file"),
    path("tariffs/<slug:slug>.atom", tariff_views.changes, name="tariffs-feed"),
    path("tariffs/<slug:slug>/<slug:code>/", tariff_views.product_tariffs, name="product-tariffs"),
    path("determinations/", determinations.determinations, name="determinations"),
    path("determinations.json", determinations.determinations_json, name="determinations-json"),
    path("determinations/<int:pk>/", determinations.determination, name="determination"),
    path("determinations/<int:pk>.json", determinations.determination_json, name="determination-json"),
    path("documents/<str:key>.pdf", documents.download, name="document"),
    path("fairness/", views.fairness, name="fairness"),
    path("authorisations/", views.authorisations, name="authorisations"),
    path("authorisations/<path:number>/", views.authorisation, name="authorisation"),
]
