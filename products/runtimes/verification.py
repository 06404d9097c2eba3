"""Verification products: check claimed facts against a protected table; answers match, mismatch or not_found, never a
value.

Artifact: MessagePack of ``{"fields": [name…], "rows": bytes}``; a row is the subject's digest and one digest a field,
each 32
bytes; rows are sorted by subject digest. Nothing else of the table leaves the operator, and without the product key
the digests
cannot be searched (``digests``).
Config: ``{"subject": {"label", "normalise"}, "fields": {name: {"label", "normalise"}}, "limits":
{"attempts_per_subject_per_day", "subjects_per_day"}, "tells_absence": false}``. ``not_found`` is answered only where
``tells_absence`` says so; else a subject that is not in the table cannot be told from a claim that does not match.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import datetime
from hmac import compare_digest
from itertools import pairwise
from typing import Any

import msgspec
from django.utils.translation import gettext as _

from products.runtimes.base import (
    FieldError,
    ReleaseRefused,
    ReleaseSpec,
    RunResult,
    Secrets,
    refuse_input,
    refuse_release,
)
from products.runtimes.digests import NORMALISATIONS, SIZE, Digester, normalise, normalised
from products.runtimes.schemas import Schema

UNITS = {"calls": "1"}
MAX_CHARACTERS = 200


class Packed(msgspec.Struct):
    fields: list[str]
    rows: bytes


class Table:
    """The digests, searched in place: no row object exists until it is asked for."""

    def __init__(self, packed: Packed) -> None:
        self.fields = packed.fields
        self._rows = packed.rows
        self._width = SIZE * (1 + len(packed.fields))

    def __len__(self) -> int:
        return len(self._rows) // self._width

    def find(self, subject: bytes) -> dict[str, bytes] | None:
        """Digests by field of a subject's row."""
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            if self._subject(middle) < subject:
                low = middle + 1
            else:
                high = middle
        if low == len(self) or not compare_digest(self._subject(low), subject):
            return None
        start = low * self._width + SIZE
        return {name: self._rows[start + index * SIZE : start + (index + 1) * SIZE] for index, name in enumerate(self.fields)}

    def _subject(self, row: int) -> bytes:
        return self._rows[row * self._width : row * self._width + SIZE]


def input_schema(config: Mapping[str, Any]) -> dict[str, Any]:
    text = {"type": "string", "minLength": 1, "maxLength": MAX_CHARACTERS}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": ["subject", "claims"],
        "additionalProperties": False,
        "properties": {
            "subject": {**text, "title": config["subject"]["label"]},
            "claims": {
                "type": "object",
                "minProperties": 1,
                "additionalProperties": False,
                "properties": {name: {**text, "title": each["label"]} for name, each in config["fields"].items()},
            },
        },
    }


def output_schema(config: Mapping[str, Any]) -> dict[str, Any]:
    answer = {"enum": ["match", "mismatch", *(["not_found"] if config.get("tells_absence") else [])]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": ["results"],
        "additionalProperties": False,
        "properties": {
            "results": {
                "type": "object",
                "additionalProperties": False,
                "properties": {name: answer for name in config["fields"]},
            }
        },
    }


class VerificationRuntime:
    """A loaded verification release; holds the digester, never the key's text."""

    def __init__(self, release: ReleaseSpec, secrets: Secrets) -> None:
        self._config = release.config
        self._absent = "not_found" if release.config.get("tells_absence") else "mismatch"
        self._table = Table(unpack(release))
        self._digester = Digester(secrets.product_key(release.product_code), release.product_code)
        self._product_schema = Schema(release.input_schema, where="/input_schema")
        self._own_schema = Schema(input_schema(release.config), where="/config")

    def check(self, body: Any) -> None:
        self._product_schema.check(body)
        self._own_schema.check(body)
        if not self._subject_text(body):
            raise refuse_input("/subject", _("holds no letter or digit"))

    def subject(self, body: Any) -> bytes:
        return self._digester.subject(self._subject_text(body))

    def run(self, body: Any, at: datetime) -> RunResult:
        """``{"results": {field: "match" | "mismatch" | "not_found"}}``, one entry a claim whether or not the subject
        exists.
        """
        text = self._subject_text(body)
        digest = self._digester.subject(text)
        row = self._table.find(digest)
        results = {name: self._answer(row, text, name, claim) for name, claim in body["claims"].items()}
        return RunResult(output={"results": results}, units=dict(UNITS), subject=digest.hex())

    def _answer(self, row: Mapping[str, bytes] | None, subject: str, name: str, claim: str) -> str:
        # The same digests are computed for a subject that is not there, so that the time taken tells nothing.
        claimed = self._digester.value(subject, name, normalised(self._config, name, claim))
        absent = self._digester.absent(subject, name)
        stored = row[name] if row else absent
        if compare_digest(stored, absent):
            return self._absent
        return "match" if compare_digest(stored, claimed) else "mismatch"

    def _subject_text(self, body: Mapping[str, Any]) -> str:
        return normalise(body["subject"], self._config["subject"].get("normalise", "code"))


