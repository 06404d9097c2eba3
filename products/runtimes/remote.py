"""Remote releases: the operator's own HTTPS service answers; what comes back must fit the output schema to the letter.

Config: ``{"runtime": "remote", "url": "https://…", "seconds": 5, "max_bytes": 65536, "concurrent": 8, "queue": 16}``; for a
verification also ``"subject"`` (JSON pointer to whom is asked about) and ``"limits"``; where some answers find nothing,
``"no_result": {"pointer": "/found", "equals": false}``. There is no artifact. docs/gateway.md says what the service gets.
"""

from __future__ import annotations

import asyncio
import hmac
import inspect
import logging
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
from django.utils.translation import gettext_lazy as _

from products.runtimes.base import (
    InputRefused,
    ReleaseSpec,
    RunResult,
    RuntimeBusy,
    RuntimeFailed,
    RuntimeTimeout,
    Secrets,
)
from products.runtimes.breaker import Breaker
from products.runtimes.bulkhead import Bulkhead
from products.runtimes.digests import normalise
from products.runtimes.egress import EgressRefused
from products.runtimes.remoteconfig import at_pointer, check_config, limits_of
from products.runtimes.schemas import Schema
from products.runtimes.signatures import signed_headers

if TYPE_CHECKING:
    from products.runtimes.https import Answer, Client

log = logging.getLogger("gongshu.remote")
UNITS = {"calls": "1"}
MOST_FIELDS = 20
_ABSENT = object()


class RemoteHostRefused(RuntimeFailed):
    """The host is not on the allow-list (any more)."""

    code = "remote_host_refused"


