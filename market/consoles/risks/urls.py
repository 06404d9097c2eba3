from django.urls import path

from market.consoles.risks import views

office = [
    path("", views.office_risks, name="office-risks"),
    path("<int:pk>/", views.office_risk, name="office-risk"),
    path("<int:pk>/decide/", views.decide, name="office-risk-decide"),
    path("<int:pk>/resume/", views.resume, name="office-risk-resume"),
]
buyer = [
    path("", views.buyer_risks, name="buyer-risks"),
    path("<int:pk>/", views.buyer_risk, name="buyer-risk"),
]