def unpack(release: ReleaseSpec) -> Packed:
    """The artifact, proven whole and sorted. Raises ``ReleaseRefused``."""
    check_config(release.config)
    try:
        packed = msgspec.msgpack.decode(release.artifact, type=Packed)
    except msgspec.DecodeError as error:
        raise refuse_release("/artifact", _("not a verification artifact: %s") % error) from error
    if set(packed.fields) != set(release.config["fields"]):
        raise refuse_release("/config/fields", _("must name exactly the fields of the data file"))
    width = SIZE * (1 + len(packed.fields))
    if not packed.rows or len(packed.rows) % width:
        raise refuse_release("/artifact/rows", _("is empty or cut off"))
    subjects = [packed.rows[start : start + SIZE] for start in range(0, len(packed.rows), width)]
    if any(later <= earlier for earlier, later in pairwise(subjects)):
        raise refuse_release("/artifact/rows", _("is not sorted, or holds a subject twice"))
    return packed


def check_config(config: Mapping[str, Any]) -> None:
    """Raise ``ReleaseRefused`` unless subject, fields and limits are given."""
    label = {"type": "string", "minLength": 1}
    column = {
        "type": "object",
        "required": ["label"],
        "additionalProperties": False,
        "properties": {"label": label, "column": label, "normalise": {"enum": list(NORMALISATIONS)}},
    }
    count = {"type": "integer", "minimum": 1}
    schema = {
        "type": "object",
        "required": ["subject", "fields", "limits"],
        "properties": {
            "tells_absence": {"type": "boolean"},
            "subject": column,
            "fields": {"type": "object", "minProperties": 1, "additionalProperties": column},
            "limits": {
                "type": "object",
                "required": ["attempts_per_subject_per_day", "subjects_per_day"],
                "additionalProperties": False,
                "properties": {
                    "attempts_per_subject_per_day": count,
                    "subjects_per_day": count,
                    "claims_per_subject": count,
                    "neighbours_per_day": count,
                    "no_match_percent": {**count, "maximum": 100},
                    "no_match_after": count,
                },
            },
        },
    }
    errors = Schema(schema, where="/config").errors(config)
    if errors:
        raise ReleaseRefused([{**error, "pointer": "/config" + error["pointer"]} for error in errors])


def pack(rows: Iterable[tuple[str, Mapping[str, str]]], config: Mapping[str, Any], digester: Digester) -> bytes:
    """Artifact of rows (subject, {field: value}); an empty or missing value is stored as absent. Runs at the
    operator's side.
    """
    names = list(config["fields"])
    kind = config["subject"].get("normalise", "code")
    packed: dict[bytes, bytes] = {}
    for number, (raw, values) in enumerate(rows, start=2):
        subject = normalise(raw, kind)
        digest = digester.subject(subject)
        if not subject or digest in packed:
            raise refuse_release(f"/data/{number}", _("the subject is empty, or stands in the file twice"))
        cells = []
        for name in names:
            value = normalised(config, name, values.get(name) or "")
            cells.append(digester.value(subject, name, value) if value else digester.absent(subject, name))
        packed[digest] = b"".join(cells)
    return msgspec.msgpack.encode(Packed(names, b"".join(digest + packed[digest] for digest in sorted(packed))))


def pack_csv(data: bytes, config: Mapping[str, Any], digester: Digester) -> bytes:
    """Artifact of a CSV file; columns are named by ``column`` of the subject and of each field (default: the field's
    name).
    """
    check_config(config)
    reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig")))
    subject = config["subject"].get("column", "subject")
    columns = {name: each.get("column", name) for name, each in config["fields"].items()}
    missing = sorted({subject, *columns.values()} - set(reader.fieldnames or ()))
    if missing:
        errors: list[FieldError] = [{"pointer": f"/data/1/{each}", "message": _("no such column")} for each in missing]
        raise ReleaseRefused(errors)
    rows = ((row[subject] or "", {name: row[column] or "" for name, column in columns.items()}) for row in reader)
    return pack(rows, config, digester)
