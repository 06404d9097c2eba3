"""What a gateway remembers of the market, and how it hears of changes: bounded staleness of one second, whatever breaks.

Triggers (settlement migration ``gateways_hear_of_changes``) tell the channel ``gongshu_market`` which rows changed. Each gateway
listens on a connection of its own and twice a second sends an echo to itself through it. Notices arrive in the order of their
commits, so an echo that is back proves that every change committed before it was sent has been heard.

What was looked up is believed

* for one second after its look-up, always;
* for up to ``KEPT_SECONDS``, while the last echo that came back was sent less than a second ago.

So nothing older than a second is ever believed: not with the listener cut, not while the database is away.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Generic, Protocol, TypeVar
from uuid import uuid4

import psycopg

log = logging.getLogger("gongshu.gateway")
CHANNEL = "gongshu_market"
NAME = "gongshu-gateway-listener"
ALL = "*"
STALE_SECONDS = 1.0  # how long a revocation, a suspension or a new tariff may take to act
KEPT_SECONDS = 30.0
ECHO_SECONDS = 0.4
ANSWER_SECONDS = 2.0
AGAIN_SECONDS = 0.25
MOST_CACHED = 50_000
Found = TypeVar("Found")
Tag = tuple[str, int]  # ("product", 17): what a looked-up thing hangs on


class Keeper(Protocol):
    """What hears of changes: a cache, a set of open hosts."""

    def forget(self, kind: str, ids: Iterable[int] | None) -> None:
        """Rows of that kind changed: those ids, or (None) any of them."""

    def forget_all(self) -> None:
        """Anything may have changed."""


class Listener:
    """Holds the LISTEN connection, tells the keepers, and knows since when nothing was missed."""

    def __init__(self, parameters: str) -> None:
        self._parameters = parameters
        self._echo = f"gongshu_echo_{uuid4().hex}"
        self._keepers: list[Keeper] = []
        self._task: asyncio.Task[None] | None = None
        self._sent: dict[str, float] = {}
        self.believed_until = 0.0  # on the monotonic clock: one second after the last echo that came back was sent
        self.notices = self.connections = 0

    def tell(self, keeper: Keeper) -> None:
        """From now on the keeper hears of changes."""
        self._keepers.append(keeper)

    @property
    def staleness(self) -> float:
        """Seconds since the last moment up to which every change is known to have been heard; infinite before the first."""
        return time.monotonic() - (self.believed_until - STALE_SECONDS) if self.believed_until else float("inf")

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                await self._listen()
            except (psycopg.Error, OSError, TimeoutError) as error:
                log.warning("the gateway does not hear of changes and looks each second: %s", type(error).__name__)
            await asyncio.sleep(AGAIN_SECONDS)

    async def _listen(self) -> None:
        async with asyncio.timeout(ANSWER_SECONDS):
            connection = await psycopg.AsyncConnection.connect(self._parameters, autocommit=True, application_name=NAME)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                # An echo need not be on disk; waiting for that would only slow it and the commits beside it.
                await connection.execute("SET synchronous_commit = off")
                await connection.execute(f'LISTEN "{CHANNEL}"')
                await connection.execute(f'LISTEN "{self._echo}"')
            self.connections += 1
            self._sent.clear()
            for keeper in self._keepers:  # what was looked up before may have changed while nobody listened
                keeper.forget_all()
            while True:
                await self._ask(connection)
                async for notice in connection.notifies(timeout=ECHO_SECONDS):
                    self._hear(notice)
        finally:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(connection.close(), ANSWER_SECONDS)

    async def _ask(self, connection: psycopg.AsyncConnection) -> None:
        sent = time.monotonic()
        number = str(sent)
        self._sent = {number: sent}
        async with asyncio.timeout(ANSWER_SECONDS):
            await connection.execute("SELECT pg_notify(%s, %s)", (self._echo, number))

    def _hear(self, notice: psycopg.Notify) -> None:
        if notice.channel == self._echo:
            sent = self._sent.pop(notice.payload, None)
            if sent is not None:
                self.believed_until = sent + STALE_SECONDS
            return
        self.notices += 1
        kind, _space, ids = notice.payload.partition(" ")
        for keeper in self._keepers:
            if kind == ALL:
                keeper.forget_all()
            else:
                keeper.forget(kind, None if ids == ALL else [int(each) for each in ids.split()])


class Entry(Generic[Found]):
    """One look-up: on its way, or done."""

    __slots__ = ("alone_until", "found", "future", "tags", "watched_until")

    def __init__(self, future: asyncio.Future[Found | None], began: float) -> None:
        self.future = future
        self.found: Found | None = None
        self.tags: tuple[Tag, ...] = ()
        # Age counts from before the look-up. Until it is done it is not believed without asking.
        self.alone_until = self.watched_until = began + STALE_SECONDS


class Fresh(Generic[Found]):
    """What was looked up and is still believed; one look-up at a time of each key. What is not there is remembered for a second.

    ``tags`` names what a found thing hangs on, so that a notice forgets it; a thing for which it gives None is never believed for
    more than a second.
    """

    def __init__(
        self,
        look: Callable[[Any], Awaitable[Found | None]],
        listener: Listener,
        tags: Callable[[Found], tuple[Tag, ...] | None],
    ) -> None:
        self._look = look
        self._listener = listener
        self._tags = tags
        self._entries: dict[Any, Entry[Found]] = {}
        self._tagged: dict[Tag, set[Any]] = defaultdict(set)
        self._on_its_way: set[Any] = set()
        self.hits = self.misses = 0
        listener.tell(self)

    def __len__(self) -> int:
        return len(self._entries)

    def peek(self, key: Any) -> Found | None:
        """What is known and believed at once; None also where it has to be looked up (``get``)."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        now = time.monotonic()
        if now >= (entry.watched_until if now < self._listener.believed_until else entry.alone_until):
            return None
        if entry.found is not None:
            self.hits += 1
        return entry.found

    async def get(self, key: Any) -> Found | None:
        """What is known, or looked up now. Raises what the look-up raises, and remembers nothing then."""
        entry = self._entries.get(key)
        now = time.monotonic()
        if entry is None or now >= (entry.watched_until if now < self._listener.believed_until else entry.alone_until):
            entry = self._begin(key, now)
        elif entry.future.done():
            self.hits += 1
            return entry.future.result()  # ``found`` may not be set yet: ``_done`` runs a turn of the loop later
        return await asyncio.shield(entry.future)

    def drop(self, key: Any) -> None:
        """Look it up again when it is asked for."""
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._on_its_way.discard(key)
            for tag in entry.tags:
                self._tagged[tag].discard(key)
                if not self._tagged[tag]:
                    del self._tagged[tag]

    def forget(self, kind: str, ids: Iterable[int] | None) -> None:
        for key in list(self._on_its_way):  # it may have been read before the change
            self.drop(key)
        tags = [tag for tag in self._tagged if tag[0] == kind] if ids is None else [(kind, each) for each in ids]
        for tag in tags:
            for key in list(self._tagged.get(tag, ())):
                self.drop(key)

    def forget_all(self) -> None:
        self._entries.clear()
        self._tagged.clear()
        self._on_its_way.clear()

    def _begin(self, key: Any, now: float) -> Entry[Found]:
        self.misses += 1
        self.drop(key)
        if len(self._entries) >= MOST_CACHED:
            self.forget_all()
        entry = self._entries[key] = Entry(asyncio.ensure_future(self._look(key)), now)
        self._on_its_way.add(key)
        entry.future.add_done_callback(lambda future: self._done(key, entry, now))
        return entry

    def _done(self, key: Any, entry: Entry[Found], began: float) -> None:
        is_kept = self._entries.get(key) is entry  # else a notice came in between: those who wait get it, nobody else
        if is_kept:
            self._on_its_way.discard(key)
        if entry.future.cancelled() or entry.future.exception() is not None:
            if is_kept:
                del self._entries[key]
            return
        found = entry.found = entry.future.result()
        tags = self._tags(found) if found is not None else None
        if is_kept and tags is not None:
            entry.tags, entry.watched_until = tags, began + KEPT_SECONDS
            for tag in tags:
                self._tagged[tag].add(key)
