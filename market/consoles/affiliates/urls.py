from django.urls import path

from market.consoles.affiliates import views

urlpatterns = [
    path("<int:pk>/", views.affiliate, name="regulator-affiliate"),
    path("<int:pk>/decide/", views.decide, name="regulator-affiliate-decide"),
]
