"""The platform's pages; the parties' statements are in ``statement_urls``."""

from django.urls import path

from market.consoles.closing import views

urlpatterns = [
    path("closing/", views.months, name="closing"),
    path("closing/<slug:month>/", views.month, name="closing-month"),
    path("closing/<slug:month>/close/", views.close, name="closing-close"),
    path("closing/statements/<int:pk>/", views.any_statement, name="closing-statement"),
    path("payouts/", views.payouts, name="payouts"),
    path("payouts/propose/<int:party>/", views.propose, name="payout-propose"),
    path("payouts/<int:pk>/decide/", views.decide, name="payout-decide"),
]
