from django.urls import path

from market.consoles.workbench import views

urlpatterns = [
    path("", views.queue, name="regulator"),
    path("cases.csv", views.queue_csv, name="regulator-cases-csv"),
    path("cases/<int:pk>/", views.case_page, name="regulator-case"),
    path("cases/<int:pk>/note/", views.case_note, name="regulator-case-note"),
    path("overdue/", views.overdue, name="regulator-overdue"),
]
