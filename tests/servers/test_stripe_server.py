"""The payment test server against Stripe's published shapes and its documented behaviour, over HTTP."""

import http.client
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from tests.servers.stripe import StripeServer

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = Path(os.environ.get("STRIPE_FIXTURES", ROOT / "../shared/data/stripe_fixtures.json"))
KEY = "sk_test_server"
ORDER = {
    "mode": "payment",
    "success_url": "http://shop.example/done?s={CHECKOUT_SESSION_ID}",
    "cancel_url": "http://shop.example/cancelled",
    "customer_email": "buyer@example.com",
    "line_items[0][quantity]": "1",
    "line_items[0][price_data][currency]": "cny",
    "line_items[0][price_data][unit_amount]": "1200050",
    "line_items[0][price_data][product_data][name]": "企业核验 <基础版>",
    "payment_method_types[0]": "card",
    "payment_method_types[1]": "alipay",
    "payment_intent_data[metadata][order]": "1001",
    "locale": "zh",
}


class Client:
    """Plain HTTP, so that a test sees status, headers and bytes."""

    def __init__(self, server: StripeServer) -> None:
        self.server = server

    def raw(self, method: str, path: str, body: str = "", **headers: str) -> tuple[int, Any, bytes]:
        connection = http.client.HTTPConnection(urlsplit(self.server.url).netloc, timeout=10)
        try:
            connection.request(method, path, body.encode(), headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def api(self, method: str, path: str, form: dict[str, str] | None = None, **headers: str) -> tuple[int, Any, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {KEY}", **headers}
        status, told, body = self.raw(method, path, urlencode(form or {}), **headers)
        return status, told, json.loads(body)

    def post(self, path: str, form: dict[str, str]) -> dict[str, Any]:
        status, _headers, answer = self.api("POST", path, form)
        assert status == 200, answer
        return answer

    def get(self, path: str) -> dict[str, Any]:
        status, _headers, answer = self.api("GET", path)
        assert status == 200, answer
        return answer

    def press(self, session: dict[str, Any], action: str, method: str = "card") -> tuple[int, Any, str]:
        form = urlencode({"action": action, "method": method})
        path = urlsplit(session["url"]).path
        status, headers, body = self.raw("POST", path, form)
        return status, headers, body.decode()

    def events(self) -> list[str]:
        return [event["type"] for event in reversed(self.get("/v1/events?limit=100")["data"])]


@pytest.fixture
def client():
    with StripeServer(secret_key=KEY) as server:
        yield Client(server)


def paid(client: Client) -> dict[str, Any]:
    session = client.post("/v1/checkout/sessions", ORDER)
    client.press(session, "pay")
    return client.get(f"/v1/checkout/sessions/{session['id']}")


# shapes


# Keys that an object of Stripe shows only in some forms, with the reason why ours lacks them or has more.
DIFFERENCES = {
    "payment_method": {"card"},  # named by its type
    "account": None,  # a subset: onboarding is not ours
}


def same_shape(kind: str, ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    spared = DIFFERENCES.get(kind, set())
    if spared is None:
        assert not set(ours) - set(theirs)
    else:
        assert set(ours) ^ set(theirs) <= spared
    for key in set(ours) & set(theirs):
        if ours[key] is not None and theirs[key] is not None and kind != "event":
            assert type(ours[key]) is type(theirs[key]), f"{kind}.{key}"


@pytest.mark.skipif(not FIXTURES.exists(), reason="Stripe's published fixtures are not here")
def test_objects_have_the_keys_and_types_of_stripes_fixtures(client):
    theirs = json.loads(FIXTURES.read_text(encoding="utf-8"))["resources"]
    session = paid(client)
    intent = client.get(f"/v1/payment_intents/{session['payment_intent']}")
    charge = client.get(f"/v1/charges/{intent['latest_charge']}")
    customer = client.post("/v1/customers", {"email": "a@example.com"})
    account = client.post("/v1/accounts", {"type": "express"})
    transfer = client.post("/v1/transfers", {"amount": "100", "currency": "cny", "destination": account["id"]})
    made = {
        "checkout.session": session,
        "payment_intent": intent,
        "charge": charge,
        "balance_transaction": client.get(f"/v1/balance_transactions/{charge['balance_transaction']}"),
        "payment_method": client.get(f"/v1/payment_methods/{intent['payment_method']}"),
        "refund": client.post("/v1/refunds", {"charge": charge["id"], "amount": "50"}),
        "customer": customer,
        "account": account,
        "transfer": transfer,
        "item": client.get(f"/v1/checkout/sessions/{session['id']}/line_items")["data"][0],
        "event": client.get("/v1/events")["data"][0],
    }
    for kind, ours in made.items():
        same_shape(kind, ours, theirs[kind])


# the API's manners


def test_a_missing_key_or_a_wrong_one_is_refused_with_401(client):
    for headers in ({}, {"Authorization": "Bearer sk_test_other"}):
        status, _headers, body = client.raw("GET", "/v1/events", **headers)
        assert status == 401
        assert json.loads(body)["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("change", "param", "code"),
    [
        ({"colour": "red"}, "colour", "parameter_unknown"),
        ({"line_items[0][price_data][colour]": "red"}, "line_items[0][price_data][colour]", "parameter_unknown"),
        ({"line_items[0][quantity]": "many"}, "line_items[0][quantity]", "parameter_invalid_integer"),
        (
            {"line_items[0][price_data][unit_amount]": "12.50"},
            "line_items[0][price_data][unit_amount]",
            "parameter_invalid_integer",
        ),
        (
            {"line_items[0][price_data][unit_amount]": "100000000"},
            "line_items[0][price_data][unit_amount]",
            "amount_too_large",
        ),
        ({"success_url": ""}, "success_url", "parameter_missing"),
        ({"success_url": "javascript:alert(1)"}, "success_url", "url_invalid"),
        ({"customer_email": "nobody"}, "customer_email", "email_invalid"),
        ({"payment_method_options[wechat_pay]": "x"}, "payment_method_options[wechat_pay]", None),
        ({"payment_method_types[2]": "wechat_pay"}, "payment_method_options[wechat_pay][client]", "parameter_missing"),
    ],
)
def test_a_wrong_parameter_is_named(client, change, param, code):
    status, _headers, answer = client.api("POST", "/v1/checkout/sessions", ORDER | change)
    assert status == 400
    assert (answer["error"]["param"], answer["error"].get("code")) == (param, code)
    assert client.get("/v1/checkout/sessions")["data"] == []


def test_what_is_not_there_is_404_resource_missing(client):
    status, _headers, answer = client.api("GET", "/v1/charges/ch_nothing")
    assert (status, answer["error"]["code"]) == (404, "resource_missing")


def test_the_version_asked_for_is_echoed(client):
    _status, headers, _answer = client.api("GET", "/v1/events", **{"Stripe-Version": "2024-06-20"})
    assert headers["Stripe-Version"] == "2024-06-20"
    assert headers["Request-Id"].startswith("req_")


def test_an_idempotency_key_gives_the_first_answer_again_and_refuses_other_parameters(client):
    once = {"Idempotency-Key": "order-1"}
    _status, first_headers, first = client.api("POST", "/v1/checkout/sessions", ORDER, **once)
    _status, again_headers, again = client.api("POST", "/v1/checkout/sessions", ORDER, **once)
    assert again == first
    assert "Idempotent-Replayed" not in first_headers
    assert again_headers["Idempotent-Replayed"] == "true"
    status, _headers, answer = client.api("POST", "/v1/checkout/sessions", ORDER | {"locale": "en"}, **once)
    assert (status, answer["error"]["type"]) == (400, "idempotency_error")
    status, _headers, answer = client.api("POST", "/v1/customers", {}, **once)
    assert (status, answer["error"]["type"]) == (400, "idempotency_error")
    assert len(client.get("/v1/checkout/sessions")["data"]) == 1


def test_one_key_used_by_many_at_once_makes_one_session(client):
    def ask(_number: int) -> str:
        return client.api("POST", "/v1/checkout/sessions", ORDER, **{"Idempotency-Key": "race"})[2]["id"]

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(24)))) == 1


