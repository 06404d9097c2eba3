from django.urls import path

from market.consoles.provider import views

urlpatterns = [
    path("", views.resources, name="provider"),
    path("resources/new/", views.add, name="resource-add"),
    path("resources/<int:pk>/", views.resource, name="resource"),
]
