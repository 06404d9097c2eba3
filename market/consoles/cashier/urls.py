from django.urls import path

from market.consoles.cashier import views

urlpatterns = [
    path("", views.transfers, name="transfers"),
    path("<uuid:pk>/confirm/", views.confirm, name="transfer-confirm"),
]
