from django.urls import path

from market.consoles.fairness import operator

urlpatterns = [
    path("", operator.supply, name="operator-supply"),
    path("refusals/<int:pk>/", operator.refusal, name="operator-supply-refusal"),
    path("refusals/<int:pk>/lift/", operator.lift, name="operator-supply-lift"),
    path("flags/<int:pk>/", operator.flag, name="operator-supply-flag"),
]
