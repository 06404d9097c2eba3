from django.urls import path

from market.consoles.organisation import views

urlpatterns = [
    path("", views.profile, name="organisation-profile"),
    path("size/", views.size, name="organisation-size"),
    path("members/", views.members, name="members"),
    path("members/invite/", views.invite, name="member-invite"),
    path("members/<int:pk>/", views.change, name="member-change"),
]
