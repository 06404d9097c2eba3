from django.urls import path, re_path

from market.consoles.consents.views import tell
from market.disclosure import determinations, documents, receipts, rules, tariff_views, views

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
    path("consent/", tell, name="consent-tell"),
    path("receipts/", receipts.receipts, name="receipts"),
    path("receipts/check/", receipts.check, name="receipts-check"),
    path("fairness/", views.fairness, name="fairness"),
    path("rules/", rules.rules, name="rules"),
    path("rules.json", rules.rules_file, name="rules-file"),
    path("rules/in-force/", rules.rules_in_force, name="rules-in-force"),
    path("rules/in-force.json", rules.rules_in_force_file, name="rules-in-force-file"),
    path("rules/diff/", rules.rule_diff, name="rule-diff"),
    path("rules/authorisations/<path:number>/", rules.rules_of_authorisation, name="rules-of-authorisation"),
    path("rules/<int:pk>/", rules.rule_set, name="rule-set"),
    path("rules/<int:pk>.json", rules.rule_set_file, name="rule-set-file"),
    path("authorisations/", views.authorisations, name="authorisations"),
    path("authorisations/<path:number>/", views.authorisation, name="authorisation"),
]
