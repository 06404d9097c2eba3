import time

import pytest

from products.runtimes.base import InputRefused, ReleaseRefused
from products.runtimes.schemas import Schema, pointer


def errors(schema, body):
    return {error["pointer"]: error["message"] for error in Schema(schema, where="/input_schema").errors(body)}


def test_every_bad_field_is_named_with_its_reason():
    schema = {
        "type": "object",
        "required": ["a"],
        "additionalProperties": False,
        "properties": {"a": {}, "n": {"type": "integer", "minimum": 2}, "list": {"items": {"enum": ["x", "y"]}}},
    }
    assert errors(schema, {"n": 1, "list": ["x", "z"], "b/c": 1}) == {
        "/a": "is required",
        "/n": "must be at least 2",
        "/list/1": "must be one of x, y",
        "/b~1c": "is not a field of this input",
    }


def test_a_message_never_repeats_the_callers_value():
    secret = "330203199001011234"
    for schema in (
        {"maxLength": 3},
        {"pattern": "^[a-z]+$"},
        {"type": "integer"},
        {"format": "date"},
        {"enum": ["x"]},
        {"not": {}},
    ):
        (message,) = errors({"properties": {"id": schema}}, {"id": secret}).values()
        assert secret not in message


def test_a_fitting_body_passes():
    Schema({"type": "object"}, where="").check({})
    with pytest.raises(InputRefused):
        Schema({"type": "object"}, where="").check([])


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "objct"},
        {"pattern": "("},
        {"pattern": "(?=a)b"},
        {"$ref": "#/nowhere"},
        {"$ref": "http://127.0.0.1:9/x.json"},
    ],
)
def test_a_schema_that_is_wrong_or_reaches_outside_is_refused(schema):
    with pytest.raises(ReleaseRefused, match="/input_schema"):
        Schema(schema, where="/input_schema")


def test_a_pattern_cannot_make_the_check_spin():
    began = time.perf_counter()
    assert errors({"pattern": "^(a+)+$"}, "a" * 5000 + "!")
    assert time.perf_counter() - began < 0.5


def test_a_body_nested_without_measure_is_refused():
    body = []
    for _ in range(100_000):
        body = [body]
    with pytest.raises(InputRefused, match="nested too deeply"):
        Schema({"items": {"$ref": "#"}, "uniqueItems": True}, where="").check(body)


def test_pointers_are_escaped():
    assert pointer(["a/b", "c~d", 0]) == "/a~1b/c~0d/0"
