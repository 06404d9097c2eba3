from django.urls import path

from market.consoles.estimates import comparables, forecasts

urlpatterns = [
    path("forecasts/", forecasts.forecast_list, name="forecasts"),
    path("forecasts/forecasts.csv", forecasts.forecast_csv, name="forecasts-csv"),
    path("forecasts/<slug:code>/<str:component>/", forecasts.forecast_page, name="forecast"),
    path("comparables/", comparables.comparable_list, name="comparables"),
    path("comparables/comparables.csv", comparables.comparable_csv, name="comparables-csv"),
    path("comparables/<slug:code>/", comparables.comparable_page, name="comparable"),
]
