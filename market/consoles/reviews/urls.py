from django.urls import path

from market.consoles.reviews import views

urlpatterns = [
    path("", views.queue, name="reviews"),
    path("<int:pk>/", views.review, name="review"),
    path("<int:pk>/sample/", views.run_sample, name="review-sample"),
]
