from django.urls import path

from market.consoles.authority import caps, claims

urlpatterns = [
    path("caps/", caps.cap_list, name="authority-caps"),
    path("caps/new/", caps.draft, name="authority-cap-draft"),
    path("caps/<int:pk>/", caps.filing, name="authority-cap"),
    path("caps/<int:pk>/<slug:step>/", caps.take_step, name="authority-cap-step"),
    path("free-use/", claims.claim_list, name="authority-claims"),
    path("free-use/<slug:number>/", claims.claim, name="authority-claim"),
    path("free-use/<slug:number>/evidence/<uuid:pk>/", claims.evidence, name="authority-claim-evidence"),
    path("free-use/<slug:number>/<slug:step>/", claims.take_step, name="authority-claim-step"),
]