class RemoteRuntime:
    """A loaded remote release: a bulkhead and a breaker of its own, and connections that are its own too."""

    def __init__(self, release: ReleaseSpec, secrets: Secrets) -> None:
        check_config(release)
        self._release, self._egress = release, secrets.egress
        self._limits = limits_of(release.config)
        parts = urlsplit(release.config["url"])
        self._host, self._port = parts.hostname or "", parts.port or 443
        self._subject_key = hmac.digest(secrets.link_key, f"gongshu:subject:v1:{release.product_code}".encode(), sha256)
        self._input = Schema(release.input_schema, where="/input_schema")
        self._output = Schema(release.output_schema, where="/output_schema")
        self._client: Client | None = None
        self.bulkhead = Bulkhead(concurrent=self._limits.concurrent, queue=self._limits.queue, seconds=self._limits.seconds)
        self.breaker = Breaker()
        self.faults: Counter[str] = Counter()

    @property
    def key(self) -> str:
        return self._release.key

    def check(self, body: Any) -> None:
        self._input.check(body)

    def subject(self, body: Any) -> bytes | None:
        """Digest of whom a verification asks about; None for other types."""
        named = self._release.config.get("subject")
        if named is None:
            return None
        return hmac.digest(self._subject_key, normalise(str(at_pointer(body, named)), "code").encode(), sha256)

    def run(self, body: Any, at: datetime) -> RunResult:
        """For commands and pages: one call, outside any event loop. The gateway calls ``run_async``."""

        async def once() -> RunResult:
            client = self._new_client()
            try:
                return await self._call(client, body, at, "")
            finally:
                await client.close()

        if self._egress is not None and not self._egress.allows(self._release.product_code, self._host, self._port):
            raise self._not_allowed()
        try:
            return asyncio.run(once())
        except _Fault as fault:
            raise fault.refusal from None

    async def run_async(self, body: Any, at: datetime, call_id: str) -> RunResult:
        """One call within the product's places; ``call_id`` is what the receipt will be called.

        Raises ``RuntimeBusy`` (no place, or the breaker is open), ``RuntimeTimeout``, ``RuntimeFailed``, ``InputRefused``.
        """
        await self._check_allowed()
        self._check_breaker()  # before the queue, so that nobody waits for a service that is being left alone
        async with self.bulkhead.place():
            self._check_breaker()
            self._client = self._client or self._new_client()
            self.breaker.begin()
            try:
                result = await self._call(self._client, body, at, call_id)
            except _Fault as fault:
                self._count(fault)
                raise fault.refusal from None
            except InputRefused:
                self.breaker.succeeded()
                raise
            except BaseException:  # the caller went away
                self.breaker.let_go()
                raise
            self.breaker.succeeded()
            return result

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _check_allowed(self) -> None:
        if self._egress is None:
            raise RuntimeError("load() was given no way out")
        answer = self._egress.allows(self._release.product_code, self._host, self._port)
        if not (await answer if inspect.isawaitable(answer) else answer):
            raise self._not_allowed()

    def _not_allowed(self) -> RemoteHostRefused:
        message = _("The host %(host)s:%(port)s is not allowed for this operator. Ask for it first, under “Remote hosts”.")
        return RemoteHostRefused(message % {"host": self._host, "port": self._port})

    def _check_breaker(self) -> None:
        wait = self.breaker.wait(monotonic())
        if wait > 0:
            raise RuntimeBusy(
                _("The operator's service keeps failing and is left alone for a moment."), retry_after=max(1, round(wait + 0.5))
            )

    def _count(self, fault: _Fault) -> None:
        self.faults[fault.kind] += 1
        self.breaker.failed(monotonic())
        log.warning("remote %s: %s", self.key, fault.kind)

    def _new_client(self) -> Client:
        from products.runtimes.https import Client  # httpcore is imported where a remote release runs, not before

        if self._egress is None:
            raise RuntimeError("load() was given no way out")
        return Client(self._egress, connections=self._limits.concurrent)

    async def _call(self, client: Client, body: Any, at: datetime, call_id: str) -> RunResult:
        assert self._egress is not None
        sent = msgspec.json.encode(body)
        headers = {
            "content-type": "application/json",
            "gongshu-product": self._release.product_code,
            "gongshu-release": str(self._release.version),
            "gongshu-call": call_id,
        }
        url = self._release.config["url"]
        signed = signed_headers(
            signer=self._egress.signer, method="POST", url=url, body=sent, headers=headers, created=int(at.timestamp())
        )
        try:
            answer = await client.post(
                url,
                {**signed, "accept": "application/json"},
                sent,
                seconds=self._limits.seconds,
                most_bytes=self._limits.max_bytes,
            )
        except TimeoutError:
            late = RuntimeTimeout(_("The operator's service took longer than this product may."))
            raise _Fault("timeout", late) from None
        except EgressRefused as refused:
            raise _fault(refused.kind) from None
        return self._result(answer)

    def _result(self, answer: Answer) -> RunResult:
        if answer.status == 422:
            raise InputRefused([{"pointer": each, "message": str(_REFUSED_THERE)} for each in _pointers(answer.body)])
        if answer.status in (429, 503):
            raise _Fault("busy", RuntimeBusy(_("The operator's service is busy."), retry_after=_wait_of(answer)))
        if 300 <= answer.status < 400:
            raise _fault("redirect")
        if answer.status != 200:
            raise _fault("status")
        kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json" or answer.headers.get("content-encoding", "identity").lower() != "identity":
            raise _fault("content-type")
        try:
            output = msgspec.json.decode(answer.body)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            raise _fault("json") from None
        if not isinstance(output, dict) or self._output.errors(output):
            raise _fault("schema")
        return RunResult(output=output, units=dict(UNITS), has_result=not self._is_empty(output))

    def _is_empty(self, output: Mapping[str, Any]) -> bool:
        rule = self._release.config.get("no_result")
        if rule is None:
            return False
        found = at_pointer(output, rule["pointer"], _ABSENT)
        return type(found) is type(rule["equals"]) and found == rule["equals"]


_REFUSED_THERE = _("was refused by the operator's service")


class _Fault(Exception):
    """The operator's fault: counted by the breaker, never charged; ``refusal`` is what the caller of the runtime gets."""

    def __init__(self, kind: str, refusal: RuntimeBusy | RuntimeTimeout | RuntimeFailed) -> None:
        super().__init__(kind)
        self.kind, self.refusal = kind, refusal


def _fault(kind: str) -> _Fault:
    return _Fault(kind, RuntimeFailed(_("The operator's service broke on this call (%s).") % kind, kind=kind))


def _wait_of(answer: Answer) -> int:
    text = answer.headers.get("retry-after", "")
    return min(int(text), 60) if text.isascii() and text.isdigit() and len(text) < 4 and int(text) else 1


def _pointers(body: bytes) -> list[str]:
    """The fields that a 422 names. Nothing else of it is read: free text would be a way around the output schema."""
    try:
        errors = msgspec.json.decode(body, type=_Refusal).errors
    except (msgspec.DecodeError, UnicodeDecodeError):
        errors = []
    named = [each.pointer for each in errors[:MOST_FIELDS] if each.pointer.startswith("/") and len(each.pointer) <= 100]
    return named or [""]


class _Error(msgspec.Struct):
    pointer: str = ""


class _Refusal(msgspec.Struct):
    errors: list[_Error] = []
