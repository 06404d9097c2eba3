"""What a remote release's config and schemas must say, checked before anything is called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.utils.translation import gettext as _

from products.runtimes.addresses import is_host_name, is_port
from products.runtimes.base import FieldError, ReleaseRefused, ReleaseSpec
from products.runtimes.schemas import Schema

TYPES = ("remote", "index", "verification", "model")
MOST_SECONDS = 30
MOST_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one remote release: per call (seconds, bytes of the answer), and of calls at once and waiting."""

    seconds: float = 5
    max_bytes: int = 64 * 1024
    concurrent: int = 8
    queue: int = 16


def limits_of(config: Mapping[str, Any]) -> Limits:
    return Limits(**{name: config[name] for name in Limits.__dataclass_fields__ if name in config})


_SHORT_FORMATS = ("date", "date-time", "time", "uuid")
_POINTER = {"type": "string", "pattern": "^(/[^/]+)+$", "maxLength": 200}
_COUNT = {"type": "integer", "minimum": 1}
CONFIG_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["runtime", "url"],
    "additionalProperties": False,
    "properties": {
        "runtime": {"const": "remote"},
        "url": {"type": "string", "maxLength": 500},
        "seconds": {"type": "number", "minimum": 0.1, "maximum": MOST_SECONDS},
        "max_bytes": {"type": "integer", "minimum": 256, "maximum": MOST_BYTES},
        "concurrent": {"type": "integer", "minimum": 1, "maximum": 64},
        "queue": {"type": "integer", "minimum": 0, "maximum": 256},
        "charges_no_result": {"type": "boolean"},
        "no_result": {
            "type": "object",
            "required": ["pointer", "equals"],
            "additionalProperties": False,
            "properties": {"pointer": _POINTER, "equals": {"type": ["string", "integer", "boolean", "null"]}},
        },
        "subject": _POINTER,
        "limits": {
            "type": "object",
            "required": ["attempts_per_subject_per_day", "subjects_per_day"],
            "additionalProperties": False,
            "properties": {"attempts_per_subject_per_day": _COUNT, "subjects_per_day": _COUNT},
        },
    },
}


def is_remote(type: str, config: Mapping[str, Any]) -> bool:
    """Whether a release is answered by its operator's service. The type says what a product is, the runtime who answers."""
    return type == "remote" or config.get("runtime") == "remote"


def host_of(config: Mapping[str, Any]) -> tuple[str, int]:
    """Host and port of a checked config."""
    parts = urlsplit(config["url"])
    return parts.hostname or "", parts.port or 443


def check_config(release: ReleaseSpec) -> None:
    """Raise ``ReleaseRefused`` with everything that is wrong."""
    errors = Schema(CONFIG_SCHEMA, where="/config").errors(release.config)
    found: list[FieldError] = [{**error, "pointer": "/config" + error["pointer"]} for error in errors]
    if release.type not in TYPES:
        found.append({"pointer": "/type", "message": _("a %s is not answered by a remote service") % release.type})
    if release.artifact:
        found.append({"pointer": "/artifact", "message": _("a remote release has no data file")})
    for name in ("input_schema", "output_schema"):
        if not getattr(release, name):
            found.append({"pointer": f"/{name}", "message": _("is required for a remote release")})
    if release.type == "verification":
        missing = [name for name in ("subject", "limits") if name not in release.config]
        found += [{"pointer": f"/config/{name}", "message": _("is required for a verification")} for name in missing]
    if not found:
        found = [*_url_errors(release.config["url"]), *loose_places(release.output_schema)]
        if release.output_schema.get("type") != "object":
            found.append({"pointer": "/output_schema/type", "message": _("must be %s") % "object"})
    if found:
        raise ReleaseRefused(found)


def _url_errors(url: str) -> Iterator[FieldError]:
    def wrong(message: str) -> FieldError:
        return {"pointer": "/config/url", "message": message}

    try:
        parts: SplitResult = urlsplit(url)
        port = parts.port or 443
    except ValueError:
        yield wrong(_("is not a URL"))
        return
    if parts.scheme != "https" or not url.isascii() or any(character <= " " for character in url) or parts.fragment:
        yield wrong(_("must be an https URL in ASCII, without a fragment"))
    if parts.username is not None or parts.password is not None:
        yield wrong(_("must not hold a user name or password: the request is signed"))
    if not is_host_name(parts.hostname or "", for_tests=True):
        yield wrong(_("must name a host of the public internet, not an address"))
    if not is_port(port):
        yield wrong(_("the port must be 443, or 1024 and above"))


def loose_places(schema: Any, where: str = "/output_schema") -> Iterator[FieldError]:
    """Places of an output schema where more could come back than it names: open objects, lists and texts without an end.

    A remote answer is not ours, so its schema is the only thing between the operator's data and the buyer.
    """
    if not isinstance(schema, Mapping):
        if schema is not False:
            yield {"pointer": where, "message": _("must say its type, or list its values")}
        return
    if "$ref" in schema or "$dynamicRef" in schema:
        yield {"pointer": where, "message": _("write the schema out: references are not followed here")}
        return
    kinds = schema.get("type")
    if "enum" not in schema and "const" not in schema:
        yield from _loose_here(schema, kinds if isinstance(kinds, list) else [kinds], where)
    for name, inner in dict(schema.get("properties") or {}).items():
        yield from loose_places(inner, f"{where}/properties/{name}")
    if "items" in schema:
        yield from loose_places(schema["items"], f"{where}/items")


def _loose_here(schema: Mapping[str, Any], kinds: list[Any], where: str) -> Iterator[FieldError]:
    if not set(kinds) <= {"object", "array", "string", "number", "integer", "boolean", "null"}:
        yield {"pointer": where, "message": _("must say its type, or list its values")}
    if "object" in kinds and schema.get("additionalProperties") is not False:
        yield {"pointer": where, "message": _("must have additionalProperties: false")}
    if "object" in kinds and "patternProperties" in schema:
        yield {"pointer": where, "message": _("must name its fields one by one")}
    if "array" in kinds and ("maxItems" not in schema or "items" not in schema or "prefixItems" in schema):
        yield {"pointer": where, "message": _("must say maxItems and items")}
    if "string" in kinds and "maxLength" not in schema and schema.get("format") not in _SHORT_FORMATS:
        yield {"pointer": where, "message": _("must say maxLength, a date's format or an enum")}


def at_pointer(document: Any, pointer: str, absent: Any = "") -> Any:
    """What stands at a JSON pointer (RFC 6901) of objects; ``absent`` where nothing does."""
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(document, Mapping) or name not in document:
            return absent
        document = document[name]
    return document
