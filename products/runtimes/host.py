"""The door the gateway uses: load a release once, then check and run bodies.

loaded = load(release, secrets=secrets, pool=pool)
loaded.check(body)                         # InputRefused → 422
digest = loaded.subject(body)              # not None → limits.admit before the run
result = await run(loaded, body, at)       # RuntimeBusy → 503, RuntimeTimeout, RuntimeFailed
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from products.runtimes import index, modelconfig, report, verification
from products.runtimes.base import Loaded, ReleaseSpec, RunResult, Secrets, refuse_release
from products.runtimes.pool import PAID, Pool, run_once
from products.runtimes.remote import RemoteRuntime
from products.runtimes.remoteconfig import is_remote
from products.runtimes.schemas import Schema

SchemaOf = Callable[[Mapping[str, Any]], dict[str, Any]]

# The schemas a release gets where its spec gives none.
SCHEMAS: dict[str, tuple[SchemaOf, SchemaOf]] = {
    "index": (index.input_schema, index.output_schema),
    "verification": (verification.input_schema, verification.output_schema),
    "model": (modelconfig.input_schema, modelconfig.output_schema),
    "report": (report.input_schema, report.output_schema),
}
RUNNING_TYPES = (*SCHEMAS, "remote")


class PooledModel:
    """A model as the gateway holds it: its schema here, the model itself in the pool's workers (scikit-learn is never
    imported here).
    """

    def __init__(self, release: ReleaseSpec, pool: Pool | None) -> None:
        modelconfig.check_config(release.config)
        self._release = release
        self._pool = pool
        self._schema = Schema(release.input_schema, where="/input_schema")

    def check(self, body: Any) -> None:
        self._schema.check(body)

    def subject(self, body: Any) -> None:
        return None

    def run(self, body: Any, at: datetime) -> RunResult:
        """For commands: a worker of its own. The gateway calls ``run_async``."""
        return run_once(self._release, body, at)

    async def run_async(self, body: Any, at: datetime, priority: int = PAID) -> RunResult:
        if self._pool is None:
            raise RuntimeError("load() was given no pool")
        return await self._pool.run(self._release, body, at, priority)


def load(release: ReleaseSpec, *, secrets: Secrets, pool: Pool | None = None) -> Loaded:
    """A release ready to run; keep it, loading reads the whole artifact. Raises ``ReleaseRefused``,
    ``ProductKeyMissing``.
    """
    if is_remote(release.type, release.config):
        return RemoteRuntime(release, secrets)
    if release.type == "index":
        return index.IndexRuntime(release)
    if release.type == "verification":
        return verification.VerificationRuntime(release, secrets)
    if release.type == "report":
        return report.ReportRuntime(release, secrets)
    if release.type == "model":
        return PooledModel(release, pool)
    raise refuse_release("/type", _("no runtime for the type %s") % release.type)


async def close(loaded: Loaded) -> None:
    """Let go of what a release holds open: the connections to its operator's service."""
    if isinstance(loaded, RemoteRuntime):
        await loaded.close()


async def run(loaded: Loaded, body: Any, at: datetime, *, call_id: str = "", priority: int = PAID) -> RunResult:
    """Answer a checked body: cheap runtimes at once, models through their lane, remote releases by their operator's service.

    The event loop is never held by a model or by a service. ``call_id`` is what the receipt will be called; a remote service
    is told it. ``priority`` (``pool``) says who goes first where models queue.
    """
    if isinstance(loaded, PooledModel):
        return await loaded.run_async(body, at, priority)
    if isinstance(loaded, RemoteRuntime):
        return await loaded.run_async(body, at, call_id)
    return loaded.run(body, at)
