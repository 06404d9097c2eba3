from django.urls import path

from market.consoles.whatif import views

urlpatterns = [
    path("", views.cases, name="list"),
    path("new/", views.bench, name="new"),
    path("compare/", views.compare, name="compare"),
    path("<int:pk>/", views.case, name="case"),
    path("<int:pk>/share/", views.share, name="share"),
    path("<int:pk>.xlsx", views.as_xlsx, name="xlsx"),
    path("<int:pk>.pdf", views.as_pdf, name="pdf"),
]
