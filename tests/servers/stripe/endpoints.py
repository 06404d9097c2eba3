"""The API's endpoints: method, path, what parameters are known, and what is done."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.servers.stripe import faults, objects
from tests.servers.stripe.forms import ANY, MAP
from tests.servers.stripe.store import Thing
from tests.servers.stripe.till import Till

METHODS = ("card", "alipay", "wechat_pay")
AMOUNT_MAX = 99_999_999
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
LIST = {"limit": int, "starting_after": str, "ending_before": str, "expand": [str]}
ONE = {"expand": [str]}
INTENT_DATA = {
    "description": str,
    "metadata": MAP,
    "receipt_email": str,
    "statement_descriptor_suffix": str,
    "transfer_group": str,
}
SESSION = {
    "cancel_url": str,
    "client_reference_id": str,
    "customer": str,
    "customer_email": str,
    "expand": [str],
    "expires_at": int,
    "*line_items": [
        {
            "*price_data": {
                "*currency": str,
                "*unit_amount": int,
                "*product_data": {"*name": str, "description": str, "metadata": MAP},
            },
            "quantity": int,
        }
    ],
    "locale": str,
    "metadata": MAP,
    "*mode": str,
    "payment_intent_data": INTENT_DATA,
    "payment_method_options": {"card": ANY, "alipay": ANY, "wechat_pay": {"client": str, "app_id": str}},
    "payment_method_types": [str],
    "submit_type": str,
    "*success_url": str,
}
INTENT = {
    "*amount": int,
    "*currency": str,
    "customer": str,
    "description": str,
    "expand": [str],
    "metadata": MAP,
    "payment_method_types": [str],
    "receipt_email": str,
    "transfer_group": str,
}
CUSTOMER = {"description": str, "email": str, "expand": [str], "metadata": MAP, "name": str, "phone": str}


@dataclass(frozen=True)
class Endpoint:
    method: str
    path: re.Pattern[str]
    spec: dict[str, Any]
    act: Callable[..., Thing]


ENDPOINTS: list[Endpoint] = []


def endpoint(method: str, path: str, spec: dict[str, Any]) -> Callable[[Callable[..., Thing]], Callable[..., Thing]]:
    """Register `act(till, params, *ids, base_url)`; `:id` in the path becomes an argument."""

    def register(act: Callable[..., Thing]) -> Callable[..., Thing]:
        pattern = re.compile(re.sub(r":\w+", r"([A-Za-z0-9_]+)", path) + r"/?")
        ENDPOINTS.append(Endpoint(method, pattern, spec, act))
        return act

    return register


def _plain(kind: str, path: str, filters: dict[str, Any]) -> None:
    """Listing and retrieving are the same for every kind."""

    def listed(till: Till, params: Thing, *, base_url: str) -> Thing:
        return till.store.page(kind, params, path)

    def one(till: Till, params: Thing, ref: str, *, base_url: str) -> Thing:
        return till.store.get(kind, ref)

    endpoint("GET", path, LIST | filters)(listed)
    endpoint("GET", f"{path}/:id", ONE)(one)


_plain("checkout.session", "/v1/checkout/sessions", {"payment_intent": str, "customer": str, "status": str})
_plain("payment_intent", "/v1/payment_intents", {"customer": str})
_plain("customer", "/v1/customers", {"email": str})
_plain("refund", "/v1/refunds", {"charge": str, "payment_intent": str})
_plain("charge", "/v1/charges", {"customer": str, "payment_intent": str, "transfer_group": str})
_plain("balance_transaction", "/v1/balance_transactions", {"source": str, "type": str, "currency": str})
_plain("event", "/v1/events", {"type": str})
_plain("account", "/v1/accounts", {})
_plain("transfer", "/v1/transfers", {"destination": str, "transfer_group": str})
_plain("payment_method", "/v1/payment_methods", {"customer": str, "type": str})


@endpoint("POST", "/v1/customers", CUSTOMER)
def customer_create(till: Till, params: Thing, *, base_url: str) -> Thing:
    _email_check(params, "email")
    made = till.store.add(objects.customer(till.store, _kept(params)))
    till.emit("customer.created", made)
    return made


@endpoint("POST", "/v1/customers/:id", CUSTOMER)
def customer_update(till: Till, params: Thing, ref: str, *, base_url: str) -> Thing:
    found = till.store.get("customer", ref)
    _email_check(params, "email")
    found.update(_kept(params))
    till.emit("customer.updated", found)
    return found


@endpoint("POST", "/v1/checkout/sessions", SESSION)
def session_create(till: Till, params: Thing, *, base_url: str) -> Thing:
    if params["mode"] != "payment":
        raise faults.invalid("This demo server takes mode=payment only.", "mode")
    if "customer" in params and "customer_email" in params:
        raise faults.invalid("You may only specify one of these parameters: customer, customer_email.", "customer")
    _email_check(params, "customer_email")
    for name in ("success_url", "cancel_url"):
        if name in params and not params[name].startswith(("http://", "https://")):
            raise faults.invalid("Not a valid URL", name, "url_invalid")
    currency, amount = _total(params["line_items"])
    params = {"payment_method_types": ["card"], **params}
    _methods_check(params, currency)
    if "customer" in params:
        till.store.get("customer", params["customer"], "customer")
    if "expires_at" in params and not 1800 - 5 <= params["expires_at"] - till.store.now() <= 86400 + 5:
        raise faults.invalid("The `expires_at` timestamp must be 30 minutes to 24 hours from now.", "expires_at")
    made = objects.checkout_session(till.store, params, amount=amount, currency=currency, base_url=base_url)
    till.store.add(made)
    for line in params["line_items"]:
        till.store.add(objects.item(till.store, made, line))
    return made


def _total(lines: list[Thing]) -> tuple[str, int]:
    currencies = {line["price_data"]["currency"] for line in lines}
    if len(currencies) != 1 or not currencies <= {"cny"}:
        raise faults.invalid("This demo server takes cny only, written in lower case.", "line_items[0][price_data][currency]")
    amount = sum(line["price_data"]["unit_amount"] * line.get("quantity", 1) for line in lines)
    _amount_check(amount, "line_items[0][price_data][unit_amount]")
    return currencies.pop(), amount


def _amount_check(amount: int, param: str) -> None:
    if amount < 1:
        raise faults.invalid("This value must be greater than or equal to 1.", param, "parameter_invalid_integer")
    if amount > AMOUNT_MAX:
        raise faults.invalid("Amount must be no more than ¥999,999.99", param, "amount_too_large")


def _methods_check(params: Thing, currency: str) -> None:
    for index, kind in enumerate(params["payment_method_types"]):
        if kind not in METHODS:
            raise faults.invalid(f"Invalid payment_method_types[{index}]: {kind}", f"payment_method_types[{index}]")
    options = params.get("payment_method_options", {})
    if "wechat_pay" in params["payment_method_types"] and options.get("wechat_pay", {}).get("client") != "web":
        param = "payment_method_options[wechat_pay][client]"
        raise faults.invalid(f"You must provide `{param}` to be `web` when using wechat_pay.", param, "parameter_missing")


def _email_check(params: Thing, name: str) -> None:
    if name in params and not EMAIL.fullmatch(params[name]):
        raise faults.invalid(f"Invalid email address: {params[name]}", name, "email_invalid")


def _kept(params: Thing) -> Thing:
    return {key: value for key, value in params.items() if key != "expand"}


@endpoint("GET", "/v1/checkout/sessions/:id/line_items", LIST)
def session_items(till: Till, params: Thing, ref: str, *, base_url: str) -> Thing:
    till.store.get("checkout.session", ref)
    return till.store.page("item", params | {"_session": ref}, f"/v1/checkout/sessions/{ref}/line_items")


@endpoint("POST", "/v1/checkout/sessions/:id/expire", ONE)
def session_expire(till: Till, params: Thing, ref: str, *, base_url: str) -> Thing:
    session = till.store.get("checkout.session", ref)
    if session["status"] != "open":
        raise faults.invalid(f'Only Checkout Sessions with a status in ["open"] can be expired. This one is {session["status"]}.')
    till.session_expire(session)
    return session


@endpoint("POST", "/v1/payment_intents", INTENT)
def intent_create(till: Till, params: Thing, *, base_url: str) -> Thing:
    _amount_check(params["amount"], "amount")
    if params["currency"] != "cny":
        raise faults.invalid("This demo server takes cny only, written in lower case.", "currency")
    _methods_check(
        {"payment_method_types": ["card"]} | params | {"payment_method_options": {"wechat_pay": {"client": "web"}}},
        "cny",
    )
    made = till.store.add(objects.payment_intent(till.store, _kept(params)))
    till.emit("payment_intent.created", made)
    return made


@endpoint("POST", "/v1/payment_intents/:id/confirm", {"*payment_method": str, "return_url": str, "expand": [str]})
def intent_confirm(till: Till, params: Thing, ref: str, *, base_url: str) -> Thing:
    """Stripe's test methods: pm_card_visa, pm_alipay, pm_wechat_pay pay; pm_card_chargeDeclined does not."""
    intent = till.store.get("payment_intent", ref)
    if intent["status"] not in ("requires_payment_method", "requires_confirmation"):
        raise _unexpected(intent, "confirm")
    kinds = {"pm_card_visa": "card", "pm_alipay": "alipay", "pm_wechat_pay": "wechat_pay"}
    if params["payment_method"] == "pm_card_chargeDeclined":
        till.decline(intent, "card")
        raise faults.declined(intent)
    if params["payment_method"] not in kinds:
        raise faults.missing("PaymentMethod", params["payment_method"], "payment_method")
    till.succeed(intent, kinds[params["payment_method"]])
    return intent


