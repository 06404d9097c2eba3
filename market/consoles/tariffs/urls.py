from django.urls import path

from market.consoles.tariffs import views

urlpatterns = [
    path("", views.plans, name="operator-tariffs"),
    path("<int:pk>/", views.tariff, name="operator-tariff"),
    path("<int:pk>/withdraw/", views.withdraw, name="operator-tariff-withdraw"),
    path("plans/<int:pk>/new/", views.new, name="operator-tariff-new"),
    path("plans/<int:pk>/preview/", views.preview, name="operator-tariff-preview"),
]
