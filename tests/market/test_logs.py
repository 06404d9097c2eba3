"""Logs are JSON lines that tell where something broke and nothing about whom."""

import json
import logging

from django.db import IntegrityError

from market.logs import JsonLines


def line_of(error: BaseException | None = None, **facts) -> dict:
    record = logging.LogRecord("gongshu.gateway", logging.ERROR, __file__, 1, "call %s failed", ("x",), None)
    record.__dict__.update(facts)
    if error is not None:
        try:
            raise error from ValueError("DETAIL: Key (email)=(lin@example.org) already exists.")
        except type(error) as raised:
            record.exc_info = (type(raised), raised, raised.__traceback__)
    return json.loads(JsonLines().format(record))


def test_line_says_when_where_and_which_receipt():
    line = line_of(receipt="01a1", status=200, milliseconds=3.2)
    assert line["message"] == "call x failed" and line["level"] == "error" and line["receipt"] == "01a1"
    assert line["at"].endswith("+00:00") and line["status"] == 200


def test_exception_is_told_by_kind_and_place_never_by_its_message():
    line = line_of(IntegrityError("Key (email)=(lin@example.org)"))
    assert [each["kind"] for each in line["exception"]] == ["django.db.utils.IntegrityError", "builtins.ValueError"]
    assert "test_logs.py" in line["exception"][0]["places"][-1] and "lin@" not in json.dumps(line)
