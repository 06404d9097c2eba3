from django.urls import path

from market.consoles.authorisations import acts, views

urlpatterns = [
    path("", views.index, name="authority-authorisations"),
    path("new/", views.new, name="authority-authorisation-new"),
    path("<int:pk>/", views.detail, name="authority-authorisation"),
    path("<int:pk>/change/", views.change, name="authority-authorisation-change"),
    path("<int:pk>/evidence/", views.evidence, name="authority-authorisation-evidence"),
    path("<int:pk>/scope/", acts.scope, name="authority-authorisation-scope"),
    path("<int:pk>/activate/", acts.activate, name="authority-authorisation-activate"),
    path("<int:pk>/suspend/", acts.suspend, name="authority-authorisation-suspend"),
    path("<int:pk>/resume/", acts.resume, name="authority-authorisation-resume"),
    path("<int:pk>/end/", acts.end, name="authority-authorisation-end"),
]
