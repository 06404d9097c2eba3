"""One ASGI application: /v1/ and what watches it go to the gateway, everything else to Django."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "market.settings")

from django.core.asgi import get_asgi_application

site = get_asgi_application()  # sets Django up, which the gateway needs

from market.gateway.app import application as gateway  # noqa: E402  needs Django set up


async def application(scope, receive, send) -> None:
    if scope["type"] == "lifespan" or gateway.serves(scope["path"]):
        await gateway(scope, receive, send)
    else:
        await site(scope, receive, send)
