from django.urls import path

from market.consoles.stops import views

urlpatterns = [
    path("", views.index, name="stops"),
    path("new/", views.new, name="stop-new"),
    path("<int:pk>/", views.stop, name="stop"),
    path("<int:pk>/ask/", views.ask, name="stop-ask"),
    path("<int:pk>/lift/", views.lift, name="stop-lift"),
]
