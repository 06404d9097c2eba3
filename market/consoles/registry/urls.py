from django.urls import path

from market.consoles.registry import views

urlpatterns = [
    path("", views.registrations, name="registrations"),
    path("new/", views.new, name="registration-new"),
    path("<int:pk>/cancel/", views.cancel, name="registration-cancel"),
]
