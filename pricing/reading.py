"""Reads JSON documents strictly and collects everything that is wrong with them, each with a JSON pointer to its place.

A `Node` is a value and where it stands. Its readers return the value, or a harmless stand-in after noting a problem, so
that one pass finds all problems; whoever starts a pass must raise `DocumentRefused` when `problems` is not empty.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

from pricing.rules.exact import scaled
from products.record.refusals import Refused

DATE = re.compile(r"(?:19|2[0-9])[0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])")
DECIMAL = re.compile(r"[0-9]{1,18}(?:\.[0-9]+)?")


def gettext_noop(message: str) -> str:
    """Marks a sentence for translation without needing Django; `pricing.explain` translates it where it is shown."""
    return message


TEXTS = {
    "unreadable": gettext_noop("the file cannot be read: %(reason)s"),
    "not_json": gettext_noop("this is not JSON: %(reason)s"),
    "not_object": gettext_noop("an object is expected here"),
    "not_list": gettext_noop("a list is expected here"),
    "empty_list": gettext_noop("at least one entry is expected here"),
    "not_text": gettext_noop("a text is expected here"),
    "bad_text": gettext_noop("this text has a form that is not allowed here: %(value)s"),
    "not_boolean": gettext_noop("true or false is expected here"),
    "not_decimal": gettext_noop("a decimal string is expected here, such as “0.50”"),
    "number_not_string": gettext_noop("a decimal string is expected here, not a JSON number: write it in quotation marks"),
    "negative": gettext_noop("a number below zero is not allowed here"),
    "too_many_decimals": gettext_noop("at most %(places)s decimals are allowed here"),
    "not_positive": gettext_noop("a number above zero is expected here"),
    "percent_range": gettext_noop("a percentage lies between 0 and 100"),
    "rate_range": gettext_noop("a tax rate is a fraction between 0 and 1: 0.06 for 6 %%"),
    "not_date": gettext_noop("a date such as 2026-01-31 is expected here"),
    "no_such_day": gettext_noop("the calendar has no such day"),
    "missing": gettext_noop("this is missing"),
    "unknown_key": gettext_noop("this key is not known here"),
    "duplicate_key": gettext_noop("this key stands here more than once"),
    "unknown_value": gettext_noop("%(value)s is not known here; known are: %(known)s"),
    "duplicate_code": gettext_noop("another component has this code already"),
    "reserved_code": gettext_noop("this code is kept for the lines of the minimum and the maximum"),
    "tier_order": gettext_noop("a tier must end above the one before it"),
    "tier_end": gettext_noop("the last tier, and only the last, ends with null"),
    "unknown_component": gettext_noop("the tariff has no component with this code"),
    "units_of_flat": gettext_noop("a flat component takes no units: it counts the days from “from” to “to”"),
    "dates_needed": gettext_noop("a tariff with a flat component needs this date"),
    "not_after": gettext_noop("“to” must lie after “from”"),
    "bounds_crossed": gettext_noop("the maximum lies below the minimum"),
    "duplicate_cap": gettext_noop("another cap holds for this basis and period already"),
    "units_differ": gettext_noop("components of this basis have different units, so no one cap can hold for their sum"),
    "too_many_packages": gettext_noop("more than %(most)s package sizes on one basis cannot be proven under a cap"),
    "too_many_discounts": gettext_noop("more than %(most)s combinations of discounts cannot be looked at one by one"),
}
# Problems that JSON Schema cannot express: they hang on two places at once, on the calendar or on the file itself.
BEYOND_SCHEMA = frozenset(
    {
        "unreadable",
        "not_json",
        "no_such_day",
        "duplicate_key",
        "duplicate_code",
        "tier_order",
        "tier_end",
        "unknown_component",
        "units_of_flat",
        "dates_needed",
        "not_after",
        "bounds_crossed",
        "duplicate_cap",
        "units_differ",
        "too_many_packages",
        "too_many_discounts",
    }
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: in which document, where (JSON pointer, RFC 6901), which rule, its sentence's values."""

    document: str
    pointer: str
    rule: str
    values: Mapping[str, object] = field(default_factory=dict)

    @property
    def message(self) -> str:
        return TEXTS[self.rule] % self.values

    def as_dict(self) -> dict[str, str]:
        return {"document": self.document, "pointer": self.pointer, "message": self.message}


