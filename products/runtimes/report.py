"""Report products: a dated document; the call answers a signed short-lived link, and each call is one delivery.

Artifact: the document's bytes. Config: ``{"content_type", "filename", "issued_on", "title", "link_minutes": 15}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any

from django.utils.translation import gettext as _

from products.runtimes.base import ReleaseRefused, ReleaseSpec, RunResult, Secrets
from products.runtimes.links import link_sign
from products.runtimes.schemas import Schema

UNITS = {"products": "1"}
LINK_MINUTES = 15
# What a browser may be handed as a download; a document is never served inline.
SIGNATURES = {
    "application/pdf": (b"%PDF-",),
    "text/html": (b"<!doctype html", b"<html"),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": (b"PK\x03\x04",),
}


@dataclass(frozen=True, slots=True)
class Document:
    """What the gateway serves behind a verified link, always as an attachment."""

    content_type: str
    filename: str
    issued_on: date
    sha256: str
    body: bytes


def input_schema(config: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "additionalProperties": False,
        "properties": {},
    }


def output_schema(config: Mapping[str, Any]) -> dict[str, Any]:
    properties = {
        "title": {"type": "string"},
        "issued_on": {"type": "string", "format": "date"},
        "url": {"type": "string"},
        "expires_at": {"type": "string", "format": "date-time"},
        "content_type": {"enum": sorted(SIGNATURES)},
        "bytes": {"type": "integer", "minimum": 1},
        "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": list(properties),
        "additionalProperties": False,
        "properties": properties,
    }


class ReportRuntime:
    """A loaded report release."""

    def __init__(self, release: ReleaseSpec, secrets: Secrets) -> None:
        self._release = release
        self._document = document(release)
        self._link_key = secrets.link_key
        self._lasts = timedelta(minutes=int(release.config.get("link_minutes", LINK_MINUTES)))
        self._schema = Schema(release.input_schema, where="/input_schema")

    def check(self, body: Any) -> None:
        self._schema.check(body)

    def subject(self, body: Any) -> None:
        return None

    def run(self, body: Any, at: datetime) -> RunResult:
        link = link_sign(
            key=self._link_key,
            product_code=self._release.product_code,
            version=self._release.version,
            at=at,
            lasts=self._lasts,
        )
        return RunResult(
            output={
                "title": self._release.config["title"],
                "issued_on": self._document.issued_on.isoformat(),
                "url": link.path,
                "expires_at": link.expires_at.isoformat(),
                "content_type": self._document.content_type,
                "bytes": len(self._document.body),
                "sha256": self._document.sha256,
            },
            units=dict(UNITS),
        )


def document(release: ReleaseSpec) -> Document:
    """The release's document. Raises ``ReleaseRefused`` where the bytes are not what the config says they are."""
    config = release.config
    text = {"type": "string", "minLength": 1}
    schema = {
        "type": "object",
        "required": ["content_type", "filename", "issued_on", "title"],
        "properties": {
            "content_type": {"enum": sorted(SIGNATURES)},
            "filename": {"type": "string", "pattern": r"^[^/\\\x00-\x1f\x22]{1,120}$"},
            "issued_on": {"type": "string", "format": "date"},
            "title": text,
            "link_minutes": {"type": "integer", "minimum": 1, "maximum": 1440},
        },
    }
    errors = [{**error, "pointer": "/config" + error["pointer"]} for error in Schema(schema, where="/config").errors(config)]
    if not errors and not release.artifact.lstrip()[:20].lower().startswith(
        tuple(signature.lower() for signature in SIGNATURES[config["content_type"]])
    ):
        errors = [{"pointer": "/artifact", "message": _("the file is not a %s") % config["content_type"]}]
    if errors:
        raise ReleaseRefused(errors)  # type: ignore[arg-type]
    return Document(
        content_type=config["content_type"],
        filename=config["filename"],
        issued_on=date.fromisoformat(config["issued_on"]),
        sha256=sha256(release.artifact).hexdigest(),
        body=release.artifact,
    )
