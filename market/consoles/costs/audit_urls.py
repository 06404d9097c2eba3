from django.urls import path

from market.consoles.costs import audit_views

urlpatterns = [
    path("", audit_views.queue, name="regulator-costs"),
    path("cases/<int:pk>/", audit_views.of_case, name="regulator-cost-case"),
    path("<int:pk>/", audit_views.audit, name="regulator-cost"),
    path("<int:pk>/rows/<int:item>/", audit_views.overrule, name="regulator-cost-overrule"),
    path("<int:pk>/decide/", audit_views.decide, name="regulator-cost-decide"),
    path("<int:pk>/file/", audit_views.file, name="regulator-cost-file"),
    path("<int:pk>/ledger.<slug:ending>", audit_views.ledger, name="regulator-cost-ledger"),
]
