"""`manage.py quote` and `manage.py check_cap` as people script them: standard output, standard error, exit codes, no database."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pricing.price_documents import WORKED_CAP, WORKED_TARIFF, WORKED_USAGE

ROOT = Path(__file__).parents[2]


@pytest.fixture
def manage(tmp_path):
    def run(command, first, second):
        paths = []
        for name, content in (("first.json", first), ("second.json", second)):
            path = tmp_path / name
            if content is not None:
                path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
            paths.append(str(path))
        # A database that nobody answers at: a command that asked it anything would fail.
        environment = {**os.environ, "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none"}
        return subprocess.run(
            [sys.executable, "manage.py", command, *paths], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
        )

    return run


def test_quote_prints_the_worked_answer(manage):
    done = manage("quote", WORKED_TARIFF, WORKED_USAGE)
    assert (done.returncode, done.stderr) == (0, "")
    answer = json.loads(done.stdout)
    assert all(line.pop("trace") for line in answer["lines"])
    assert answer == {
        "lines": [
            {"component": "calls", "units": "12000", "gross": "5600.00", "discount": "1680.00", "payable": "3920.00"},
            {"component": "base", "units": "17", "gross": "558.90", "discount": "0.00", "payable": "558.90"},
            {"component": "storage", "units": "0", "gross": "0.00", "discount": "0.00", "payable": "0.00"},
        ],
        "total": "4478.90",
        "net": "4225.38",
        "vat": "253.52",
        "free_value": "0.00",
        "effective_unit_price": {"calls": "0.326667"},
    }


def test_quote_refuses_with_a_line_for_each_fault(manage):
    done = manage("quote", {**WORKED_TARIFF, "minimum": 5, "colour": "red"}, {**WORKED_USAGE, "free": 1})
    assert (done.returncode, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    assert [line.split(": ")[0].rsplit("/", 2)[-2:] for line in lines] == [
        ["first.json#", "colour"],
        ["first.json#", "minimum"],
        ["second.json#", "free"],
    ]
    assert all(line.split(": ", 1)[1] for line in lines)


@pytest.mark.parametrize("command", ["quote", "check_cap"])
@pytest.mark.parametrize("content", [None, "{", '{"a": Infinity}'])
def test_what_cannot_be_read_is_refused_for_both_files(manage, command, content):
    done = manage(command, content, content)
    assert (done.returncode, done.stdout) == (2, "")
    assert [line.split("#: ")[0].rsplit("/", 1)[-1] for line in done.stderr.splitlines()] == ["first.json", "second.json"]


def test_check_cap_prints_ok_for_a_tariff_under_its_caps(manage):
    done = manage("check_cap", WORKED_TARIFF, WORKED_CAP)
    assert (done.returncode, json.loads(done.stdout), done.stderr) == (0, {"ok": True}, "")


def test_check_cap_exits_1_with_the_smallest_counter_example(manage):
    done = manage("check_cap", WORKED_TARIFF, {"caps": [{"basis": "periods", "period": "year", "cap": "12000.00"}]})
    assert done.returncode == 1
    assert json.loads(done.stdout) == {
        "ok": False,
        "basis": "calls",
        "quantity": "1",
        "price": "0.500000",
        "cap": None,
        "components": ["calls"],
    }


def test_check_cap_refuses_a_faulty_cap_document(manage):
    done = manage("check_cap", WORKED_TARIFF, {"caps": [{"basis": "periods", "cap": "1"}]})
    assert done.returncode == 2
    assert "second.json#/caps/0/period: " in done.stderr


def test_check_tariff_tells_a_falling_total_with_exit_1(manage, tmp_path):
    tiers = [{"up_to": "100", "unit_price": "1"}, {"up_to": None, "unit_price": "0.5"}]
    volume = {"code": "calls", "basis": "calls", "model": "volume", "tiers": tiers}
    done = manage("check_tariff", {**WORKED_TARIFF, "components": [volume], "discounts": []}, WORKED_CAP)
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["rises"]["quantity"], answer["rises"]["next_total"]) == (1, "100", "50.50")
    done = manage("check_tariff", WORKED_TARIFF, WORKED_CAP)
    assert (done.returncode, json.loads(done.stdout)) == (0, {"ok": True, "rises": {"ok": True}, "caps": {"ok": True}})
