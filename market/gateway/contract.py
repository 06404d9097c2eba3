"""Every operation that the gateway offers, written once: what ``openapi.py`` puts into the published contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from market.gateway.problems import CATALOGUE

KEY = {
    "type": "http",
    "scheme": "bearer",
    "description": "`gs_live_…` calls, `gs_test_…` (sandbox: made-up data, never charged), `gs_op_…` (reported usage).",
}
Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Operation:
    """``responses`` are the good ones, by status; ``problems`` codes of ``problems.CATALOGUE``."""

    method: str
    path: str
    name: str
    summary: str
    responses: Mapping[str, Any]
    problems: Sequence[str] = ()
    parameters: Sequence[Mapping[str, Any]] = ()
    body: Mapping[str, Any] | None = None
    has_key: bool = True


def _object(required: Schema, optional: Schema | None = None, *, more: bool = False) -> Schema:
    properties = {**required, **(optional or {})}
    return {"type": "object", "required": list(required), "properties": properties} | (
        {} if more else {"additionalProperties": False}
    )


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


TEXT: Schema = {"type": "string"}
MOMENT: Schema = {"type": "string", "format": "date-time"}
HASH: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$", "description": "32 bytes, hexadecimal"}
IDENTIFIER: Schema = {"type": "string", "format": "uuid"}
COUNT: Schema = {"type": "integer", "minimum": 0}
QUANTITY: Schema = {"type": "string", "pattern": "^-?[0-9]{1,19}(\\.[0-9]{1,6})?$", "description": "A decimal, as text"}
UNITS: Schema = {"type": "object", "additionalProperties": QUANTITY, "description": "By the tariff's component codes"}
REFERENCE = _object({"id": IDENTIFIER, "url": TEXT})

PROOF = _object(
    {"hour": MOMENT, "size": COUNT, "index": COUNT, "path": {"type": "array", "items": HASH}, "root": HASH, "chain": HASH}
)
RECEIPT = _object(
    {
        "id": IDENTIFIER,
        "time": MOMENT,
        "received": MOMENT,
        "book_month": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}$"},
        "product": TEXT,
        "release": {"type": ["integer", "null"]},
        "release_digest": {"type": ["string", "null"]},
        "entitlement": TEXT,
        "buyer": {"type": "string", "description": "USCC"},
        "operator": {"type": "string", "description": "USCC"},
        "purpose": TEXT,
        "units": UNITS,
        "free": {"type": "boolean"},
        "plan": {"type": ["string", "null"]},
        "tariff_version": {"type": ["integer", "null"]},
        "tariff_digest": {"type": ["string", "null"]},
        "list_price": {"type": ["string", "null"], "description": "Yuan, exact: what this use added, before discounts"},
        "request_digest": TEXT,
        "source": TEXT,
        "event_id": TEXT,
        "corrects": _or_null(IDENTIFIER),
        "consent_digest": _or_null(HASH),
        "digest": _or_null(HASH),
        "proof": _or_null(PROOF),
        "sealed_after": _or_null(MOMENT),
        "kid": TEXT,
        "signature": {"type": "string", "description": "Ed25519 over the JSON of all other members"},
    }
)
JWKS = {
    "type": "array",
    "items": _object({"kty": {"const": "OKP"}, "crv": {"const": "Ed25519"}, "x": TEXT, "kid": TEXT}, {"use": TEXT, "alg": TEXT}),
}
REFERENCE_TEXT: Schema = {"type": "string", "pattern": r"^[\x20\x21\x23-\x5b\x5d-\x7e]{1,120}$"}
WITHDRAWAL = _object(
    {"reference": REFERENCE_TEXT}, {"withdrawn_at": _or_null(MOMENT), "note": {"type": "string", "maxLength": 300}}
)
WITHDRAWN = _object({"withdrawn_at": MOMENT, "recorded_at": MOMENT, "is_new": {"type": "boolean"}})
ROOT = _object({"hour": MOMENT, "size": COUNT, "root": HASH, "chain": HASH, "sealed": MOMENT})
EVENT = _object(
    {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "minLength": 1, "maxLength": 200},
        "source": {"type": "string", "pattern": "^/operators/[^/]+/.+$", "maxLength": 200},
        "type": {"const": "cn.gongshu.usage.v1"},
        "subject": {"type": "string", "minLength": 1, "maxLength": 200, "description": "The entitlement"},
        "time": MOMENT,
        "data": _object({"purpose": TEXT, "units": UNITS}, more=True),
    },
    more=True,
)
ITEM = _object(
    {"id": {"type": ["string", "null"]}, "status": {"enum": ["accepted", "duplicate", "rejected"]}},
    {"receipt": IDENTIFIER, "reason": TEXT, "message": TEXT, "detail": TEXT},
)
PROBLEM = _object(
    {"type": {"type": "string", "pattern": "^/problems/"}, "title": TEXT, "status": {"type": "integer"}},
    {"detail": TEXT},
    more=True,
)
SCHEMAS: dict[str, Schema] = {
    "Problem": PROBLEM,
    "Answer": _object({"data": {}, "receipt": _or_null(REFERENCE)}, {"sandbox": {"const": True}}),
    "Receipt": RECEIPT,
    "Root": ROOT,
    "UsageEvent": EVENT,
    "UsageItem": ITEM,
}

AUTHENTICATION = (
    *("key-missing", "key-malformed", "key-unknown", "key-revoked", "key-expired"),
    *("organisation-suspended", "key-scope", "key-network"),
)
BROKEN = ("runtime-failed", "database-away")
NOT_OF_A_CALL = ("receipt-unknown", "receipt-archived", "link-unknown", "link-expired", "method-not-allowed", "query-refused")
CALL = tuple(code for code in CATALOGUE if code not in NOT_OF_A_CALL)
CODE = {"name": "code", "in": "path", "required": True, "schema": {"type": "string", "pattern": "^[a-z0-9-]{1,60}$"}}


def _json(schema: Schema, description: str, **more: Any) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}} | more


def _header(name: str, description: str, schema: Schema) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "description": description, "schema": schema}


def _cached(schema: Schema, description: str, media: str = "application/json") -> dict[str, Any]:
    headers = {"ETag": {"required": True, "schema": TEXT}, "Cache-Control": {"required": True, "schema": TEXT}}
    kept = {"description": "The caller has it already."}
    return {"200": {"description": description, "headers": headers, "content": {media: {"schema": schema}}}, "304": kept}


AFTER = {
    "name": "after",
    "in": "query",
    "required": False,
    "description": "Only hours later than this one.",
    "schema": MOMENT | {"pattern": "^(19[7-9]|[2-7])"},
}
OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "post",
        "/v1/products/{code}",
        "call",
        "Call a product. Answered only after it was metered.",
        {
            "200": _json(
                _ref("Answer"),
                "The product's answer with its receipt; a sandbox key's has made-up data and no receipt.",
                headers={name: {"schema": TEXT} for name in ("RateLimit", "RateLimit-Policy", "Idempotency-Replayed")},
            )
        },
        CALL,
        (
            CODE,
            _header(
                "Purpose", "What it is for; without it the entitlement's first purpose.", {"type": "string", "maxLength": 80}
            ),
            _header(
                "Consent",
                'Of the person, where the product needs it: `ref="…", sha256="…"`; or `consent` in the body.',
                TEXT,
            ),
            _header("Idempotency-Key", "A repeat under it gives the first answer again.", {"type": "string", "maxLength": 120}),
        ),
        {"application/json": {"schema": {}}},
    ),
    Operation(
        "get",
        "/v1/products/{code}/openapi.json",
        "product_contract",
        "The contract of one listed product: its input and its answer.",
        _cached({"type": "object"}, "OpenAPI 3.1."),
        ("product-unknown", "not-found", *BROKEN),
        (CODE,),
        has_key=False,
    ),
    Operation(
        "post",
        "/v1/usage",
        "report_usage",
        "Report usage of services that an operator hosts itself; an answer for each event.",
        {
            "200": _json(
                _object(
                    {
                        "accepted": COUNT,
                        "duplicate": COUNT,
                        "rejected": COUNT,
                        "items": {"type": "array", "items": _ref("UsageItem")},
                    }
                ),
                "What became of each event, in order.",
            )
        },
        (*AUTHENTICATION, "key-mode", "body-too-large", "not-json", "input-refused", "recording-failed", *BROKEN),
        (),
        {
            "application/cloudevents+json": {"schema": _ref("UsageEvent")},
            "application/cloudevents-batch+json": {
                "schema": {"type": "array", "items": _ref("UsageEvent"), "minItems": 1, "maxItems": 5_000}
            },
            "application/json": {"schema": {"anyOf": [_ref("UsageEvent"), {"type": "array", "items": _ref("UsageEvent")}]}},
        },
    ),
    Operation(
        "post",
        "/v1/consents/withdrawals",
        "withdraw_consent",
        "Record that a person withdrew a consent: every call that names it is refused from then on.",
        {
            "200": _json(WITHDRAWN, "It was recorded before; the first withdrawal stands."),
            "201": _json(WITHDRAWN, "It is recorded."),
        },
        (*AUTHENTICATION, "key-mode", "rate-limit", "body-too-large", "not-json", "input-refused", *BROKEN),
        body={"application/json": {"schema": WITHDRAWAL}},
    ),
    Operation(
        "get",
        "/v1/receipts/{id}",
        "receipt",
        "The signed receipt of a call, for its buyer and its operator.",
        {"200": _json(_ref("Receipt"), "The receipt; `proof` once its hour is sealed.")},
        (*AUTHENTICATION, "receipt-unknown", "receipt-archived", "not-found", *BROKEN),
        ({"name": "id", "in": "path", "required": True, "schema": IDENTIFIER},),
    ),
    Operation(
        "get",
        "/v1/receipt-roots",
        "receipt_roots",
        "The roots of the hours' receipts, each chained to the one before; the earliest first, 1 000 at a time.",
        _cached(
            _object(
                {"roots": {"type": "array", "items": _ref("Root")}, "final_before": _or_null(MOMENT), "next": _or_null(TEXT)}
            ),
            "The roots; an hour before `final_before` that is not among them had no calls.",
        ),
        ("query-refused", *BROKEN),
        (AFTER,),
        has_key=False,
    ),
    Operation(
        "get",
        "/v1/receipt-roots.csv",
        "receipt_roots_csv",
        "The same as CSV, 10 000 at a time; a Link header leads on.",
        _cached(TEXT, "hour, size, root, chain, sealed.", "text/csv"),
        ("query-refused", *BROKEN),
        (AFTER,),
        has_key=False,
    ),
    Operation(
        "get",
        "/v1/keys",
        "keys",
        "The public key of receipts (JSON Web Key Set, Ed25519).",
        {"200": {"description": "The key.", "content": {"application/jwk-set+json": {"schema": _object({"keys": JWKS})}}}},
        BROKEN,
        has_key=False,
    ),
    Operation(
        "post",
        "/v1/keys/reports",
        "report_leaked_key",
        "Report a key that can be read where it should not be: it is revoked. The answer does not tell whether it was one.",
        {"202": _json(_object({"received": {"const": True}}), "It was received.")},
        ("rate-limit", "body-too-large", "not-json", "input-refused", *BROKEN),
        body={"application/json": {"schema": _object({"key": TEXT})}},
        has_key=False,
    ),
    Operation(
        "get",
        "/v1/deliveries/{token}",
        "delivery",
        "The document of a report product, for whoever holds its link.",
        {"200": {"description": "The document.", "content": {"application/octet-stream": {}}}},
        ("link-unknown", "link-expired", "not-found", "product-suspended", "emergency-stop", *BROKEN),
        ({"name": "token", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1, "maxLength": 2_000}},),
        has_key=False,
    ),
    Operation(
        "get", "/v1/openapi.json", "contract", "This contract.", _cached({"type": "object"}, "OpenAPI 3.1."), has_key=False
    ),
    Operation(
        "get",
        "/problems/{code}",
        "problem",
        "What a problem's `type` points to.",
        {"200": _json(PROBLEM, "The problem in words.")},
        ("not-found",),
        ({"name": "code", "in": "path", "required": True, "schema": {"type": "string", "enum": list(CATALOGUE)}},),
        has_key=False,
    ),
)
