from django.urls import path

from market.consoles.baskets import acts, views

urlpatterns = [
    path("", views.basket_list, name="authority-baskets"),
    path("start/<int:pk>/", views.start, name="authority-basket-start"),
    path("start/<int:pk>/rows.<slug:ending>", views.starting_file, name="authority-basket-start-file"),
    path("<int:pk>/", views.basket, name="authority-basket"),
    path("<int:pk>/sum/", views.live_sum, name="authority-basket-sum"),
    path("<int:pk>/rows.<slug:ending>", views.rows_file, name="authority-basket-file"),
    path("<int:pk>/<slug:step>/", acts.take_step, name="authority-basket-step"),
]
