from django.urls import path

from market.consoles.auditor import views

urlpatterns = [
    path("", views.trail, name="audit-trail"),
    path("chain/", views.chain, name="audit-chain"),
]
