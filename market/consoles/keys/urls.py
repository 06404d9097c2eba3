from django.urls import path

from market.consoles.keys import views

urlpatterns = [
    path("<int:pk>/", views.key, name="key"),
    path("<int:pk>/rotate/", views.rotate, name="key-rotate"),
    path("<int:pk>/revoke/", views.revoke, name="key-revoke"),
]
