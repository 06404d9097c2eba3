"""Checking receipts without the market: their signature, their leaf, the path to the root, and the chain of published roots.

Pure: files in, findings out; no database, no key of the market's but its public one. ``manage.py check_receipt`` and the public
page both call ``check_receipt``; docs/gateway.md does the same by hand.
"""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from settlement.metering import merkle
from settlement.metering.rules import content_digest

CONTENT = (  # what ``rules.content_of`` writes; ``time`` there is UTC to the microsecond
    "id",
    "time",
    "entitlement",
    "product",
    "release",
    "purpose",
    "units",
    "free",
    "source",
    "event_id",
    "request_digest",
    "corrects",
    "consent_digest",
)
_Found = tuple[bool, str]  # whether it is proven, and in words
_canonical = msgspec.json.Encoder(order="deterministic").encode


class NotReadable(ValueError):
    """A file that is not what it should be; the message says what."""


class _Wrong(ValueError):
    """``code`` for pages that say it in the reader's language; the message for programs and the command."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Root:
    """One row of the published roots."""

    hour: datetime
    size: int
    root: bytes
    chain: bytes


@dataclass(slots=True)
class Finding:
    """What was found about one receipt: for each part in words (``checked``), and each fault with its part and code.

    Parts: ``signature``, ``content``, ``proof``, ``roots``. ``proven`` are those that hold.
    """

    id: str
    checked: dict[str, str] = field(default_factory=dict)
    errors: list[dict[str, str]] = field(default_factory=list)
    proven: set[str] = field(default_factory=set)

    @property
    def ok(self) -> bool:
        return not self.errors

    def as_dict(self) -> dict[str, Any]:
        facts: dict[str, Any] = {"id": self.id, "ok": self.ok, "checked": self.checked}
        return facts | ({"errors": self.errors} if self.errors else {})


def check_receipt(
    receipt: Any, *, keys: Mapping[str, bytes] | None = None, roots: Mapping[datetime, Root] | None = None
) -> Finding:
    """Everything that can be told of a receipt from what is at hand; what cannot be is said so in ``checked``.

    ``keys``: raw public keys by ``kid`` (``keys_of``). ``roots``: published roots by hour (``roots_of``).
    """
    if not isinstance(receipt, dict):
        return Finding("", {}, [{"part": "receipt", "code": "no-receipt", "wrong": "is not a JSON object"}])
    finding = Finding(str(receipt.get("id", "")))
    parts = (
        ("signature", lambda: _signature(receipt, keys)),
        ("content", lambda: _content(receipt)),
        ("proof", lambda: _proof(receipt)),
        ("roots", lambda: _published(receipt, roots)),
    )
    for part, check in parts:
        try:
            is_proven, finding.checked[part] = check()
        except _Wrong as wrong:
            finding.checked[part] = "wrong"
            finding.errors.append({"part": part, "code": wrong.code, "wrong": str(wrong)})
        except (TypeError, ValueError, OverflowError, RecursionError):  # numbers and texts that no receipt has
            finding.checked[part] = "wrong"
            finding.errors.append({"part": part, "code": "unreadable", "wrong": "has values that no receipt has"})
        else:
            if is_proven:
                finding.proven.add(part)
    return finding


def _signature(receipt: Mapping[str, Any], keys: Mapping[str, bytes] | None) -> _Found:
    signature = receipt.get("signature")
    if not isinstance(signature, str):
        raise _Wrong("signature-missing", "there is none: a receipt carries kid and signature")
    if keys is None:
        return False, "not checked: no keys given"
    kid = receipt.get("kid")
    if not isinstance(kid, str) or kid not in keys:
        raise _Wrong("key-unknown", f"its key {kid!r} is not among the keys given")
    named = {name: value for name, value in receipt.items() if name != "signature"}
    try:
        Ed25519PublicKey.from_public_bytes(keys[kid]).verify(_base64(signature), _canonical(named))
    except (InvalidSignature, ValueError):
        raise _Wrong("signature-wrong", "does not fit: the receipt is not as it was signed") from None
    return True, "valid"


def content_in(receipt: Mapping[str, Any]) -> dict[str, Any]:
    """The content that the receipt says was metered, as ``rules.content_of`` writes it. Raises ValueError."""
    missing = [name for name in CONTENT if name not in receipt]
    if missing:
        raise _Wrong("content-missing", f"lacks {', '.join(missing)}")
    content = {name: receipt[name] for name in CONTENT}
    try:
        time = datetime.fromisoformat(content["time"])
        content["time"] = time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        if time.tzinfo is None:
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        raise _Wrong("content-missing", "time is not a moment with its offset") from None
    return content


def _content(receipt: Mapping[str, Any]) -> _Found:
    found = content_digest(content_in(receipt)).hex()
    if receipt.get("digest") is None:
        return False, "has no digest: recorded before digests were kept"
    if receipt["digest"] != found:
        raise _Wrong("digest-differs", f"digests to {found}, and the receipt says {receipt['digest']}")
    return True, f"digests to {found}"


def _proof(receipt: Mapping[str, Any]) -> _Found:
    if receipt.get("proof") is None:
        after = receipt.get("sealed_after")
        return False, f"not sealed yet: after {after}" if after else "not in any tree"
    hour, index, size, path, root, _chain = _proof_parts(receipt)
    received = _moment(receipt.get("received"), "received")
    if received.replace(minute=0, second=0, microsecond=0) != hour:
        raise _Wrong(
            "hour-differs", f"is of the hour {receipt['proof']['hour']}, and the call was received {receipt['received']}"
        )
    reached = merkle.root_by(merkle.leaf(content_digest(content_in(receipt))), index, size, path)
    if reached is None:
        raise _Wrong("path-length", f"has a path of {len(path)} nodes, which leaf {index} of {size} cannot have")
    if reached != root:
        raise _Wrong("root-differs", f"leads to the root {reached.hex()}, and the receipt names {root.hex()}")
    return True, f"leaf {index} of {size} leads to the root {root.hex()}"


def _proof_parts(receipt: Mapping[str, Any]) -> tuple[datetime, int, int, list[bytes], bytes, bytes]:
    proof = receipt["proof"]
    if not isinstance(proof, dict):
        raise _Wrong("proof-shape", "is not a JSON object")
    index, size, path = proof.get("index"), proof.get("size"), proof.get("path")
    if type(index) is not int or type(size) is not int or not 0 <= index < size < 2**63:
        raise _Wrong("proof-shape", "names no leaf of a tree: index and size do not fit")
    if not isinstance(path, list) or len(path) > 64:
        raise _Wrong("proof-shape", "has no path")
    return (
        _moment(proof.get("hour"), "hour"),
        index,
        size,
        [_hash(node, "a node of the path") for node in path],
        _hash(proof.get("root"), "root"),
        _hash(proof.get("chain"), "chain"),
    )


def _published(receipt: Mapping[str, Any], roots: Mapping[datetime, Root] | None) -> _Found:
    if receipt.get("proof") is None:
        return False, "nothing to look up"
    if roots is None:
        return False, "not checked: no roots given"
    hour, _index, size, _path, root, chain = _proof_parts(receipt)
    published = roots.get(hour)
    if published is None:
        raise _Wrong("root-unpublished", f"of the hour {receipt['proof']['hour']} are not among the roots given")
    for name, mine, theirs in (
        ("root", root.hex(), published.root.hex()),
        ("size", size, published.size),
        ("chain", chain.hex(), published.chain.hex()),
    ):
        if mine != theirs:
            raise _Wrong("published-differs", f"have the {name} {theirs} for that hour, and the receipt {mine}")
    return True, "published as the receipt says"


def check_chain(roots: Sequence[Root]) -> list[str]:
    """What is wrong with published roots, in the order of time; nothing where each chain value follows from the one before.

    Where the first is not the first of all, its own chain value is taken as given.
    """
    wrong = []
    before: Root | None = None
    for row in roots:
        if before is not None:
            if row.hour <= before.hour:
                wrong.append(f"{_hour(row)} stands after {_hour(before)}")
            elif merkle.chain(before.chain, row.hour, row.size, row.root) != row.chain:
                wrong.append(f"{_hour(row)} is not chained to {_hour(before)}: one of them was changed, or one between left out")
        before = row
    return wrong


def is_from_the_beginning(roots: Sequence[Root]) -> bool:
    """Whether the first row is chained to nothing, so that the chain is proven from its very beginning."""
    return bool(roots) and merkle.chain(merkle.GENESIS, roots[0].hour, roots[0].size, roots[0].root) == roots[0].chain


def receipts_in(raw: bytes) -> list[Any]:
    """One receipt, a list of them, or one a line. Raises NotReadable."""
    try:
        whole = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        whole = None
    if isinstance(whole, list):
        return whole
    if whole is not None:
        return [whole]
    found = []
    for number, line in enumerate(raw.splitlines(), 1):
        if line.strip():
            try:
                found.append(msgspec.json.decode(line))
            except (msgspec.DecodeError, RecursionError) as error:
                raise NotReadable(f"line {number} is not JSON: {error}") from None
    if not found:
        raise NotReadable("there is no receipt in it")
    return found


def keys_of(raw: bytes) -> dict[str, bytes]:
    """Raw Ed25519 public keys by ``kid`` of a JSON Web Key Set (``/v1/keys``) or of one key. Raises NotReadable."""
    try:
        document = msgspec.json.decode(raw)
        listed = document.get("keys", [document])
        found = {key["kid"]: _base64(key["x"]) for key in listed if (key["kty"], key["crv"]) == ("OKP", "Ed25519")}
    except (msgspec.DecodeError, AttributeError, KeyError, TypeError, ValueError):
        raise NotReadable("is no JSON Web Key Set of Ed25519 keys, as /v1/keys gives it") from None
    if not found or any(len(key) != merkle.HASH_BYTES for key in found.values()):
        raise NotReadable("has no Ed25519 key, or one of another length than 32 bytes")
    return found


def roots_of(raw: bytes) -> list[Root]:
    """The rows of ``/v1/receipt-roots`` (a page, or pages one a line) or of its CSV, in order of time. Raises NotReadable."""
    text = raw.decode("utf-8-sig", errors="replace")
    try:
        if text.lstrip().startswith(("{", "[")):
            pages = receipts_in(raw)
            rows = [row for page in pages for row in page.get("roots", [page])]
        else:
            rows = list(csv.DictReader(io.StringIO(text)))
        found = [
            Root(_moment(row["hour"], "hour"), _size(row["size"]), _hash(row["root"], "root"), _hash(row["chain"], "chain"))
            for row in rows
        ]
    except (AttributeError, KeyError, TypeError, ValueError, csv.Error) as error:
        raise NotReadable(f"is no list of roots, as /v1/receipt-roots gives it ({error})") from None
    unique = {row.hour: row for row in found}
    if len(unique) != len(set(found)):
        raise NotReadable("names an hour twice, differently")
    return [unique[hour] for hour in sorted(unique)]


def _moment(value: Any, name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None or moment.year < 1970:
            raise ValueError
        return moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise _Wrong("proof-shape", f"{name} is not a moment with its offset") from None


def _hash(value: Any, name: str) -> bytes:
    try:
        found = bytes.fromhex(value)
    except (TypeError, ValueError):
        found = b""
    if len(found) != merkle.HASH_BYTES:
        raise _Wrong("proof-shape", f"{name} is not 32 bytes in hexadecimal")
    return found


def _size(value: Any) -> int:
    if not 0 < (size := int(value)) < 2**63:
        raise _Wrong("proof-shape", "size is not that of a tree")
    return size


def _base64(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _hour(row: Root) -> str:
    return row.hour.strftime("%Y-%m-%dT%H:%MZ")
