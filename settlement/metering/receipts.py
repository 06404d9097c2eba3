"""What a receipt says: the event's content, what it cost by the list, and the proof that it stands in its hour's published tree.

``steps`` is a generator that yields queries and is sent their rows (dicts), so that the gateway (asynchronous) and the pages
(synchronous, ``receipt_of``) read a receipt the same way. Nothing here signs: that is done where the key is.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.db import connection
from django.utils.translation import gettext_lazy as _

from products.record.clock import BUSINESS_ZONE
from products.record.refusals import Refused
from settlement.metering import merkle
from settlement.metering.list_price import list_price, span_starts
from settlement.metering.rules import month_of_id
from settlement.metering.sealing import HOUR, hour_of, sealed_after
from settlement.sql import query


class ReceiptArchived(Refused):
    """The events of the receipt's month are no longer in the database."""

    code = "receipt-archived"


class Ask(NamedTuple):
    """A query by name (``settlement/sql``) with its parameters; its rows come back as dicts."""

    name: str
    parameters: Mapping[str, Any]


Rows = list[dict[str, Any]]
Steps = Generator[Ask, Rows, dict[str, Any] | None]


def identifier_of(text: str) -> UUID | None:
    """The id of a receipt as written; None where it cannot be one."""
    try:
        found = UUID(text)
        month_of_id(found)
    except (ValueError, OverflowError, OSError):
        return None
    return found if found.version == 7 else None


def steps(identifier: UUID, *, organisation_id: int) -> Steps:
    """The facts of a receipt for one of its two parties; None where there is none, or it is not theirs.

    Raises ReceiptArchived.
    """
    month = month_of_id(identifier)
    rows = yield Ask("receipt", {"month": month, "id": identifier})
    if not rows:
        if (yield Ask("archived_month", {"month": month})):
            raise ReceiptArchived(_("The calls of %(month)s are in the archive.") % {"month": f"{month:%Y-%m}"})
        return None
    row = rows[0]
    if organisation_id not in (row["organisation_id"], row["operator_id"]):
        return None
    price = yield from _price(row)
    proof = yield from _proof(row)
    return facts_of(row, price, proof)


def receipt_of(*, identifier: UUID, organisation_id: int) -> dict[str, Any] | None:
    """``steps`` run over Django's connection."""
    run = steps(identifier, organisation_id=organisation_id)
    try:
        ask = next(run)
        while True:
            ask = run.send(_rows(ask))
    except StopIteration as finished:
        return finished.value


def _rows(ask: Ask) -> Rows:
    with connection.cursor() as cursor:
        cursor.execute(query(ask.name), ask.parameters)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]


def facts_of(row: Mapping[str, Any], price: str | None, proof: dict[str, Any] | None) -> dict[str, Any]:
    """What a receipt says, in this order. ``digest`` is the SHA-256 of its content (``rules.content_of``)."""
    after = sealed_after(row["received_at"])
    return {
        "id": str(row["id"]),
        "time": moment(row["event_time"]),
        "received": moment(row["received_at"]),
        "book_month": f"{row['book_month']:%Y-%m}",
        "product": row["product"],
        "release": row["release"],
        "release_digest": row["release_digest"],
        "entitlement": row["entitlement"],
        "buyer": row["buyer"],
        "operator": row["operator"],
        "purpose": row["purpose"],
        "units": _json(row["units"]),
        "free": row["is_free"],
        "plan": row["plan"],
        "tariff_version": row["tariff_version"],
        "tariff_digest": row["tariff_digest"],
        "list_price": price,
        "request_digest": bytes(row["request_digest"]).hex(),
        "source": row["source"],
        "event_id": row["event_id"],
        "corrects": str(row["corrects"]) if row["corrects"] else None,
        "consent_digest": _hex(row["consent_digest"]),
        "digest": _hex(row["digest"]),
        "proof": proof,
        "sealed_after": None if proof or row["digest"] is None else moment(after),
    }


def _price(row: Mapping[str, Any]) -> Generator[Ask, Rows, str | None]:
    """What this use added to the list price, with the counters as they stood before it."""
    tariff, units = _json(row["tariff"]), _json(row["units"])
    if tariff is None:
        return None
    starts = span_starts(
        tariff,
        units,
        time=row["event_time"],
        anchor=row["anchor_date"],
        valid_from=row["valid_from"],
        is_free=row["is_free"],
    )
    before: Rows = []
    if starts:
        codes, since = zip(*sorted(starts.items()), strict=True)
        parameters = {"entitlement": row["entitlement_id"], "components": list(codes), "since": list(since)}
        event = {"time": row["event_time"], "id": row["id"], "hour": hour_of(row["event_time"]), "month": row["event_month"]}
        before = yield Ask("units_before_event", parameters | event)
    return list_price(tariff, units, {found["component"]: found["units"] for found in before})


def _proof(row: Mapping[str, Any]) -> Generator[Ask, Rows, dict[str, Any] | None]:
    """The audit path, from the chunk that the event is in (1 024 leaves at most) and the nodes of the tree's other chunks."""
    if row["digest"] is None:
        return None
    hour, identifier = hour_of(row["received_at"]), row["id"]
    trees = yield Ask("receipt_tree", {"hour": hour, "id": identifier})
    if not trees:
        return None
    tree = trees[0]
    first, last, chunk = tree["first_id"], tree["last_id"], tree["chunk"]
    if tree["next_id"] is not None:
        last = UUID(int=tree["next_id"].int - 1)
    if first is None or not first <= identifier <= last:
        return None
    months = {"from_month": month_of_id(first), "to_month": month_of_id(last)}
    found = yield Ask("receipt_leaves", {"hour": hour, "end": hour + HOUR, "first": first, "last": last, **months})
    leaves = [merkle.leaf(bytes(leaf["digest"])) for leaf in found]
    chunks = merkle.split(bytes(tree["chunks"]))
    ids = [leaf["id"] for leaf in found]
    if identifier not in ids or merkle.root(leaves) != chunks[chunk]:
        return None  # the events are no longer what was sealed: ``verify`` names them
    index = chunk * merkle.CHUNK + ids.index(identifier)
    path = merkle.chunked_path(leaves, chunks, index)
    return {
        "hour": moment(hour),
        "size": tree["size"],
        "index": index,
        "path": [sibling.hex() for sibling in path],
        "root": bytes(tree["root"]).hex(),
        "chain": bytes(tree["chain"]).hex(),
    }


def moment(value: datetime) -> str:
    """RFC 3339 in Shanghai's time."""
    return value.replace(tzinfo=value.tzinfo or UTC).astimezone(BUSINESS_ZONE).isoformat()


def _hex(value: Any) -> str | None:
    return None if value is None else bytes(value).hex()


def _json(value: Any) -> Any:
    """A JSON column, which Django's own connection leaves as text."""
    return msgspec.json.decode(value) if isinstance(value, str | bytes) else value
