"""JSON Schema (draft 2020-12) at the runtimes' edge: compile once, name each bad field in a sentence.

Compiled without network (a schema's ``$ref`` never leaves the process) and with the linear-time pattern engine, so that
neither a schema nor a body can make the gateway fetch or spin.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import jsonschema_rs
from django.utils.translation import gettext as _

from products.runtimes.base import FieldError, InputRefused, ReleaseRefused

MAX_ERRORS = 20
MAX_DEPTH = 64


def pointer(path: Iterable[str | int]) -> str:
    """RFC 6901 pointer of a path: ``["a/b", 0]`` → ``/a~1b/0``; the empty path is the whole document, ``""``."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


class Schema:
    """A compiled schema. Raises ``ReleaseRefused`` at ``where`` if it is not a JSON Schema."""

    def __init__(self, schema: Mapping[str, Any], *, where: str) -> None:
        try:
            self._validator = jsonschema_rs.Draft202012Validator(
                dict(schema),
                validate_formats=True,
                offline=True,
                pattern_options=jsonschema_rs.RegexOptions(),
            )
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError, TypeError) as error:
            path = pointer(getattr(error, "instance_path", ()) or ())
            reason = str(getattr(error, "message", error))
            raise ReleaseRefused([{"pointer": where + path, "message": _("not a JSON Schema: %s") % reason}]) from error

    def errors(self, body: Any) -> list[FieldError]:
        """Each way in which ``body`` does not fit, at most MAX_ERRORS; values of the body are never repeated."""
        if _is_too_deep(body):
            return [{"pointer": "", "message": _("is nested too deeply")}]
        found: list[FieldError] = []
        for error in self._validator.iter_errors(body):
            found.extend(_sentences(error))
            if len(found) >= MAX_ERRORS:
                break
        return found[:MAX_ERRORS]

    def fits(self, body: Any) -> bool:
        """Whether a document of ours or an operator's fits; what nests too deeply does not."""
        return not _is_too_deep(body) and bool(self._validator.is_valid(body))

    def check(self, body: Any) -> None:
        # The fast yes is one call; sentences are only built for a no.
        if _is_too_deep(body) or not self._validator.is_valid(body):
            raise InputRefused(self.errors(body))


def _is_too_deep(body: Any) -> bool:
    """Whether a document nests past MAX_DEPTH. The validator recurses on the C stack: deep enough, and the process is gone."""
    level = [body] if isinstance(body, (dict, list)) else []
    for _depth in range(MAX_DEPTH):
        if not level:
            return False
        level = [
            inner
            for value in level
            for inner in (value.values() if isinstance(value, dict) else value)
            if isinstance(inner, (dict, list))
        ]
    return True


def _sentences(error: Any) -> list[FieldError]:
    path = list(error.instance_path)
    kind, name = error.kind, type(error.kind).__name__.rpartition("_")[2]
    if name == "Required":
        return [{"pointer": pointer([*path, kind.property]), "message": _("is required")}]
    if name in ("AdditionalProperties", "UnevaluatedProperties"):
        return [{"pointer": pointer([*path, key]), "message": _("is not a field of this input")} for key in kind.unexpected]
    return [{"pointer": pointer(path), "message": _sentence(name, kind)}]


def _sentence(name: str, kind: Any) -> str:
    limit = getattr(kind, "limit", None)
    sentences = {
        "Type": lambda: _("must be of type %s") % " / ".join(_names(kind.types)),
        "Enum": lambda: _("must be one of %s") % ", ".join(str(option) for option in kind.options),
        "Constant": lambda: _("must be %s") % kind.expected_value,
        "Minimum": lambda: _("must be at least %s") % limit,
        "Maximum": lambda: _("must be at most %s") % limit,
        "ExclusiveMinimum": lambda: _("must be more than %s") % limit,
        "ExclusiveMaximum": lambda: _("must be less than %s") % limit,
        "MinLength": lambda: _("must have at least %s characters") % limit,
        "MaxLength": lambda: _("must have at most %s characters") % limit,
        "MinItems": lambda: _("must have at least %s entries") % limit,
        "MaxItems": lambda: _("must have at most %s entries") % limit,
        "MinProperties": lambda: _("must have at least %s fields") % limit,
        "MaxProperties": lambda: _("must have at most %s fields") % limit,
        "MultipleOf": lambda: _("must be a multiple of %s") % kind.multiple_of,
        "Pattern": lambda: _("must match the pattern %s") % kind.pattern,
        "Format": lambda: _("must be a valid %s") % kind.format,
        "UniqueItems": lambda: _("must not hold an entry twice"),
        "OneOfNotValid": lambda: _("fits none of the allowed forms"),
        "AnyOf": lambda: _("fits none of the allowed forms"),
        "FalseSchema": lambda: _("is not allowed here"),
    }
    make = sentences.get(name)
    return make() if make else _("does not fit the schema (%s)") % name


def _names(types: Any) -> list[str]:
    return [types] if isinstance(types, str) else [str(each) for each in types]
