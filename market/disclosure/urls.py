from django.urls import path, re_path

from market.disclosure import views

urlpatterns = [
    path("operators/", views.operators, name="operators"),
    path("operators/<slug:slug>/capabilities", views.capabilities, name="capabilities"),
    re_path(
        r"^operators/(?P<slug>[-\w]+)/capabilities\.(?P<ending>json|csv|xlsx|jsonld)$",
        views.capabilities_file,
        name="capabilities-file",
    ),
    path("authorisations/", views.authorisations, name="authorisations"),
    path("authorisations/<path:number>/", views.authorisation, name="authorisation"),
]
