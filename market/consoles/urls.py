from django.urls import include, path

from market.consoles import views
from market.consoles.joins import urls as joins
from market.consoles.remote_hosts import urls as remote_hosts
from market.consoles.revenue import urls as revenue
from market.consoles.risks import urls as risks

urlpatterns = [
    path("", views.home, name="console"),
    path("keys/", include("market.consoles.keys.urls")),
    path("stops/", include("market.consoles.stops.urls")),
    path("organisation/", include("market.consoles.organisation.urls")),
    path("provider/statements/", include(("market.consoles.closing.statement_urls", "provider-statements"))),
    path("operator/statements/", include(("market.consoles.closing.statement_urls", "operator-statements"))),
    path("regulator/what-if/", include(("market.consoles.whatif.urls", "regulator-what-if"))),
    path("authority/what-if/", include(("market.consoles.whatif.urls", "authority-what-if"))),
    path("operator/what-if/", include(("market.consoles.whatif.urls", "operator-what-if"))),
    path("provider/", include("market.consoles.provider.urls")),
    path("registry/", include("market.consoles.registry.urls")),
    path("auditor/", include("market.consoles.auditor.urls")),
    path("operator/costs/", include("market.consoles.costs.urls")),
    *(
        path(f"{console}/", include(("market.consoles.estimates.urls", f"{console}-estimates")))
        for console in ("regulator", "authority", "operator")
    ),
    path("regulator/fairness/", include("market.consoles.fairness.regulator_urls")),
    path("operator/supply/", include("market.consoles.fairness.operator_urls")),
    path("buyer/refusals/", include("market.consoles.fairness.buyer_urls")),
    path("authority/risks/", include(risks.office)),
    path("buyer/risks/", include(risks.buyer)),
    path("buyer/consents/", include("market.consoles.consents.urls")),
    path("buyer/joins/", include(joins.buyer)),
    path("platform/joins/", include(joins.office)),
    path("operator/tariffs/", include("market.consoles.tariffs.urls")),
    path("operator/bundles/", include("market.consoles.bundles.urls")),
    path("operator/revenue/", include((revenue.shared, "revenue"), namespace="operator-revenue")),
    path("operator/remote-hosts/", include(remote_hosts.operator)),
    path("operator/", include("market.consoles.operator.urls")),
    path("authority/authorisations/", include("market.consoles.authorisations.urls")),
    path("authority/revenue/", include((revenue.shared, "revenue"), namespace="authority-revenue")),
    path("authority/baskets/", include("market.consoles.baskets.urls")),
    path("authority/", include("market.consoles.authority.urls")),
    path("regulator/affiliates/", include("market.consoles.affiliates.urls")),
    path("regulator/costs/", include("market.consoles.costs.audit_urls")),
    path("regulator/revenue/", include((revenue.regulator, "revenue"), namespace="regulator-revenue")),
    path("regulator/", include("market.consoles.workbench.urls")),
    path("regulator/", include("market.consoles.regulator.urls")),
    path("regulator/", include("market.consoles.rules.urls")),
    path("buyer/", include("market.consoles.buyer.urls")),
    path("platform/remote-hosts/", include(remote_hosts.office)),
    path("platform/reviews/", include("market.consoles.reviews.urls")),
    path("platform/transfers/", include("market.consoles.cashier.urls")),
    path("platform/", include("market.consoles.closing.urls")),
    path("platform/", include("market.consoles.platform.urls")),
]
