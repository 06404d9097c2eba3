from django.urls import path

from market.consoles.bundles import views

urlpatterns = [
    path("", views.bundles, name="operator-bundles"),
    path("new/", views.new, name="operator-bundle-new"),
    path("<slug:code>/", views.bundle, name="operator-bundle"),
    path("<slug:code>/parts/", views.add_part, name="operator-bundle-part"),
    path("<slug:code>/parts/<int:pk>/remove/", views.remove_part, name="operator-bundle-part-remove"),
    path("<slug:code>/tariffs/", views.file_tariffs, name="operator-bundle-tariffs"),
    path("<slug:code>/open/", views.open_bundle, name="operator-bundle-open"),
    path("<slug:code>/close/", views.close_bundle, name="operator-bundle-close"),
]
