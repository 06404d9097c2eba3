"""docs/gateway.md, “By hand”: its code, run on its receipt, prints what the page says."""

from __future__ import annotations

import json
import re
from pathlib import Path

from settlement.metering.checking import check_receipt

PAGE = (Path(__file__).parents[2] / "docs" / "gateway.md").read_text(encoding="utf-8")


def blocks() -> tuple[dict, str, str]:
    part = PAGE.split("### By hand", 1)[1].split("\n## ", 1)[0]
    (receipt,) = re.findall(r"```json\n(.*?)```", part, re.S)
    (code,) = re.findall(r"```python\n(.*?)```", part, re.S)
    (printed,) = re.findall(r"prints `([^`]*)`", part)
    return json.loads(receipt), code, printed


def test_code_of_the_page_proves_the_receipt_of_the_page(capsys):
    receipt, code, printed = blocks()
    exec(compile(code, "docs/gateway.md", "exec"), {"receipt": receipt})
    assert capsys.readouterr().out.strip() == printed == "True True True"
    assert {"content", "proof"} <= check_receipt(receipt).proven


def test_code_of_the_page_finds_a_changed_receipt(capsys):
    receipt, code, _printed = blocks()
    exec(compile(code, "docs/gateway.md", "exec"), {"receipt": receipt | {"units": {"calls": "2"}}})
    assert capsys.readouterr().out.strip() == "False False False"
