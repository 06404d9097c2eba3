"""Config of a model product and its schemas; needs no scikit-learn, so the gateway and the publisher may import it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from products.runtimes.base import ReleaseRefused
from products.runtimes.schemas import Schema

DEFAULT_SECONDS = 2
DEFAULT_MEMORY_MB = 512
_DECIMAL = {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]{1,6})?$"}
_FIELD = {
    "type": "object",
    "required": ["name", "kind", "code", "text"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "minLength": 1},
        "kind": {"enum": ["number", "text"]},
        "code": {"type": "string", "pattern": "^[A-Z][A-Z0-9_]{0,31}$"},
        "text": {
            "type": "object",
            "required": ["zh", "en"],
            "additionalProperties": False,
            "properties": {"zh": {"type": "string", "minLength": 1}, "en": {"type": "string", "minLength": 1}},
        },
    },
}
CONFIG_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["fields"],
    "additionalProperties": False,
    "properties": {
        "fields": {"type": "array", "minItems": 1, "items": _FIELD},
        "decimals": {"type": "integer", "minimum": 0, "maximum": 6},
        "scorecard": {
            "type": "object",
            "required": ["offset", "factor"],
            "additionalProperties": False,
            "properties": {"offset": _DECIMAL, "factor": _DECIMAL},
        },
        "limits": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "seconds": {"type": "integer", "minimum": 1, "maximum": 60},
                "memory_mb": {"type": "integer", "minimum": 64, "maximum": 4096},
                "workers": {"type": "integer", "minimum": 1, "maximum": 8},
                "queue": {"type": "integer", "minimum": 1, "maximum": 1000},
            },
        },
    },
}


def check_config(config: Mapping[str, Any]) -> None:
    """Raise ``ReleaseRefused`` with each thing that is wrong in a model's config."""
    errors = Schema(CONFIG_SCHEMA, where="/config").errors(config)
    if not errors and len({field["name"] for field in config["fields"]}) != len(config["fields"]):
        errors = [{"pointer": "/fields", "message": "a field is named twice"}]
    if errors:
        raise ReleaseRefused([{**error, "pointer": "/config" + error["pointer"]} for error in errors])


def input_schema(config: Mapping[str, Any]) -> dict[str, Any]:
    """Schema where the spec gives none: every field required, a number or a text of at most 200 characters."""
    kinds: dict[str, dict[str, Any]] = {"number": {"type": "number"}, "text": {"type": "string", "maxLength": 200}}
    names = [field["name"] for field in config["fields"]]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": names,
        "additionalProperties": False,
        "properties": {field["name"]: kinds[field["kind"]] for field in config["fields"]},
    }


def output_schema(config: Mapping[str, Any]) -> dict[str, Any]:
    number = {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}
    reason = {
        "type": "object",
        "required": ["field", "code", "contribution", "text"],
        "additionalProperties": False,
        "properties": {
            "field": {"enum": [field["name"] for field in config["fields"]]},
            "code": {"type": "string"},
            "contribution": number,
            "text": {"type": "object"},
        },
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": ["score", "base", "scale", "reasons"],
        "additionalProperties": False,
        "properties": {
            "score": number,
            "base": number,
            "scale": {"enum": ["log_odds", "probability", "value", "points"]},
            "probability": number,
            "reasons": {"type": "array", "items": reason},
        },
    }
