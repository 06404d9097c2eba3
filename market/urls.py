"""Every URL of the site. The gateway's /v1/ is routed before Django, in asgi.py."""

from django.urls import include, path

urlpatterns = [
    path("language/", include("django.conf.urls.i18n")),
]