def test_a_refused_request_does_not_use_up_its_key(client):
    once = {"Idempotency-Key": "order-2"}
    assert client.api("POST", "/v1/checkout/sessions", ORDER | {"mode": "x"}, **once)[0] == 400
    assert client.api("POST", "/v1/checkout/sessions", ORDER, **once)[0] == 200


def test_lists_are_newest_first_and_paged(client):
    made = [client.post("/v1/customers", {"name": str(number)})["id"] for number in range(3)]
    page = client.get("/v1/customers?limit=2")
    assert [one["id"] for one in page["data"]] == [made[2], made[1]]
    assert page["has_more"]
    rest = client.get(f"/v1/customers?limit=2&starting_after={made[1]}")
    assert [one["id"] for one in rest["data"]] == [made[0]]
    assert not rest["has_more"]


def test_ids_are_expanded_where_asked(client):
    session = paid(client)
    path = f"/v1/checkout/sessions/{session['id']}"
    full = client.get(f"{path}?expand[]=payment_intent.latest_charge.balance_transaction&expand[]=line_items")
    charge = full["payment_intent"]["latest_charge"]
    assert charge["balance_transaction"]["net"] == 1200050 - charge["balance_transaction"]["fee"]
    assert full["line_items"]["data"][0]["amount_total"] == 1200050
    assert client.api("GET", f"{path}?expand[]=url")[0] == 200
    assert client.api("GET", f"{path}?expand[]=colour")[0] == 400


