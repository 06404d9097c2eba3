"""The gateway as an ASGI application: routes, starts with the server, and commits what waits before it stops."""

from __future__ import annotations

import asyncio
import gc
import logging
import time

from django.utils import translation
from psycopg import OperationalError

from market import readiness
from market.gateway import calls, consent, leaks, published, receipts, usage
from market.gateway.http import ClientGone, Receive, Request, Response, Scope, Send, encode, problem_response
from market.gateway.problems import CATALOGUE, Problem
from market.gateway.resources import Resources
from products.record.clock import now

log = logging.getLogger("gongshu.gateway")
PREFIXES = ("/v1/", "/problems/")
PATHS = ("/healthz", "/readyz", "/metrics")
READY_SECONDS = 2.0
TOLD = ("usage", "receipts", "deliveries", "keys", "consents")  # kinds that metrics and logs name
COLLECT_AFTER = (10_000, 20, 50)  # a call leaves no cycles behind; refusals do


class Gateway:
    """``application(scope, receive, send)``; takes the paths that ``serves`` says."""

    def __init__(self) -> None:
        self._held: Resources | None = None
        self._opening: asyncio.Lock | None = None

    @staticmethod
    def serves(path: str) -> bool:
        return path.startswith(PREFIXES) or path in PATHS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except ClientGone:
            return
        try:
            await response.send(send)
        except ConnectionError:  # the caller went away
            return

    async def held(self) -> Resources:
        """The process's resources, opened by the first who asks where the server has no lifespan."""
        if self._held is None:
            if self._opening is None:
                self._opening = asyncio.Lock()
            async with self._opening:
                if self._held is None:
                    self._held = await Resources.open()
        return self._held

    async def close(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            await held.close()

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                try:
                    await self.held()
                    _leave_alone_what_stays()
                except Exception as error:
                    await send({"type": "lifespan.startup.failed", "message": f"{type(error).__name__}: {error}"})
                    return
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _answer(self, request: Request) -> Response:
        if request.path == "/healthz":
            return Response(200, b"ok\n", "text/plain; charset=utf-8")
        if request.path.startswith("/problems/"):
            return _explain(request)
        try:
            held = await self.held()
        except Exception as error:
            log.error("the gateway has no database: %s", type(error).__name__)
            return Response(503, b"not ready\n", "text/plain; charset=utf-8", {"retry-after": "1"})
        if request.path == "/readyz":
            return await _ready(held)
        if request.path == "/metrics":
            return Response(200, (await held.metrics.text(held)).encode(), "text/plain; version=0.0.4; charset=utf-8")
        return await _api(held, request)


async def _api(held: Resources, request: Request) -> Response:
    _empty, _v1, kind, *rest = request.path.split("/")
    began, code = time.perf_counter(), ""
    try:
        if kind == "products" and len(rest) == 1 and rest[0]:
            _only(request, "POST")
            return await calls.answer(held, request, rest[0])
        response = await _other(held, request, kind, rest)
    except Problem as problem:
        code = problem.code
        with translation.override(request.language):
            response = problem_response(problem)
    except ClientGone:
        raise
    except Exception as error:
        log.exception("%s %s failed", request.method, kind)
        code = "database-away" if isinstance(error, OperationalError) else "runtime-failed"
        with translation.override(request.language):
            response = problem_response(Problem(code))
    seconds, told = time.perf_counter() - began, kind if kind in TOLD else "other"
    held.metrics.answered(told, response.status, code, seconds)
    if held.call_log is not None:
        held.call_log.say(at=now(), kind=told, status=response.status, reason=code, milliseconds=round(seconds * 1000, 3))
    return response


async def _other(held: Resources, request: Request, kind: str, rest: list[str]) -> Response:
    if kind == "usage" and not rest:
        _only(request, "POST")
        return await usage.answer(held, request)
    if kind == "consents" and rest == ["withdrawals"]:
        _only(request, "POST")
        return await consent.withdraw(held, request)
    if kind == "keys" and rest == ["reports"]:
        _only(request, "POST")
        return await leaks.report(held, request)
    if kind == "keys" and not rest:
        _only(request, "GET")
        return receipts.keys()
    if kind in published.KINDS or (kind == "products" and rest[1:] == ["openapi.json"]):
        _only(request, "GET")
        return await published.answer(held, request, kind, rest)
    if kind == "receipts" and len(rest) == 1:
        _only(request, "GET")
        return await receipts.receipt(held, request, rest[0])
    if kind == "deliveries" and len(rest) == 1:
        _only(request, "GET")
        return await receipts.delivery(held, rest[0])
    raise Problem("not-found")


def _only(request: Request, method: str) -> None:
    if request.method != method:
        raise Problem("method-not-allowed", headers={"allow": method})


async def _ready(held: Resources) -> Response:
    try:
        async with asyncio.timeout(READY_SECONDS), held.pool.connection() as connection:
            cursor = await connection.execute(readiness.SQL, readiness.parameters())
            is_ready = await cursor.fetchone() == (True,)
    except Exception:
        is_ready = False
    if not is_ready:
        return Response(503, b"not ready\n", "text/plain; charset=utf-8", {"retry-after": "1"})
    return Response(200, b"ready\n", "text/plain; charset=utf-8")


def _leave_alone_what_stays() -> None:
    """What is loaded by now stays: the garbage collector need not walk through it again, which would hold up every call."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


def _explain(request: Request) -> Response:
    """``GET /problems/{code}``: what a problem's ``type`` points to; all of them at ``/problems/``."""
    if request.method not in ("GET", "HEAD"):
        with translation.override(request.language):
            return problem_response(Problem("method-not-allowed", headers={"allow": "GET"}))
    code = request.path.removeprefix("/problems/")
    with translation.override(request.language):
        if not code:
            listed = [
                {"type": f"/problems/{name}", "status": status, "title": str(title)}
                for name, (status, title) in CATALOGUE.items()
            ]
            return Response(200, encode({"problems": listed, "documentation": "docs/gateway.md"}))
        if code not in CATALOGUE:
            return problem_response(Problem("not-found"))
        status, title = CATALOGUE[code]
        return Response(200, encode({"type": f"/problems/{code}", "status": status, "title": str(title)}))


application = Gateway()
