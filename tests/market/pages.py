"""What the tests of pages share: a signed-in client that acts for an organisation."""

from __future__ import annotations

from django.test import Client


def acting(user, organisation=None) -> Client:
    """A client signed in as the person, acting for the organisation (default: the person's first)."""
    client = Client()
    client.force_login(user)
    if organisation is not None:
        client.post("/acting-for/", {"membership": user.memberships.get(organisation=organisation).pk})
    return client


def text(response) -> str:
    return response.content.decode()
