from django.urls import path

from market.consoles.closing import views

urlpatterns = [
    path("", views.statements, name="statements"),
    path("<int:pk>/", views.statement, name="statement"),
]
