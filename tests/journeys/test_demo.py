"""The demo as a newcomer meets it: served from nothing, every key answers, the books agree, Ctrl-C leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from decimal import Decimal

import pytest
from django.conf import settings

pytestmark = pytest.mark.proof
START_SECONDS = 420  # on a busy machine; `make bench` is where the start is timed


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    data = tmp_path_factory.mktemp("demo")
    environment = {key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "GONGSHU_CLOCK")}
    environment["GONGSHU_DATA"] = str(data)
    port = free_port()
    log = (data / "demo.log").open("w+")
    process = subprocess.Popen(
        [sys.executable, "manage.py", "demo", "--port", str(port)],
        cwd=settings.BASE_DIR,
        env=environment,
        stdout=log,
        stderr=subprocess.STDOUT,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    ends = time.monotonic() + START_SECONDS
    while not serves(port) and process.poll() is None and time.monotonic() < ends:
        time.sleep(0.5)
    assert process.poll() is None and serves(port), (data / "demo.log").read_text()
    while "Ctrl-C" not in (data / "demo.log").read_text() and time.monotonic() < ends:
        time.sleep(0.2)
    yield process, data, environment
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def serves(port: int) -> bool:
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2).status == 200
    except OSError:
        return False


def facts(data) -> dict:
    return json.loads((data / "demo.json").read_text(encoding="utf-8"))


def call(url: str, key: str, body: object) -> tuple[int, dict]:
    request = urllib.request.Request(url, data=json.dumps(body).encode(), method="POST")
    request.add_header("Authorization", f"Bearer {key}")
    request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)


def manage(environment, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, timeout=300)


def test_every_key_of_the_demo_answers_its_example_with_a_receipt(demo):
    _process, data, _environment = demo
    told = facts(data)
    assert len(told["accounts"]) == 17 and any(key["free"] for key in told["api_keys"])
    for each in told["api_keys"]:
        status, answer = call(f"{told['url']}/v1/products/{each['product']}", each["key"], each["example"])
        assert (status, each["product"]) == (200, each["product"]), answer
        assert answer["receipt"]["id"]


def test_a_usage_report_is_taken_once(demo):
    _process, data, _environment = demo
    told = facts(data)
    usage = told["usage_keys"][0]
    event = {
        "specversion": "1.0",
        "id": "test-1",
        "source": f"/operators/{usage['operator']}/score",
        "type": "cn.gongshu.usage.v1",
        "subject": usage["entitlement"],
        "time": "2026-11-10T09:00:00+08:00",
        "data": {"purpose": "industry.finance.pre_loan", "units": {"calls": "1"}},
    }
    answers = [call(f"{told['url']}/v1/usage", usage["key"], event)[1] for _n in range(2)]
    assert "accepted" in json.dumps(answers[0]) and "duplicate" in json.dumps(answers[1])


def test_the_books_of_the_demo_agree_and_october_closes_twice_the_same(demo):
    _process, _data, environment = demo
    before = manage(environment, "verify")
    assert before.returncode == 0, before.stdout + before.stderr
    first, second = (manage(environment, "close_period", "2026-10") for _n in range(2))
    assert first.returncode == 0, first.stdout + first.stderr
    assert first.stdout == second.stdout
    after = manage(environment, "verify")
    assert after.returncode == 0, after.stdout + after.stderr


GUIDED = """
import json
from datetime import date
from pricing.models import CapFiling, PermittedRevenue, RevenueWarning, Tariff
from products.models import Organisation
from products.record.clock import now
from products.record.documents import is_intact
from settlement.models import Charge, EqualTreatmentFlag, WhatIfCase
from settlement.oversight.revenue import account
from settlement.whatif import history
from settlement.whatif.scope import scope_for

own = PermittedRevenue.objects.select_related("document").get(state="determined")
july = date(2026, 7, 1)
cut = Tariff.objects.select_related("clamped_from").get(plan__code="tiered", period__startswith=july)
bills = Charge.objects.filter(entitlement__organisation__name_en="Jiangzhou Guarantee", tariff__plan__code="tiered")
units = {str(c.service_month): (c.quote["lines"][0]["units"], c.quote["lines"][0]["gross"]) for c in bills}
regulator = Organisation.objects.get(kind="price_regulator")
scope = scope_for(
    organisation=regulator, operator=own.authorisation.operator, sector="", from_month=date(2025, 11, 1), to_month=date(2026, 10, 1)
)
shown = account(permitted_revenue=own, today=date(2026, 11, 10))
print(json.dumps({
    "permitted": own.amount_minor,
    "parts": [own.cost_minor, own.profit_minor, own.tax_minor],
    "document": [own.document.number, is_intact(own.document)],
    "caps": CapFiling.objects.filter(permitted_revenue=own, state="published").count(),
    "first_price": [t.document["components"][0]["tiers"][0]["unit_price"] for t in (cut.clamped_from, cut)],
    "bills": [units["2026-06-01"], units["2026-07-01"]],
    "revenue": shown.revenue_minor,
    "crossing": str(shown.crossing.middle),
    "warned": list(RevenueWarning.objects.values_list("percent", flat=True)),
    "flags": list(EqualTreatmentFlag.objects.values_list("state", flat=True)),
    "mismatches": len(history.load(scope=scope, at=now()).mismatches()),
    "what_if": WhatIfCase.objects.get().result["is_exact"],
}))
"""


def test_costs_became_a_permitted_revenue_caps_cut_prices_and_the_bill_that_changed(demo):
    _process, _data, environment = demo
    answer = manage(environment, "shell", "-v", "0", "-c", GUIDED)
    assert answer.returncode == 0, answer.stderr
    told = json.loads(answer.stdout.strip().splitlines()[-1])
    assert told["permitted"] == sum(told["parts"]) and told["document"][1]
    assert told["caps"] >= 3 and told["first_price"] == ["0.50", "0.30"]
    (june_units, june), (july_units, july) = told["bills"]
    assert Decimal(june) == 5000 + (Decimal(june_units) - 10000) * Decimal("0.30")
    assert Decimal(july) == Decimal(july_units) * Decimal("0.30")
    assert 0.9 < told["revenue"] / told["permitted"] < 1 and told["warned"] == [90] and told["crossing"].startswith("2026-12")
    assert told["flags"] == ["explained"] and told["mismatches"] == 0 and told["what_if"] is True


def test_ctrl_c_stops_all(demo):
    process, data, _environment = demo
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0, (data / "demo.log").read_text()
    left = subprocess.run(["pgrep", "-f", str(data)], capture_output=True, text=True).stdout.split()
    assert left == []
