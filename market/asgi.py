"""One ASGI application: /v1/ goes to the gateway, everything else to Django."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "market.settings")

from django.core.asgi import get_asgi_application

application = get_asgi_application()