# paying


def test_the_page_says_it_is_a_demo_in_the_payers_language_and_escapes_what_it_shows(client):
    session = client.post("/v1/checkout/sessions", ORDER)
    status, headers, body = client.raw("GET", urlsplit(session["url"]).path)
    page = body.decode()
    assert status == 200
    assert 'lang="zh-CN"' in page
    assert "演示支付服务器" in page
    assert "¥12,000.50" in page
    assert "企业核验 &lt;基础版&gt;" in page
    assert "<script" not in page
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    english = client.post("/v1/checkout/sessions", ORDER | {"locale": "en"})
    assert "no real money moves" in client.raw("GET", urlsplit(english["url"]).path)[2].decode()


def test_paying_completes_the_session_and_charges_once(client):
    session = client.post("/v1/checkout/sessions", ORDER)
    assert session["payment_intent"] is None
    status, headers, _page = client.press(session, "pay", "alipay")
    assert status == 303
    assert headers["Location"] == f"http://shop.example/done?s={session['id']}"
    assert client.press(session, "pay")[0] == 200
    after = client.get(f"/v1/checkout/sessions/{session['id']}")
    assert (after["status"], after["payment_status"], after["url"]) == ("complete", "paid", None)
    charges = client.get("/v1/charges")["data"]
    assert [charge["amount"] for charge in charges] == [1200050]
    assert charges[0]["payment_method_details"]["type"] == "alipay"
    assert charges[0]["metadata"] == {"order": "1001"}
    assert client.events()[-3:] == ["charge.succeeded", "payment_intent.succeeded", "checkout.session.completed"]


def test_a_decline_leaves_the_session_open_and_says_so(client):
    session = client.post("/v1/checkout/sessions", ORDER)
    status, _headers, page = client.press(session, "decline")
    assert status == 200
    assert "付款被拒绝" in page
    assert client.get(f"/v1/checkout/sessions/{session['id']}")["status"] == "open"
    assert client.press(session, "pay")[0] == 303
    assert [charge["status"] for charge in client.get("/v1/charges")["data"]] == ["succeeded", "failed"]


def test_cancelling_returns_to_the_shop_and_charges_nothing(client):
    session = client.post("/v1/checkout/sessions", ORDER)
    status, headers, _page = client.press(session, "cancel")
    assert (status, headers["Location"]) == (303, "http://shop.example/cancelled")
    assert client.get("/v1/charges")["data"] == []


