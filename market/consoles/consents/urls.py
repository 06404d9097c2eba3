from django.urls import path

from market.consoles.consents import views

urlpatterns = [
    path("", views.consents, name="consents"),
    path("<int:pk>/", views.told, name="consent-told"),
]
