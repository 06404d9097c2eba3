"""Form bodies with nested keys (`line_items[0][price_data][currency]=cny`), and the check that we know every key.

A specification is a nest of: a dict (named keys), a one-element list (a list of that), `MAP` (free string to string), `ANY`
(an object whose inside is not looked at), or a type: str, int, bool. A leading `*` on a key means required.
"""

from typing import Any
from urllib.parse import parse_qsl

from tests.servers.stripe.faults import invalid, missing_parameter, unknown_parameter

MAP = object()
ANY = object()
Spec = Any


def decode(text: str) -> dict[str, Any]:
    """The nested dict that a form-encoded body or query means; list indexes become keys "0", "1", … until `read` orders them."""
    tree: dict[str, Any] = {}
    for key, value in parse_qsl(text, keep_blank_values=True):
        head, *rest = key.split("[")
        path = [head, *(part.rstrip("]") for part in rest)]
        place = tree
        for part in path[:-1]:
            inner = place.setdefault(part or str(len(place)), {})
            if not isinstance(inner, dict):
                raise invalid(f"Invalid parameter nesting at {key}", key)
            place = inner
        place[path[-1] or str(len(place))] = value
    return tree


def read(spec: Spec, tree: Any, where: str = "") -> Any:
    """The tree with its types; raises Stripe's error for an unknown key, a missing one or a wrong type."""
    if isinstance(spec, dict):
        return _read_named(spec, _object(tree, where), where)
    if isinstance(spec, list):
        items = _object(tree, where)
        return [read(spec[0], items[key], f"{where}[{key}]") for key in sorted(items, key=_index(where))]
    if spec is MAP:
        return _read_map(_object(tree, where), where)
    if spec is ANY:
        return tree
    if isinstance(tree, dict):
        raise invalid("Invalid string: expected a value, got an object", where)
    return _LEAF[spec](tree, where)


def _read_named(spec: dict[str, Spec], tree: dict[str, Any], where: str) -> dict[str, Any]:
    known = {key.lstrip("*"): inner for key, inner in spec.items()}
    named = {key: f"{where}[{key}]" if where else key for key in {*tree, *known}}
    for key in tree:
        if key not in known:
            raise unknown_parameter(named[key])
    for key in spec:
        if key.startswith("*") and tree.get(key[1:]) in (None, ""):
            raise missing_parameter(named[key[1:]])
    return {key: read(known[key], value, named[key]) for key, value in tree.items()}


def _read_map(tree: dict[str, Any], where: str) -> dict[str, str]:
    if len(tree) > 50:
        raise invalid("You can have up to 50 metadata keys.", where)
    for key, value in tree.items():
        if not isinstance(value, str) or len(key) > 40 or len(value) > 500:
            raise invalid("Metadata keys take up to 40 characters and values up to 500.", f"{where}[{key}]")
    return tree


def _object(tree: Any, where: str) -> dict[str, Any]:
    if not isinstance(tree, dict):
        raise invalid("Invalid object", where)
    return tree


def _index(where: str) -> Any:
    def of(key: str) -> int:
        if not key.isdigit():
            raise invalid("Invalid array", where)
        return int(key)

    return of


def _int(text: str, where: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise invalid(f"Invalid integer: {text}", where, "parameter_invalid_integer") from None


def _bool(text: str, where: str) -> bool:
    if text not in ("true", "false"):
        raise invalid(f"Invalid boolean: {text}", where)
    return text == "true"


_LEAF = {str: lambda text, where: text, int: _int, bool: _bool}
