"""The call log: a line an answer, with its receipt, and nothing that a caller sent or holds."""

import json
import time

import pytest

from tests.market.gateway.conftest import Client

pytestmark = pytest.mark.proof  # a server of its own


def test_each_answer_has_its_line_and_no_line_holds_what_was_sent(serve, stall, tmp_path):
    log = tmp_path / "calls.log"
    client = Client(serve(environ={"CALL_LOG": str(log)}), stall)
    answered = client.call(json={"ask": "latest"}, headers={"Idempotency-Key": "a-secret-of-the-caller"})
    refused = client.call(json={"ask": "somebody@example.org"})
    unknown = client.call(code="lin@example.org")
    assert (answered.status_code, refused.status_code, unknown.status_code) == (200, 422, 404)
    ends = time.monotonic() + 5
    while time.monotonic() < ends and (not log.exists() or log.read_text().count("\n") < 3):
        time.sleep(0.05)
    text = log.read_text()
    first, second, third = map(json.loads, text.splitlines())
    assert first["receipt"] == answered.json()["receipt"]["id"] and first["status"] == 200
    assert first["product"] == stall.product.code and first["milliseconds"] > 0
    assert (second["status"], second["reason"], second["receipt"]) == (422, "input-refused", "")
    assert (third["reason"], third["product"]) == ("product-unknown", "")
    for sent in (stall.secret, "a-secret-of-the-caller", "example.org", "127.0.0.1"):
        assert sent not in text
