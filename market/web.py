"""The site alone as an ASGI application, with its own health and readiness: ``manage.py web``."""

from __future__ import annotations

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "market.settings")

from django.core.asgi import get_asgi_application

site = get_asgi_application()  # sets Django up

from asgiref.sync import sync_to_async  # noqa: E402
from django.db import DatabaseError, connection  # noqa: E402

from market import readiness  # noqa: E402  needs Django set up


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
    elif scope["path"] == "/healthz":
        await _say(send, 200, b"ok\n")
    elif scope["path"] == "/readyz":
        is_ready = await sync_to_async(_is_ready)()
        await _say(send, 200 if is_ready else 503, b"ready\n" if is_ready else b"not ready\n")
    else:
        await site(scope, receive, send)


def _is_ready() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute(readiness.SQL, readiness.parameters())
            return cursor.fetchone() == (True,)
    except DatabaseError:
        connection.close()
        return False


async def _lifespan(receive: Any, send: Any) -> None:
    while True:
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return


async def _say(send: Any, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
