"""The same pages under each console; the drafting pages only under the regulator's."""

from django.urls import path

from market.consoles.revenue import acts, drafting, reports, views

shared = [
    path("", views.index, name="index"),
    path("reports/", reports.reports, name="reports"),
    path("warnings/<int:pk>/", views.warning, name="warning"),
    path("<int:pk>/", views.page, name="page"),
    path("<int:pk>/<slug:step>/", acts.take_step, name="step"),
]
regulator = [
    path("new/", drafting.choose, name="new"),
    path("new/<int:authorisation>/", drafting.draft, name="draft"),
    path("new/<int:authorisation>/work/", drafting.work, name="work"),
    path("<int:pk>/revise/", drafting.revise, name="revise"),
    *shared,
]
