from django.urls import path

from market.consoles.regulator import cap_views, views

urlpatterns = [
    path("tariffs/", views.tariffs, name="regulator-tariffs"),
    path("tariffs/<int:pk>/", views.tariff, name="regulator-tariff"),
    path("tariffs/<int:pk>/<slug:step>/", views.take_step, name="regulator-tariff-step"),
    path("caps/", cap_views.caps, name="regulator-caps"),
    path("caps/<int:pk>/", cap_views.cap, name="regulator-cap"),
    path("caps/sets/<int:pk>/", cap_views.cap_set, name="regulator-cap-set"),
    path("caps/sets/<int:pk>/rows.<slug:ending>", cap_views.cap_set_file, name="regulator-cap-set-file"),
]
