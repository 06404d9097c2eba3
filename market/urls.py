"""Every URL of the site. The gateway's /v1/ is routed before Django, in asgi.py."""

from django.urls import include, path

urlpatterns = [
    path("", include("market.storefront.urls")),
    path("console/", include("market.consoles.urls")),
    path("free-use/", include("market.freeuse.urls")),
    path("", include("market.disclosure.urls")),
]
