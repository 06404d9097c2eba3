"""The gateway's contract as OpenAPI 3.1, from one source: the operations of ``contract.py`` and ``problems.CATALOGUE``.

``document()`` is the whole of it; ``of_product`` narrows the call to one listed product, with the schemas of its active release.
A test holds it against docs/gateway.md, and schemathesis holds the running gateway against it.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from django.conf import settings
from django.utils import translation

from market.gateway.contract import KEY, OPERATIONS, SCHEMAS, Operation
from market.gateway.http import encode
from market.gateway.problems import CATALOGUE, CONTENT_TYPE, Problem
from market.gateway.resources import Resources

VERSION = "1.0.0"
PRODUCT_PATH = "/v1/products/{code}"


@cache
def document() -> bytes:
    """``/v1/openapi.json``."""
    paths: dict[str, Any] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = written(operation)
    return encode(_whole("Gongshu gateway", paths))


async def of_product(held: Resources, code: str) -> dict[str, Any]:
    """``/v1/products/{code}/openapi.json``: the call of one listed product, with its schemas. Raises ``Problem`` (404)."""
    product = await held.products.get(code) if len(code) <= 60 else None
    if product is None or product["state"] != "listed" or product["release_id"] is None:
        raise Problem("product-unknown")
    row = await held.row("release_schemas", release=product["release_id"])
    assert row is not None
    call = written(next(operation for operation in OPERATIONS if operation.path == PRODUCT_PATH))
    call["parameters"] = [parameter for parameter in call["parameters"] if parameter["in"] != "path"]
    media = call["requestBody"]["content"]["application/json"]
    media["schema"], media["example"] = _inner(row["input_schema"]), row["sample_input"]
    answered = call["responses"]["200"]["content"]["application/json"]
    properties = SCHEMAS["Answer"]["properties"] | {"data": _inner(row["output_schema"])}
    answered["schema"] = SCHEMAS["Answer"] | {"properties": properties}
    whole = _whole(row["code"], {f"/v1/products/{code}": {"post": call}})
    whole["info"]["version"] = f"{VERSION}+release.{row['version']}"
    return whole


def _inner(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema as a part of the document; one that refers to itself keeps a base of its own for that."""
    inner = {name: value for name, value in schema.items() if name != "$schema"}
    if "$ref" in str(schema):
        inner.setdefault("$id", "urn:gongshu:schema")
    return inner


def _whole(title: str, paths: dict[str, Any]) -> dict[str, Any]:
    return {
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": VERSION,
            "description": "Calls of products, reported usage, receipts and their proof. A 2xx is metered exactly once.",
        },
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "servers": [{"url": settings.PUBLIC_URL}],
        "paths": paths,
        "components": {"securitySchemes": {"key": KEY}, "schemas": SCHEMAS},
    }


def written(operation: Operation) -> dict[str, Any]:
    """An operation with its problems grouped by status."""
    found: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": [dict(parameter) for parameter in operation.parameters],
        "responses": {status: _copy(response) for status, response in operation.responses.items()} | _problems(operation),
        "security": [{"key": []}] if operation.has_key else [],
    }
    if operation.body is not None:
        found["requestBody"] = {"required": True, "content": _copy(operation.body)}
    return found


def _copy(value: Any) -> Any:
    return {name: _copy(inner) for name, inner in value.items()} if isinstance(value, dict) else value


def _problems(operation: Operation) -> dict[str, Any]:
    by_status: dict[int, list[str]] = {}
    for code in operation.problems:
        by_status.setdefault(CATALOGUE[code][0], []).append(code)
    return {str(status): _problem(status, codes) for status, codes in sorted(by_status.items())}


def _problem(status: int, codes: list[str]) -> dict[str, Any]:
    with translation.override("en"):
        titles = " ".join(f"`{code}`: {CATALOGUE[code][1]}" for code in codes)
    named = {
        "type": "object",
        "properties": {"type": {"enum": [f"/problems/{code}" for code in codes]}, "status": {"const": status}},
    }
    schema = {"allOf": [{"$ref": "#/components/schemas/Problem"}, named]}
    response: dict[str, Any] = {"description": titles, "content": {CONTENT_TYPE: {"schema": schema}}}
    if status in (429, 503):
        response["headers"] = {"Retry-After": {"description": "Seconds.", "required": True, "schema": {"type": "integer"}}}
    if status == 401:
        response["headers"] = {"WWW-Authenticate": {"required": True, "schema": {"type": "string"}}}
    return response
