from django.urls import path

from market.consoles.regulator import views

urlpatterns = [
    path("tariffs/", views.tariffs, name="regulator-tariffs"),
    path("tariffs/<int:pk>/", views.tariff, name="regulator-tariff"),
    path("tariffs/<int:pk>/<slug:step>/", views.take_step, name="regulator-tariff-step"),
    path("caps/", views.caps, name="regulator-caps"),
    path("caps/<int:pk>/", views.cap, name="regulator-cap"),
]
