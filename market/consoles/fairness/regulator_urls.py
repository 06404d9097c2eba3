from django.urls import path, re_path

from market.consoles.fairness import regulator

urlpatterns = [
    path("", regulator.fairness, name="regulator-fairness"),
    re_path(r"^(?P<name>flags|refusals|concentration)\.(?P<ending>csv|xlsx)$", regulator.file, name="regulator-fairness-file"),
    path("<int:pk>/", regulator.flag, name="regulator-fairness-flag"),
    path("<int:pk>/<slug:step>/", regulator.decide, name="regulator-fairness-decide"),
    path("refusals/<int:pk>/", regulator.refusal, name="regulator-fairness-refusal"),
    path("refusals/<int:pk>/<slug:step>/", regulator.refusal_step, name="regulator-fairness-refusal-step"),
]
