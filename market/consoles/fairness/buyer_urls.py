from django.urls import path

from market.consoles.fairness import buyer

urlpatterns = [
    path("", buyer.refusals, name="buyer-refusals"),
    path("<int:pk>/", buyer.refusal, name="buyer-refusal"),
]
