import asyncio
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
import skops.io
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression

from products.runtimes import host
from products.runtimes.base import ReleaseRefused, RuntimeBusy, RuntimeFailed, RuntimeTimeout
from products.runtimes.pool import Pool, run_once

from .conftest import model_config

BODY = {"months": 12, "base": 5000.5, "kind": "firm", "base_kind": "full", "breaks": 1}


def with_pool(test, **options):
    async def go():
        pool = Pool(**options)
        try:
            await test(pool)
        finally:
            await pool.close()

    asyncio.run(go())


async def gone(pid):
    """Until the process is no more."""
    async with asyncio.timeout(5):
        while Path(f"/proc/{pid}").exists():
            await asyncio.sleep(0.01)


def worker_of(pool, release):
    (worker,) = pool._lanes[release.key].workers.values()
    return worker


def test_the_pool_answers_what_the_model_answers(model_release, secrets, at):
    release = model_release(LogisticRegression())

    async def go(pool):
        loaded = host.load(release, secrets=secrets, pool=pool)
        loaded.check(BODY)
        assert await host.run(loaded, BODY, at) == await host.run(loaded, BODY, at)
        from products.runtimes.model import ModelRuntime

        assert await host.run(loaded, BODY, at) == ModelRuntime(release).run(BODY, at)

    with_pool(go)


def test_a_stuck_worker_is_ended_in_time_replaced_and_holds_up_nobody_else(model_release, at):
    slow = model_release(LogisticRegression(), "slow", limits={"seconds": 1, "queue": 2})
    quick = model_release(RandomForestClassifier(3), "quick", limits={"seconds": 5})

    async def go(pool):
        await asyncio.gather(pool.run(slow, BODY, at), pool.run(quick, BODY, at))
        stuck = worker_of(pool, slow).pid
        os.kill(stuck, signal.SIGSTOP)
        began = time.perf_counter()
        calls = [asyncio.create_task(pool.run(slow, BODY, at)) for _ in range(4)]
        await asyncio.sleep(0.05)
        await pool.run(quick, BODY, at)
        assert time.perf_counter() - began < 0.9  # the other product did not wait for the stuck one
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert time.perf_counter() - began >= 0.95
        kinds = [type(result).__name__ for result in results]
        assert kinds == ["RuntimeTimeout", "RunResult", "RuntimeBusy", "RuntimeBusy"] or kinds == [
            "RuntimeTimeout", "RunResult", "RunResult", "RuntimeBusy",
        ]  # fmt: skip
        assert worker_of(pool, slow).pid != stuck
        await gone(stuck)

    with_pool(go)


def test_a_crash_fails_its_call_only(model_release, at):
    release = model_release(LogisticRegression())

    async def go(pool):
        first = await pool.run(release, BODY, at)
        os.kill(worker_of(pool, release).pid, signal.SIGKILL)
        with pytest.raises(RuntimeFailed):
            await pool.run(release, BODY, at)
        assert await pool.run(release, BODY, at) == first

    with_pool(go)


def test_a_model_that_needs_more_memory_than_its_limit_does_not_start(make_release, at):
    model = LinearRegression().fit(np.zeros((2, 5)), [0, 1])
    model.coef_ = np.zeros(20_000_000)
    archive = skops.io.dumps(model, compression=zipfile.ZIP_DEFLATED)
    release = make_release("model", model_config(limits={"memory_mb": 64}), archive)
    with pytest.raises((ReleaseRefused, RuntimeFailed), match=r"MemoryError|broke"):
        run_once(release, BODY, at)


def test_a_release_that_cannot_run_says_so_and_leaves_no_process(make_release, at):
    release = make_release("model", model_config(), b"not a model")

    async def go(pool):
        with pytest.raises(ReleaseRefused, match="/artifact"):
            await pool.run(release, BODY, at)
        assert pool._lanes[release.key].workers == {}

    with_pool(go)


def test_a_caller_who_goes_away_does_not_mix_up_the_answers(model_release, at):
    release = model_release(LogisticRegression())
    other = {**BODY, "months": 50}

    async def go(pool):
        expected = await pool.run(release, other, at)
        for _ in range(5):
            gone = asyncio.create_task(pool.run(release, BODY, at))
            await asyncio.sleep(0.001)
            gone.cancel()
            assert await pool.run(release, other, at) == expected

    with_pool(go)


def test_the_number_of_processes_is_bounded_and_an_idle_lane_makes_room(model_release, at):
    one, two = (model_release(LogisticRegression(), code) for code in ("one", "two"))

    async def go(pool):
        await pool.run(one, BODY, at)
        await pool.run(two, BODY, at)
        assert list(pool._lanes) == ["two@1"]
        os.kill(worker_of(pool, two).pid, signal.SIGSTOP)
        busy = asyncio.create_task(pool.run(two, BODY, at))
        await asyncio.sleep(0.05)
        with pytest.raises(RuntimeBusy):
            await pool.run(one, BODY, at)
        with pytest.raises(RuntimeTimeout):
            await busy

    with_pool(go, max_workers=1)


def test_workers_come_back_after_their_nursery_is_lost(model_release, at):
    one, two = (model_release(LogisticRegression(), code) for code in ("one", "two"))

    async def go(pool):
        first = await pool.run(one, BODY, at)
        nursery = int(Path(f"/proc/{worker_of(pool, one).pid}/stat").read_text().rpartition(")")[2].split()[1])
        os.kill(nursery, signal.SIGKILL)
        assert await pool.run(two, BODY, at) == first
        assert await pool.run(one, BODY, at) == first

    with_pool(go)


def test_workers_end_with_the_process_that_asked_for_them(tmp_path):
    program = (
        "import asyncio, os, signal; from products.runtimes import nursery; channel, pid = nursery.spawn();"
        "print(pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True)
    asyncio.run(gone(int(done.stdout)))


def test_a_worker_knows_no_secret(model_release, at, monkeypatch):
    monkeypatch.setenv("GONGSHU_PRODUCT_KEY_SCORE", "00" * 32)
    monkeypatch.setenv("DATABASE_URL", "postgres://secret")
    release = model_release(LogisticRegression())

    async def go(pool):
        await pool.run(release, BODY, at)
        environment = Path(f"/proc/{worker_of(pool, release).pid}/environ").read_bytes()
        assert b"GONGSHU" not in environment
        assert b"DATABASE_URL" not in environment

    with_pool(go)
