"""What a gateway remembers: for how long it is believed, what forgets it, and that a second is the most, whatever breaks."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta

import psycopg
import pytest
from django.db import connection

from market.gateway import freshness
from market.gateway.freshness import Fresh, Listener
from settlement.entitlements.access import turns_at
from settlement.entitlements.models import ApiKey, Entitlement, Quota
from settlement.sql import query
from tests.market.gateway.conftest import Client, test_conninfo
from tests.settlement.stall import START, Stall


class Market:
    """What the look-ups see, and how often they looked."""

    def __init__(self) -> None:
        self.facts: dict[str, str] = {}
        self.looked = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def look(self, key: str) -> str | None:
        self.looked += 1
        found = self.facts.get(key)
        await self.gate.wait()
        return found


def heard(listener: Listener, seconds_ago: float = 0.0) -> None:
    """An echo came back that was sent that long ago."""
    listener.believed_until = time.monotonic() - seconds_ago + freshness.STALE_SECONDS


def remembering(test: Callable[[Market, Listener, Fresh[str]], object]) -> None:
    async def run() -> None:
        market, listener = Market(), Listener("")
        await test(market, listener, Fresh(market.look, listener, lambda found: (("product", len(found)),)))

    asyncio.run(run())


def older(fresh: Fresh[str], seconds: float) -> None:
    """Let time have passed since the look-ups."""
    for entry in fresh._entries.values():
        entry.alone_until -= seconds
        entry.watched_until -= seconds


def test_what_was_looked_up_is_believed_for_thirty_seconds_while_the_listener_hears():
    async def story(market, listener, fresh):
        market.facts["a"] = "one"
        heard(listener)
        assert await fresh.get("a") == "one" and fresh.peek("a") == "one"
        older(fresh, 29)
        assert fresh.peek("a") == await fresh.get("a") == "one" and market.looked == 1
        older(fresh, 2)
        assert fresh.peek("a") is None and await fresh.get("a") == "one" and market.looked == 2

    remembering(story)


def test_without_an_echo_of_the_last_second_nothing_is_believed_for_longer_than_a_second():
    async def story(market, listener, fresh):
        market.facts["a"] = "one"
        heard(listener)
        assert await fresh.get("a") == "one"
        older(fresh, 1.01)
        assert fresh.peek("a") == "one"
        heard(listener, seconds_ago=1.01)
        market.facts["a"] = "two"
        assert fresh.peek("a") is None and await fresh.get("a") == "two"
        older(fresh, 0.9)
        assert fresh.peek("a") == "two", "a look-up of its own is good for a second without the listener"
        assert 1.0 < listener.staleness < 2.0

    remembering(story)


def test_what_is_not_there_is_looked_for_again_after_a_second():
    async def story(market, listener, fresh):
        heard(listener)
        assert await fresh.get("a") is None and await fresh.get("a") is None and market.looked == 1
        older(fresh, 1.01)
        market.facts["a"] = "one"
        assert await fresh.get("a") == "one"

    remembering(story)


def test_notice_forgets_what_hangs_on_the_row_and_only_that():
    async def story(market, listener, fresh):
        market.facts |= {"a": "1", "b": "22"}
        heard(listener)
        assert (await fresh.get("a"), await fresh.get("b")) == ("1", "22")
        hear(listener, "product 2 9")
        assert (fresh.peek("a"), fresh.peek("b")) == ("1", None)
        hear(listener, "key 1")
        assert fresh.peek("a") == "1"
        hear(listener, "product *")
        assert fresh.peek("a") is None
        await fresh.get("a")
        hear(listener, "*")
        assert fresh.peek("a") is None and len(fresh) == 0

    remembering(story)


def test_look_up_that_was_on_its_way_when_a_notice_came_is_not_remembered():
    async def story(market, listener, fresh):
        market.facts["a"] = "one"
        heard(listener)
        market.gate.clear()
        first = asyncio.create_task(fresh.get("a"))
        while not market.looked:
            await asyncio.sleep(0)
        market.facts["a"] = "two"
        hear(listener, "organisation 7")
        market.gate.set()
        await first
        assert fresh.peek("a") is None and await fresh.get("a") == "two"

    remembering(story)


def test_many_who_ask_at_once_share_one_look_up_and_a_failed_one_is_not_remembered():
    async def story(market, listener, fresh):
        market.facts["a"] = "one"
        assert await asyncio.gather(*(fresh.get("a") for _ in range(50))) == ["one"] * 50 and market.looked == 1
        fresh.forget_all()
        market.look, plain = None, market.look

        async def broken(key):
            raise psycopg.OperationalError("away")

        fresh._look = broken
        with pytest.raises(psycopg.OperationalError):
            await fresh.get("a")
        fresh._look = plain
        assert await fresh.get("a") == "one"

    remembering(story)


def hear(listener: Listener, payload: str) -> None:
    listener._hear(psycopg.Notify(freshness.CHANNEL, payload, 0))


def test_reading_of_a_key_turns_at_its_own_next_moment_and_at_the_latest_at_midnight_in_shanghai():
    noon = datetime.fromisoformat("2026-10-20T04:00:00+00:00")
    midnight = datetime.fromisoformat("2026-10-21T00:00:00+08:00")
    far = noon + timedelta(days=90)
    row = {"expires_at": far, "revoked_at": None, "valid_from": noon - timedelta(days=1), "valid_to": far}
    assert turns_at(row, noon) == midnight
    assert turns_at(row | {"expires_at": noon + timedelta(seconds=5)}, noon) == noon + timedelta(seconds=5)
    assert turns_at(row | {"valid_from": noon + timedelta(minutes=1)}, noon) == noon + timedelta(minutes=1)
    assert turns_at(row | {"valid_to": noon - timedelta(minutes=1)}, noon) == midnight
    assert turns_at(row, midnight) == midnight + timedelta(days=1)
    late = datetime.fromisoformat("2026-10-20T23:59:59.9+08:00")
    assert turns_at(row, late) == midnight


@contextmanager
def listening() -> Iterator[Callable[[], list[str]]]:
    """Gives a function that says what the channel has told since it was last asked."""
    with psycopg.connect(test_conninfo(), autocommit=True) as ear:
        ear.execute(f'LISTEN "{freshness.CHANNEL}"')

        def told() -> list[str]:
            ear.execute("SELECT 1")
            return sorted({notice.payload for notice in ear.notifies(timeout=0.05)})

        yield told


def test_changes_of_people_are_told_and_the_traces_of_calls_are_not(stall: Stall):
    quota = stall.limit(stall.entitlement, 10)
    product, entitlement, key = f"product {stall.product.pk}", f"entitlement {stall.entitlement.pk}", f"key {stall.key.pk}"
    with listening() as told:
        with connection.cursor() as cursor:
            cursor.execute(query("touch_keys"), {"ids": [stall.key.pk], "moments": [START]})
        Quota.objects.filter(pk=quota.pk).update(used=3)
        assert told() == [], "what calls move is not told"
        changes: list[tuple[Callable[[], object], list[str]]] = [
            (lambda: ApiKey.objects.filter(pk=stall.key.pk).update(revoked_at=START), [key]),
            (lambda: Entitlement.objects.filter(pk=stall.entitlement.pk).update(state="suspended"), [entitlement]),
            (lambda: stall.limit(stall.entitle(code="E-other"), 5), [f"entitlement {stall.entitlement.pk + 1}"]),
            (lambda: type(stall.product).objects.filter(pk=stall.product.pk).update(state="suspended"), [product]),
            (lambda: type(stall.release).objects.filter(pk=stall.release.pk).update(state="retired"), [product]),
            (lambda: type(stall.authorisation).objects.update(to_date=date(2026, 12, 31)), [product]),
            (lambda: type(stall.plan).objects.update(state="closed"), [product]),
            (lambda: type(stall.tariff).objects.update(state="returned"), [product]),
            (
                lambda: stall.buyer.__class__.objects.filter(pk=stall.buyer.pk).update(state="suspended"),
                [f"organisation {stall.buyer.pk}"],
            ),
        ]
        for change, expected in changes:
            change()
            assert told() == expected


def test_change_of_very_many_rows_is_one_notice_for_all(stall: Stall):
    Entitlement.objects.bulk_create(
        [entitlement_like(stall.entitlement, f"E-many-{number}") for number in range(301)], batch_size=1000
    )
    with listening() as told:
        Entitlement.objects.filter(code__startswith="E-many").update(state="ended")
        assert told() == ["entitlement *"]


def entitlement_like(one: Entitlement, code: str) -> Entitlement:
    facts = {field.attname: getattr(one, field.attname) for field in Entitlement._meta.concrete_fields if not field.primary_key}
    return Entitlement(**facts | {"code": code})


def seconds_until_refused(client: Client, key: ApiKey, secret: str, change: Callable[[], object]) -> float:
    """Warm the key, change something, and call until the key is refused: the seconds from the commit to the last call served."""
    ends = time.monotonic() + 1.5
    while time.monotonic() < ends:
        assert client.call(secret).status_code == 200
    change()
    changed = last_served = time.monotonic()
    while True:
        asked = time.monotonic()
        status = client.call(secret).status_code
        if status != 200:
            assert status == 401
            return last_served - changed
        last_served = asked
        assert asked - changed < 5, "still served"


def revoke(key: ApiKey) -> None:
    ApiKey.objects.filter(pk=key.pk).update(revoked_at=START)


def test_revoked_key_stops_at_once_though_it_was_believed_for_longer(client: Client):
    """The key is older than a second in the gateway's memory, so it is the notice that stops it."""
    key, secret = client.stall.key_for(client.stall.entitlement)
    assert seconds_until_refused(client, key, secret, lambda: revoke(key)) <= 1.0


def test_revoked_key_stops_within_a_second_while_the_listener_is_cut_again_and_again(client: Client):
    key, secret = client.stall.key_for(client.stall.entitlement)
    stop = threading.Event()

    def cut() -> None:
        with psycopg.connect(test_conninfo(), autocommit=True) as knife:
            while not stop.wait(0.02):
                knife.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s", [freshness.NAME]
                )

    thread = threading.Thread(target=cut)

    def change() -> None:
        thread.start()
        revoke(key)

    try:
        assert seconds_until_refused(client, key, secret, change) <= 1.0
    finally:
        stop.set()
        thread.join()
    ends = time.monotonic() + 5
    while time.monotonic() < ends:  # and the gateway hears again
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = %s", [freshness.NAME])
            if cursor.fetchone()[0] >= 1:
                return
    pytest.fail("the gateway listens no more")
