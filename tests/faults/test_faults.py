"""KILLS (default 50) random kills, with cuts and stalls between; a disk that is full; and a gateway that cheats, which must be found out."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Iterator

import pytest
import requests

from tests.faults import sums
from tests.faults.calls import Callers
from tests.faults.market import Market, can_mount
from tests.faults.postgres import Postgres, is_embedded, own_postgres
from tests.settlement.stall import Stall, make_stall

pytestmark = [pytest.mark.proof, pytest.mark.skipif("os.name == 'nt'")]

KILLS = int(os.environ.get("KILLS", "50"))
SEED = int(os.environ.get("SEED", "0")) or random.randrange(1, 10**9)
QUOTA = 2_000


@pytest.fixture
def stall(transactional_db) -> Stall:
    return make_stall()


@pytest.fixture
def limited(stall: Stall) -> tuple[int, str]:
    """A second right, with a quota that the run uses up."""
    entitlement = stall.entitle()
    stall.limit(entitlement, QUOTA)
    return entitlement.pk, stall.key_for(entitlement)[1]


@pytest.fixture
def usage_secret(stall: Stall) -> str:
    return stall.key_for(None, mode="op", organisation=stall.operator)[1]


@contextlib.contextmanager
def running(application: str = "market.asgi:application", megabytes: int | None = None) -> Iterator[tuple[Market, Postgres]]:
    if not is_embedded():
        pytest.skip("DATABASE_URL names a server of somebody else's; faults are made in one of our own")
    with own_postgres(megabytes) as postgres:
        market = Market(postgres, random.Random(SEED), application)
        try:
            for name in market.names:
                market.start(name)
            for port in market.ports:
                _wait_until_ready(port)
            yield market, postgres
        except BaseException:
            print(f"SEED={SEED}", market.logs())
            raise
        finally:
            market.stop()
            shutil.rmtree(market._folder, ignore_errors=True)


def _wait_until_ready(port: int, seconds: float = 60) -> None:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        with contextlib.suppress(requests.RequestException):
            if requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code == 200:
                return
        time.sleep(0.1)
    raise AssertionError("a gateway did not start")


async def under_faults(market: Market, postgres: Postgres, callers: Callers, faults: int) -> Counter[str]:
    """Let calls run until so many kills, with cuts and stalls between them; what broke is mended a moment later."""
    done: Counter[str] = Counter()
    calling = asyncio.create_task(callers.run())
    kinds = ["gateway-0"] * 3 + ["gateway-1"] * 3 + ["worker", "postgres", "postgres", "cut", "cut", "stall"]
    while sum(done.values()) - done["cut"] - done["stall"] < faults:
        await asyncio.sleep(market.rng.uniform(0.05, 0.6))
        if calling.done():
            break
        kind = market.rng.choice(kinds)
        done[kind] += 1
        if kind == "postgres":
            await asyncio.to_thread(postgres.kill)
            await asyncio.to_thread(postgres.start)
        elif kind == "cut":
            await asyncio.to_thread(postgres.cut)
        elif kind == "stall":
            await asyncio.to_thread(postgres.stall, market.rng.uniform(0.2, 1.5))
        else:
            await asyncio.to_thread(market.kill, kind)
            market.start(kind)
            if market.rng.random() < 0.5 and kind != "worker":
                await asyncio.to_thread(_wait_until_ready, market.ports[int(kind[-1])])
    for port in market.ports:
        await asyncio.to_thread(_wait_until_ready, port)
    callers.stopping = True
    await asyncio.wait_for(calling, 120)
    return done


def test_nothing_is_lost_and_nothing_counted_twice_whatever_is_killed(stall, limited, usage_secret):
    """Gateways, worker and PostgreSQL are killed at random moments, connections cut, the disk hangs, clocks disagree by minutes."""
    with running() as (market, postgres):
        callers = Callers(stall, limited[1], usage_secret, market.ports)
        done = asyncio.run(under_faults(market, postgres, callers, KILLS))
        market.stop()
        sums.wait_until_quiet(postgres.url)
        figures = sums.check(callers.told, postgres.url, limited_id=limited[0])
        sums.verify(postgres.url, str(market._folder))
    kills = sum(count for kind, count in done.items() if kind not in ("cut", "stall"))
    print(f"SEED={SEED}: {kills} kills, {done['cut']} cuts, {done['stall']} stalls: {dict(done)}; {figures}")
    assert figures["served"] > 20 * min(KILLS, 50), "too little ran to show anything"


def test_gateways_are_renewed_one_after_the_other_and_no_call_is_refused(stall, limited, usage_secret):
    """An upgrade under traffic: each gateway is asked to stop, is replaced, and is ready before the next one goes."""
    with running() as (market, postgres):
        callers = Callers(stall, limited[1], usage_secret, market.ports)

        async def renew() -> None:
            calling = asyncio.create_task(callers.run())
            for number, port in enumerate(market.ports):
                while callers.told.served < 300 * (number + 1):
                    await asyncio.sleep(0.05)
                await asyncio.to_thread(market.renew, f"gateway-{number}")
                await asyncio.to_thread(_wait_until_ready, port)
            await asyncio.sleep(1)
            callers.stopping = True
            await asyncio.wait_for(calling, 120)

        asyncio.run(renew())
        market.stop()
        sums.wait_until_quiet(postgres.url)
        figures = sums.check(callers.told, postgres.url, limited_id=limited[0])
    print(f"renewed under traffic: {figures}")
    assert figures["refused"] == 0, "a gateway that stops answers what it has taken"
    assert figures["events"] == figures["served"], "no call was carried out whose answer was lost"


def test_harness_finds_a_gateway_that_answers_before_its_commit(stall, limited, usage_secret):
    with running("tests.faults.eager:application") as (market, postgres), pytest.raises(sums.Lost):
        for _try in range(5):
            callers = Callers(stall, limited[1], usage_secret, market.ports)
            with contextlib.suppress(TimeoutError):
                asyncio.run(under_faults(market, postgres, callers, 8))
            sums.wait_until_quiet(postgres.url)
            sums.check(callers.told, postgres.url, limited_id=limited[0])


@pytest.mark.skipif(not can_mount(), reason="a small file system of our own needs root and mount")
def test_full_disk_refuses_calls_and_loses_none(stall, limited, usage_secret):
    """The data directory's file system fills up under load; calls are answered 503 until there is room again."""
    with running(megabytes=_size_of_a_copy() + 60) as (market, postgres):
        callers = Callers(stall, limited[1], usage_secret, market.ports)

        async def fill() -> int:
            calling = asyncio.create_task(callers.run())
            while callers.told.served < 200:
                await asyncio.sleep(0.05)
            filler = postgres.folder / "filler"
            ends = time.monotonic() + 60
            while callers.told.refused < 20 and time.monotonic() < ends:  # what was set aside before is used up first
                await asyncio.to_thread(_fill, filler)
                await asyncio.sleep(0.2)
            refused = callers.told.refused
            filler.unlink()
            await asyncio.to_thread(postgres.start)  # where it gave up for want of room
            before = callers.told.served
            while callers.told.served < before + 200 and time.monotonic() < ends + 60:
                await asyncio.sleep(0.05)
            callers.stopping = True
            await asyncio.wait_for(calling, 120)
            return refused

        refused = asyncio.run(fill())
        market.stop()
        sums.wait_until_quiet(postgres.url)
        figures = sums.check(callers.told, postgres.url, limited_id=limited[0])
        sums.verify(postgres.url, str(market._folder))
    print(f"full disk: {figures}")
    assert refused >= 20, "the disk was never full"
    assert figures["served"] >= 400, "calls did not go on when there was room again"


def _size_of_a_copy() -> int:
    with own_postgres() as postgres:
        postgres.kill()
        found = subprocess.run(["du", "-sm", str(postgres.data)], check=True, capture_output=True, text=True)
    return int(found.stdout.split()[0])


def _fill(path) -> None:
    for size in (1 << 20, 1 << 12):
        with contextlib.suppress(OSError), path.open("ab", buffering=0) as file:
            while file.write(b"\0" * size):
                pass
