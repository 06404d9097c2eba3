from django.urls import path

from market.consoles.platform import views

urlpatterns = [
    path("", views.organisations, name="platform"),
    path("organisations/<int:pk>/", views.decide, name="platform-organisation"),
    path("calendar/", views.calendar, name="platform-calendar"),
]
