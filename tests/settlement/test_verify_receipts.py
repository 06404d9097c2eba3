"""verify and trace on sealed hours: an event added, changed or taken away afterwards is named; so is a tree that was changed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from settlement.metering.models import UsageEvent
from settlement.metering.sealing import seal
from settlement.trace import trace
from settlement.verify.receipts import trees
from tests.settlement.metering.test_sealing import HOUR, use
from tests.settlement.stall import START, Stall, make_stall
from tests.settlement.test_verify import corrupt

ADD = """
INSERT INTO settlement_usageevent (event_month, id, book_month, entitlement_id, product_id, source, event_id, purpose, units,
    event_time, received_at, is_free, request_digest, digest)
SELECT event_month, '{id}', book_month, entitlement_id, product_id, source, 'forged', purpose, units, event_time,
    received_at + interval '{later}', is_free, request_digest, sha256('forged') FROM settlement_usageevent ORDER BY id LIMIT 1
"""


@pytest.fixture
def stall(db) -> Stall:
    stall = make_stall()
    use(stall, 1_500)
    use(stall, 3, at=START + 5 * HOUR)
    seal(at=START + 9 * HOUR)
    return stall


def found() -> list[str]:
    return [str(mismatch) for mismatch in trees()]


def ids() -> list[str]:
    return [str(identifier) for identifier in UsageEvent.objects.order_by("id").values_list("id", flat=True)]


def test_verify_agrees_on_sealed_hours_and_on_what_is_not_sealed_yet(stall):
    use(stall, 2, at=START + 9 * HOUR)
    assert found() == []


def test_event_added_to_a_sealed_hour_is_named_wherever_it_stands(stall):
    known = ids()
    between = known[700][:-1] + ("0" if known[700][-1] != "0" else "1")
    for identifier in ("01000000-0000-7000-8000-000000000000", between, "0fffffff-0000-7000-8000-000000000000"):
        corrupt(ADD.format(id=identifier, later="0"))
        assert (
            f"settlement_usageevent {identifier}: was received in the sealed hour 2026-10-20T02:00Z and is not in its tree"
            in found()
        )
        corrupt(f"DELETE FROM settlement_usageevent WHERE id = '{identifier}'")


def test_event_added_to_an_hour_that_was_empty_is_named(stall):
    identifier = "01000000-0000-7000-8000-000000000000"
    corrupt(ADD.format(id=identifier, later="2 hours"))
    assert found() == [
        f"settlement_usageevent {identifier}: was received in the sealed hour 2026-10-20T04:00Z and is not in its tree"
    ]


def test_event_changed_or_taken_away_is_placed_in_its_chunk(stall):
    first, other = ids()[0], ids()[1_200]
    corrupt(f"UPDATE settlement_usageevent SET digest = sha256('x') WHERE id = '{other}'")
    whole, place = found()
    assert "holds 1500 events" in whole and "2026-10-20T02:00Z chunk 1" in place and "476 then, 476 now" in place
    corrupt(f"DELETE FROM settlement_usageevent WHERE id = '{first}'")
    assert "chunk 0" in found()[1] and "1024 then, 1023 now" in found()[1]


def test_hour_all_of_whose_events_are_gone_is_missed(stall):
    for identifier in ids()[1_500:]:
        corrupt(f"DELETE FROM settlement_usageevent WHERE id = '{identifier}'")
    assert found() == ["settlement_receipttree 2026-10-20T07:00Z: holds 3 events, and none was received in that hour"]


@pytest.mark.parametrize("change", ["size = size + 1", "root = sha256('x')", "chain = sha256('x')"])
def test_changed_tree_breaks_the_chain_from_there(stall, change):
    corrupt(f"UPDATE settlement_receipttree SET {change} WHERE hour = (SELECT min(hour) FROM settlement_receipttree)")
    assert "settlement_receipttree 2026-10-20T02:00Z: is not chained to the hour before it" in found()


def test_tree_left_out_breaks_the_chain(stall):
    corrupt("DELETE FROM settlement_receipttree WHERE hour = (SELECT min(hour) FROM settlement_receipttree)")
    assert "settlement_receipttree 2026-10-20T07:00Z: is not chained to the hour before it" in found()
    assert len(found()) == 1_501, "and each of its events is in no tree"


def test_trace_of_a_receipt_shows_its_tree(stall):
    with connection.cursor() as cursor:
        cursor.execute("SELECT encode(root, 'hex') FROM settlement_receipttree ORDER BY hour LIMIT 1")
        (root,) = cursor.fetchone()
    lines = "\n".join(trace(ids()[3]).lines())
    assert "tree of receipts 2026-10-20T02:00Z" in lines and root in lines
    (outcome,) = use(stall, 1, at=START + 9 * HOUR + timedelta(minutes=1))
    assert "tree of receipts not sealed yet 2026-10-20T11:00Z" in "\n".join(trace(str(outcome.usage_id)).lines())
