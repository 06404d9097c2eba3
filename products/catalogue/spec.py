"""A product's spec: the YAML file of ``manage.py publish_product``, checked whole before anything is touched.

The format is ``SPEC_SCHEMA``; docs/products.md explains it with one worked spec a type. Dates and numbers keep the spelling of
the file (a date stays ``2026-04-20``), and a key that stands twice is an error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from django.utils.translation import gettext as _

from products.catalogue.concepts import CONCEPTS
from products.catalogue.models import Regime
from products.record.refusals import Refused
from products.runtimes import host
from products.runtimes.base import FieldError
from products.runtimes.remoteconfig import is_remote
from products.runtimes.schemas import Schema

MAX_DATA_BYTES = 64 * 1024 * 1024

_TEXT = {"type": "string", "minLength": 1}
_CODES = {"type": "array", "minItems": 1, "uniqueItems": True, "items": _TEXT}


def _in_two_languages(longest: int) -> dict[str, Any]:
    text = {"type": "string", "minLength": 1, "maxLength": longest}
    return {"type": "object", "required": ["zh", "en"], "additionalProperties": False, "properties": {"zh": text, "en": text}}


SPEC_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Gongshu product spec",
    "type": "object",
    "required": ["code", "operator", "type", "name", "summary", "purposes", "scenarios", "release"],
    "additionalProperties": False,
    "properties": {
        "code": {"type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$", "maxLength": 60},
        "operator": {**_TEXT, "description": "unified social credit code or slug"},
        "type": {"enum": list(host.RUNNING_TYPES)},
        "name": _in_two_languages(200),
        "summary": _in_two_languages(300),
        "description": _in_two_languages(20_000),
        "authorisation": {**_TEXT, "description": "number of the authorisation; not for a re-developed product"},
        "resources": {**_CODES, "description": "data resources; not for a re-developed product"},
        "built_on": {**_CODES, "description": "codes of the delivered products that a third party's product is built on"},
        "purposes": _CODES,
        "scenarios": _CODES,
        "regime": {"enum": Regime.values},
        "necessity": {"type": "string"},
        "open_first_override": {"type": "string"},
        "update_frequency": {"type": "string", "maxLength": 20},
        "concepts": {**_CODES, "items": {"enum": list(CONCEPTS)}, "description": "what its answers tell"},
        "needs_consent": {"type": "boolean", "description": "each call names the consent of the person asked about"},
        "consent_exemption": {
            "type": "string",
            "description": "why no person is asked about, where personal data stands behind it",
        },
        "submitted_by": {"type": "string", "format": "email"},
        "request_reviews": {"type": "boolean"},
        "release": {
            "type": "object",
            "required": ["config", "samples"],
            "additionalProperties": False,
            "properties": {
                "data": {**_TEXT, "description": "path of the data file, relative to the spec; none for a remote service"},
                "config": {"type": "object"},
                "input_schema": {"type": "object"},
                "output_schema": {"type": "object"},
                "samples": {"type": "array", "minItems": 1, "maxItems": 20},
            },
        },
        "tariffs": {
            "type": "array",
            "description": "for the pricing floor: plans with their tariff documents; this floor hands them on unread",
            "items": {"type": "object"},
        },
    },
}


class SpecRefused(Refused):
    """The spec is not a spec: each error says where (a JSON pointer) and why."""

    code = "spec_refused"

    def __init__(self, errors: Sequence[FieldError]) -> None:
        self.errors = list(errors)
        super().__init__(_("This is not a product spec."), errors=self.errors)


@dataclass(frozen=True, kw_only=True, slots=True)
class ProductSpec:
    """A checked spec. Texts are (Chinese, English); ``data`` is the data file's bytes; ``tariffs`` are raw, for pricing."""

    code: str
    operator: str
    type: str
    name: tuple[str, str]
    summary: tuple[str, str]
    description: tuple[str, str]
    authorisation: str = ""
    resources: tuple[str, ...] = ()
    purposes: tuple[str, ...]
    scenarios: tuple[str, ...]
    regime: str
    necessity: str
    open_first_override: str
    update_frequency: str
    submitted_by: str | None
    request_reviews: bool
    data: bytes = field(repr=False)
    config: Mapping[str, Any]
    input_schema: Mapping[str, Any] | None
    output_schema: Mapping[str, Any] | None
    samples: tuple[Any, ...]
    tariffs: tuple[Mapping[str, Any], ...]
    built_on: tuple[str, ...] = ()
    concepts: tuple[str, ...] = ()
    needs_consent: bool = False
    consent_exemption: str = ""


