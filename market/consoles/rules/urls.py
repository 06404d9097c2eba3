from django.urls import path

from market.consoles.rules import days, views

urlpatterns = [
    path("rules/", views.rules, name="place-rules"),
    path("rules/new/", views.new, name="rules-new"),
    path("rules/proposals/<int:pk>/", views.proposal, name="rules-proposal"),
    path("rules/proposals/<int:pk>/<slug:step>/", views.take_step, name="rules-proposal-step"),
    path("calendar/", days.calendar, name="working-days"),
]