def test_an_expired_session_cannot_be_paid(client):
    session = client.post("/v1/checkout/sessions", ORDER)
    client.post(f"/v1/checkout/sessions/{session['id']}/expire", {})
    _status, _headers, page = client.press(session, "pay")
    assert "已失效" in page
    assert client.get("/v1/charges")["data"] == []
    assert client.events() == ["checkout.session.expired"]


@pytest.mark.parametrize(("paid", "event"), [(True, "succeeded"), (False, "failed")])
def test_an_asynchronous_payment_is_settled_once_later(client, paid, event):
    session = client.post("/v1/checkout/sessions", ORDER)
    assert client.press(session, "later")[0] == 303
    after = client.get(f"/v1/checkout/sessions/{session['id']}")
    assert (after["status"], after["payment_status"]) == ("complete", "unpaid")
    for _twice in range(2):
        body = json.dumps({"session": session["id"], "paid": paid})
        assert client.raw("POST", "/_control/settle", body, Authorization=f"Bearer {KEY}")[0] == 200
    assert client.events().count(f"checkout.session.async_payment_{event}") == 1


def test_a_declined_confirmation_is_402_with_the_intent_and_replayed(client):
    intent = client.post("/v1/payment_intents", {"amount": "500", "currency": "cny"})
    form = {"payment_method": "pm_card_chargeDeclined"}
    answers = [
        client.api("POST", f"/v1/payment_intents/{intent['id']}/confirm", form, **{"Idempotency-Key": "c"}) for _twice in range(2)
    ]
    assert [status for status, _headers, _answer in answers] == [402, 402]
    assert answers[0][2] == answers[1][2]
    assert answers[0][2]["error"]["code"] == "card_declined"
    assert len(client.get("/v1/charges")["data"]) == 1


def test_refunds_add_up_to_the_charge_and_never_past_it(client):
    intent = paid(client)["payment_intent"]
    first = client.post("/v1/refunds", {"payment_intent": intent, "amount": "1000000"})
    assert first["status"] == "succeeded"
    status, _headers, answer = client.api("POST", "/v1/refunds", {"payment_intent": intent, "amount": "200051"})
    assert (status, answer["error"]["param"]) == (400, "amount")
    client.post("/v1/refunds", {"payment_intent": intent})
    charge = client.get("/v1/charges")["data"][0]
    assert (charge["amount_refunded"], charge["refunded"]) == (1200050, True)
    assert client.api("POST", "/v1/refunds", {"payment_intent": intent})[2]["error"]["code"] == "charge_already_refunded"
    booked = client.get("/v1/balance_transactions?type=refund")["data"]
    assert sum(one["amount"] for one in booked) == -1200050


# keeping


def test_the_state_file_survives_a_restart(tmp_path):
    state = tmp_path / "stripe.json"
    with StripeServer(secret_key=KEY, state=state) as server:
        client = Client(server)
        _status, _headers, first = client.api("POST", "/v1/checkout/sessions", ORDER, **{"Idempotency-Key": "k"})
        client.press(first, "pay")
    with StripeServer(secret_key=KEY, state=state) as server:
        client = Client(server)
        _status, headers, again = client.api("POST", "/v1/checkout/sessions", ORDER, **{"Idempotency-Key": "k"})
        assert (again, headers["Idempotent-Replayed"]) == (first, "true")
        assert client.get(f"/v1/checkout/sessions/{first['id']}")["payment_status"] == "paid"


def test_the_module_runs_as_a_program_without_an_sdk_or_a_framework():
    script = (
        "import sys; import tests.servers.stripe.__main__;"
        "print([name for name in ('django', 'stripe', 'requests') if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_the_program_says_where_it_listens_and_stops_when_told():
    command = [sys.executable, "-m", "tests.servers.stripe", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        try:
            line = program.stdout.readline()
            assert "no real money" in line
            connection = http.client.HTTPConnection(urlsplit(line.split()[-1]).netloc, timeout=5)
            connection.request("GET", "/healthz")
            assert connection.getresponse().status == 200
            connection.close()
        finally:
            program.terminate()
        assert program.wait(10) == 0
