"""The gateway alone as an ASGI application: ``manage.py gateway``."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "market.settings")
django.setup()

from market.gateway.app import application  # noqa: E402  needs Django set up

__all__ = ["application"]