@endpoint("POST", "/v1/payment_intents/:id/cancel", {"cancellation_reason": str, "expand": [str]})
def intent_cancel(till: Till, params: Thing, ref: str, *, base_url: str) -> Thing:
    intent = till.store.get("payment_intent", ref)
    if intent["status"] in ("succeeded", "canceled", "processing"):
        raise _unexpected(intent, "cancel")
    intent.update(status="canceled", canceled_at=till.store.now())
    intent["cancellation_reason"] = params.get("cancellation_reason")
    till.emit("payment_intent.canceled", intent)
    return intent


def _unexpected(intent: Thing, doing: str) -> faults.Fault:
    message = f"You cannot {doing} this PaymentIntent because it has a status of {intent['status']}."
    return faults.invalid(message, None, "payment_intent_unexpected_state")


REFUND = {"amount": int, "charge": str, "expand": [str], "metadata": MAP, "payment_intent": str, "reason": str}


@endpoint("POST", "/v1/refunds", REFUND)
def refund_create(till: Till, params: Thing, *, base_url: str) -> Thing:
    if ("charge" in params) == ("payment_intent" in params):
        raise faults.invalid("One of the following params should be provided for this request: payment_intent or charge.")
    ref = params.get("charge")
    if ref is None:
        intent = till.store.get("payment_intent", params["payment_intent"], "payment_intent")
        if intent["status"] != "succeeded":
            raise faults.invalid(
                f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.", "payment_intent"
            )
        ref = intent["latest_charge"]
    return till.refund(till.store.get("charge", ref, "charge"), params)


@endpoint("POST", "/v1/accounts", {"type": str, "country": str, "email": str, "metadata": MAP, "capabilities": ANY})
def account_create(till: Till, params: Thing, *, base_url: str) -> Thing:
    made = till.store.add(objects.account(till.store, _kept(params)))
    till.emit("account.updated", made)
    return made


TRANSFER = {
    "*amount": int,
    "*currency": str,
    "*destination": str,
    "description": str,
    "metadata": MAP,
    "transfer_group": str,
}


@endpoint("POST", "/v1/transfers", TRANSFER)
def transfer_create(till: Till, params: Thing, *, base_url: str) -> Thing:
    till.store.get("account", params["destination"], "destination")
    _amount_check(params["amount"], "amount")
    made = till.store.add(objects.transfer(till.store, params))
    booked = objects.balance_transaction(till.store, made, amount=-params["amount"], fee=0, kind="transfer")
    made["balance_transaction"] = till.store.add(booked)["id"]
    till.emit("transfer.created", made)
    return made
