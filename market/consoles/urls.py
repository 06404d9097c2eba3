from django.urls import path

from market.consoles import views

urlpatterns = [path("", views.home, name="console")]
