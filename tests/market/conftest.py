"""Signed-in people of the cast: ``sign_in(cast.buyer.owner)`` gives a browser's client."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from products.models import User


@pytest.fixture
def sign_in() -> Callable[[User], Client]:
    def enter(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return enter
