"""What the gateway publishes to everybody, without a key: the roots of receipts and its own contract. Caches may keep it."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlencode

from psycopg.rows import dict_row

from market.gateway import openapi
from market.gateway.http import Request, Response, encode
from market.gateway.problems import Problem
from market.gateway.resources import Resources
from settlement.metering.receipts import moment
from settlement.sql import query

KINDS = ("receipt-roots", "receipt-roots.csv", "openapi.json")
MOST_ROWS = {"receipt-roots": 1_000, "receipt-roots.csv": 10_000}
SECONDS = 60
WHOLE_SECONDS = 86_400  # a page that is full never changes
EARLIEST = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


async def answer(held: Resources, request: Request, kind: str, rest: list[str]) -> Response:
    """``GET`` of one of KINDS, or of a product's own contract. Raises ``Problem``."""
    if kind == "products":
        return _cacheable(request, encode(await openapi.of_product(held, rest[0])), "application/json")
    if rest:
        raise Problem("not-found")
    if kind == "openapi.json":
        return _cacheable(request, openapi.document(), "application/json")
    return await _roots(held, request, kind)


async def _roots(held: Resources, request: Request, kind: str) -> Response:
    """The roots after the hour named, the earliest first; ``next`` (CSV: a Link header) leads on where there are more."""
    after = _after(request)
    most = MOST_ROWS[kind]
    async with held.pool.connection() as connection:
        cursor = connection.cursor(row_factory=dict_row)
        await cursor.execute(query("receipt_roots"), {"after": after, "most": most + 1})
        rows = [row_of(row) for row in await cursor.fetchall()]
        await cursor.execute(query("sealed_before"))
        final = (await cursor.fetchone() or {}).get("final_before")
    is_full = len(rows) > most
    rows = rows[:most]
    following = f"/v1/{kind}?{urlencode({'after': rows[-1]['hour']})}" if is_full else None
    seconds = WHOLE_SECONDS if is_full else SECONDS
    if kind == "receipt-roots":
        until = None if is_full or final is None else moment(final)
        body = encode({"roots": rows, "final_before": until, "next": following})
        return _cacheable(request, body, "application/json", seconds)
    lines = ["hour,size,root,chain,sealed"]
    lines += [f"{row['hour']},{row['size']},{row['root']},{row['chain']},{row['sealed']}" for row in rows]
    response = _cacheable(request, ("\r\n".join(lines) + "\r\n").encode(), "text/csv; charset=utf-8; header=present", seconds)
    if following:
        response.headers["link"] = f'<{following}>; rel="next"'
    return response


def row_of(row: dict[str, Any]) -> dict[str, Any]:
    """A root as it is published: hexadecimal, times in Shanghai's."""
    return {
        "hour": moment(row["hour"]),
        "size": row["size"],
        "root": bytes(row["root"]).hex(),
        "chain": bytes(row["chain"]).hex(),
        "sealed": moment(row["sealed_at"]),
    }


def _after(request: Request) -> datetime:
    asked = parse_qs(request.scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
    unknown = sorted(set(asked) - {"after"})
    if unknown:
        raise Problem("query-refused", parameter=unknown[0])
    if "after" not in asked:
        return EARLIEST - timedelta(days=1)
    try:
        found = datetime.fromisoformat(asked["after"][-1].replace(" ", "+"))  # a + that was not encoded
        if found.tzinfo is None or not 1970 <= found.year < 9000:
            raise ValueError
    except ValueError:
        raise Problem("query-refused", parameter="after") from None
    return found


def _cacheable(request: Request, body: bytes, content_type: str, seconds: int = SECONDS) -> Response:
    """With an ETag over the content; 304 where the caller has it already."""
    etag = f'"{sha256(body).hexdigest()[:32]}"'
    headers = {"etag": etag, "cache-control": f"public, max-age={seconds}", "access-control-allow-origin": "*"}
    known = [each.strip().removeprefix("W/") for each in request.header(b"if-none-match").split(",")]
    if etag in known or "*" in known:
        return Response(304, b"", content_type, headers)
    return Response(200, body, content_type, headers)
