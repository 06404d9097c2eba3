from django.urls import path

from market.freeuse import views

urlpatterns = [
    path("", views.home, name="free-use"),
    path("new/", views.new, name="free-use-new"),
    path("<slug:number>/", views.claim, name="free-use-claim"),
    path("<slug:number>/evidence/<uuid:pk>/", views.evidence, name="free-use-evidence"),
    path("<slug:number>/<slug:step>/", views.take_step, name="free-use-step"),
]