class _Loader(yaml.SafeLoader):
    """YAML as JSON people expect it: no dates made of strings, no yes/no booleans, no key twice."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):  # a few lines of aliases unfold to gigabytes, or to a document without end
            raise yaml.composer.ComposerError(
                None, None, _("anchors and aliases are not used here"), self.peek_event().start_mark
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _value in node.value]
        for position, key in enumerate(keys):
            if not isinstance(key, str) or key in keys[:position]:
                mark = node.value[position][0].start_mark
                raise yaml.constructor.ConstructorError(None, None, _("the key %s stands twice or is not a text") % key, mark)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:bool")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), ["t", "f"])


def spec_parse(text: str, *, folder: Path) -> ProductSpec:
    """The spec in a YAML text; its data file is looked for under ``folder`` and nowhere else. Raises ``SpecRefused``."""
    raw = _checked(spec_raw(text))
    return _spec(raw, _data(raw["release"]["data"], folder) if "data" in raw["release"] else b"")


def spec_raw(text: str) -> Any:
    """What stands in a YAML text, not yet checked. Raises ``SpecRefused`` where it is not YAML."""
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506  (a SafeLoader, made stricter)
    except yaml.YAMLError as error:
        raise SpecRefused([{"pointer": "", "message": _("not YAML: %s") % " ".join(str(error).split())}]) from error


def spec_checked(raw: Any, *, data: bytes) -> ProductSpec:
    """The spec in what a form or ``spec_raw`` gives, with its data file as bytes. Raises ``SpecRefused``."""
    return _spec(_checked(raw), data)


def _checked(raw: Any) -> Mapping[str, Any]:
    errors = Schema(SPEC_SCHEMA, where="").errors(raw)
    if errors:
        raise SpecRefused(errors)
    _check_ground(raw)
    _check_data(raw)
    return raw


def _check_data(raw: Mapping[str, Any]) -> None:
    release = raw["release"]
    remote = is_remote(raw["type"], release["config"])
    if remote == ("data" in release):
        message = _("a remote release has no data file") if remote else _("is required")
        raise SpecRefused([{"pointer": "/release/data", "message": message}])


def _check_ground(raw: Mapping[str, Any]) -> None:
    """A product stands on an authorisation and its resources, or on another's delivered products; never on both."""
    names = ("authorisation", "resources")
    if "built_on" in raw:
        both = _("a re-developed product stands on the products it names in built_on, not on an authorisation")
        errors: list[FieldError] = [{"pointer": f"/{name}", "message": both} for name in names if name in raw]
    else:
        errors = [{"pointer": f"/{name}", "message": _("is missing")} for name in names if name not in raw]
    if errors:
        raise SpecRefused(errors)


def _data(name: str, folder: Path) -> bytes:
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise SpecRefused([{"pointer": "/release/data", "message": _("must lie beside the spec or below it")}])
    try:
        if path.stat().st_size > MAX_DATA_BYTES:
            raise SpecRefused([{"pointer": "/release/data", "message": _("is larger than %s bytes") % MAX_DATA_BYTES}])
        return path.read_bytes()
    except OSError as error:
        message = _("cannot be read: %s") % (error.strerror or type(error).__name__)
        raise SpecRefused([{"pointer": "/release/data", "message": message}]) from error


def _spec(raw: Mapping[str, Any], data: bytes) -> ProductSpec:
    release = raw["release"]
    return ProductSpec(
        code=raw["code"],
        operator=raw["operator"],
        type=raw["type"],
        name=_pair(raw["name"]),
        summary=_pair(raw["summary"]),
        description=_pair(raw.get("description", {"zh": "", "en": ""})),
        authorisation=raw.get("authorisation", ""),
        resources=tuple(raw.get("resources", ())),
        purposes=tuple(raw["purposes"]),
        scenarios=tuple(raw["scenarios"]),
        regime=raw.get("regime", "market" if "built_on" in raw else "trial"),
        necessity=raw.get("necessity", "").strip(),
        open_first_override=raw.get("open_first_override", "").strip(),
        update_frequency=raw.get("update_frequency", ""),
        submitted_by=raw.get("submitted_by"),
        request_reviews=raw.get("request_reviews", True),
        data=data,
        config=release["config"],
        input_schema=release.get("input_schema"),
        output_schema=release.get("output_schema"),
        samples=tuple(release["samples"]),
        tariffs=tuple(raw.get("tariffs", ())),
        built_on=tuple(raw.get("built_on", ())),
        concepts=tuple(raw.get("concepts", ())),
        needs_consent=raw.get("needs_consent", False),
        consent_exemption=raw.get("consent_exemption", "").strip(),
    )


def _pair(texts: Mapping[str, str]) -> tuple[str, str]:
    return texts["zh"].strip(), texts["en"].strip()