class DocumentRefused(Refused):
    """A tariff, usage or cap document that breaks a rule of design.md section 7. `problems` has them all."""

    code = "document_refused"

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{p.document}#{p.pointer}: {p.message}" for p in self.problems))

    @property
    def errors(self) -> list[dict[str, str]]:
        return [problem.as_dict() for problem in self.problems]


class JsonObject(dict[str, Any]):
    """A dict that remembers which of its keys were written twice."""

    duplicates: tuple[str, ...] = ()


def object_of(pairs: list[tuple[str, Any]]) -> JsonObject:
    result = JsonObject(pairs)
    if len(result) < len(pairs):
        keys = [key for key, _ in pairs]
        result.duplicates = tuple(dict.fromkeys(key for key in keys if keys.count(key) > 1))
    return result


def refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def load_json(content: bytes, document: str) -> Any:
    """A JSON document without losing what matters here: numbers never become floats, double keys are kept in mind."""
    numbers = partial(Decimal)
    try:
        return json.loads(
            content.decode("utf-8-sig"),
            object_pairs_hook=object_of,
            parse_float=numbers,
            parse_int=numbers,
            parse_constant=refuse_constant,
        )
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise DocumentRefused([Problem(document, "", "not_json", {"reason": str(error)})]) from error


@dataclass(slots=True)
class Node:
    """A value of a document, where it stands, and the list that collects the document's problems."""

    value: Any
    pointer: str
    document: str
    problems: list[Problem]

    def note(self, rule: str, **values: object) -> None:
        self.problems.append(Problem(self.document, self.pointer, rule, values))

    def child(self, key: str | int, value: Any) -> "Node":
        token = str(key).replace("~", "~0").replace("/", "~1")
        return Node(value, f"{self.pointer}/{token}", self.document, self.problems)

    def fields(self, required: Sequence[str] = (), optional: Sequence[str] | None = None) -> dict[str, "Node"]:
        """The members of an object; notes missing, unknown and double keys. `optional` None: any key may stand here."""
        if not isinstance(self.value, dict):
            self.note("not_object")
            return {}
        for key in getattr(self.value, "duplicates", ()):
            self.child(key, None).note("duplicate_key")
        for key in required:
            if key not in self.value:
                self.child(key, None).note("missing")
        children = {str(key): self.child(key, value) for key, value in self.value.items()}
        if optional is not None:
            for key in [key for key in children if key not in required and key not in optional]:
                children.pop(key).note("unknown_key")
        return children

    def items(self, least: int = 0) -> Iterator["Node"]:
        if not isinstance(self.value, list | tuple):
            self.note("not_list")
            return
        if len(self.value) < least:
            self.note("empty_list")
        for index, value in enumerate(self.value):
            yield self.child(index, value)

    def decimal(self, places: int) -> int:
        """A decimal string with at most `places` decimals, not negative, as an integer scaled by 10^places."""
        text = self.value
        if isinstance(text, int | float | Decimal) and not isinstance(text, bool):
            self.note("number_not_string")
        elif isinstance(text, str) and text.startswith("-") and DECIMAL.fullmatch(text[1:]):
            self.note("negative")
        elif not isinstance(text, str) or not DECIMAL.fullmatch(text):
            self.note("not_decimal")
        elif len(text.partition(".")[2]) > places:
            self.note("too_many_decimals", places=places)
        else:
            return scaled(text, places)
        return 0

    def positive(self, places: int) -> int:
        """Like `decimal`, above zero; 1 stands in for what is wrong."""
        count = len(self.problems)
        number = self.decimal(places)
        if not number and len(self.problems) == count:
            self.note("not_positive")
        return number or 1

    def one_of(self, known: Sequence[str]) -> str:
        if not isinstance(self.value, str) or self.value not in known:
            self.note("unknown_value", value=json.dumps(self.value, ensure_ascii=False, default=str), known=", ".join(known))
            return known[0]
        return self.value

    def text(self, pattern: str = r"(?s).+") -> str:
        if not isinstance(self.value, str):
            self.note("not_text")
        elif not re.fullmatch(pattern, self.value):
            self.note("bad_text", value=json.dumps(self.value, ensure_ascii=False))
        else:
            return self.value
        return ""

    def flag(self) -> bool:
        if not isinstance(self.value, bool):
            self.note("not_boolean")
        return self.value is True

    def day(self) -> date | None:
        if not isinstance(self.value, str) or not DATE.fullmatch(self.value):
            self.note("not_date")
            return None
        try:
            return date.fromisoformat(self.value)
        except ValueError:
            self.note("no_such_day")
            return None
