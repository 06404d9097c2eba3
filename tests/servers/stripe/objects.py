"""Stripe's objects, with every key that its API shows. Keys that we never fill are null; see https://docs.stripe.com/api.

A key that begins with `_` is ours and never leaves the server.
"""

from typing import Any

from tests.servers.stripe.store import Store, Thing

# The share that Stripe would keep: 2.9 % and 2.00 yuan, in parts per thousand and fen.
FEE_PER_MILLE, FEE_FIXED = 29, 200
NO_ADDRESS = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))


def _nulls(names: str) -> Thing:
    return dict.fromkeys(names.split())


def fee_of(amount: int) -> int:
    """What Stripe keeps of a payment, in fen, rounded half up and never more than the payment."""
    return min(amount, (amount * FEE_PER_MILLE + 500) // 1000 + FEE_FIXED)


def customer(store: Store, params: Thing) -> Thing:
    ref = store.new_id("customer")
    nulls = _nulls("address currency default_source description discount email name phone shipping test_clock")
    return nulls | {
        "id": ref,
        "object": "customer",
        "balance": 0,
        "created": store.now(),
        "delinquent": False,
        "invoice_prefix": ref[-8:].upper(),
        "invoice_settings": _nulls("custom_fields default_payment_method footer rendering_options"),
        "livemode": False,
        "metadata": {},
        "next_invoice_sequence": 1,
        "preferred_locales": [],
        "tax_exempt": "none",
        **params,
    }


def item(store: Store, session: Thing, line: Thing) -> Thing:
    """A line of a checkout; its price and product are made on the fly, as `price_data` asks."""
    price, quantity = line["price_data"], line.get("quantity", 1)
    amount = price["unit_amount"] * quantity
    return {
        "id": store.new_id("item"),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": price["currency"],
        "description": price["product_data"]["name"],
        "metadata": {},
        "price": _nulls("custom_unit_amount lookup_key nickname recurring tiers_mode transform_quantity")
        | {
            "id": "price_" + session["id"][-24:],
            "object": "price",
            "active": False,
            "billing_scheme": "per_unit",
            "created": session["created"],
            "currency": price["currency"],
            "livemode": False,
            "metadata": {},
            "product": "prod_" + session["id"][-14:],
            "tax_behavior": "unspecified",
            "type": "one_time",
            "unit_amount": price["unit_amount"],
            "unit_amount_decimal": str(price["unit_amount"]),
        },
        "quantity": quantity,
        "_session": session["id"],
    }


def checkout_session(store: Store, params: Thing, *, amount: int, currency: str, base_url: str) -> Thing:
    ref = store.new_id("checkout.session")
    nulls = _nulls(
        "after_expiration allow_promotion_codes billing_address_collection cancel_url client_reference_id client_secret consent"
        " consent_collection currency_conversion customer customer_account customer_creation customer_email discounts"
        " integration_identifier invoice locale managed_payments origin_context payment_intent payment_link"
        " payment_method_configuration_details permissions recovered_from setup_intent shipping_address_collection"
        " shipping_cost submit_type subscription wallet_options payment_method_collection saved_payment_method_options"
    )
    email = params.get("customer_email")
    shown = {key: value for key, value in params.items() if key not in ("line_items", "payment_intent_data", "expand")}
    return nulls | {
        "id": ref,
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": False},
        "amount_subtotal": amount,
        "amount_total": amount,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "collected_information": {"business_name": None, "individual_name": None, "shipping_details": None},
        "created": store.now(),
        "currency": currency,
        "custom_fields": [],
        "custom_text": _nulls("after_submit shipping_address submit terms_of_service_acceptance"),
        "customer_details": _customer_details(email) if email else None,
        "expires_at": store.now() + 24 * 3600,
        "invoice_creation": {
            "enabled": False,
            "invoice_data": _nulls("account_tax_ids custom_fields description footer issuer rendering_options")
            | {"metadata": {}},
        },
        "livemode": False,
        "metadata": {},
        "mode": "payment",
        "payment_method_options": {},
        "payment_status": "unpaid",
        "phone_number_collection": {"enabled": False},
        "shipping_options": [],
        "status": "open",
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted",
        "url": f"{base_url}/c/pay/{ref}",
        **shown,
        "_intent_data": params.get("payment_intent_data", {}),
        "_description": params["line_items"][0]["price_data"]["product_data"]["name"],
    }


def _customer_details(email: str) -> Thing:
    nulls = _nulls("address business_name individual_name name phone tax_ids")
    return nulls | {"email": email, "tax_exempt": "none"}


def payment_intent(store: Store, params: Thing) -> Thing:
    ref = store.new_id("payment_intent")
    nulls = _nulls(
        "application application_fee_amount automatic_payment_methods canceled_at cancellation_reason customer customer_account"
        " description excluded_payment_method_types last_payment_error latest_charge managed_payments next_action on_behalf_of"
        " payment_method payment_method_configuration_details processing receipt_email review setup_future_usage shipping source"
        " statement_descriptor statement_descriptor_suffix transfer_data transfer_group"
    )
    return nulls | {
        "id": ref,
        "object": "payment_intent",
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "capture_method": "automatic",
        "client_secret": f"{ref}_secret_{store.new_id('payment_intent')[3:]}",
        "confirmation_method": "automatic",
        "created": store.now(),
        "livemode": False,
        "metadata": {},
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "status": "requires_payment_method",
        **params,
    }


def payment_method(store: Store, kind: str, email: str | None) -> Thing:
    return {
        "id": store.new_id("payment_method"),
        "object": "payment_method",
        "allow_redisplay": "limited",
        "billing_details": _billing(email),
        kind: method_details(kind, store)[kind],
        "created": store.now(),
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "type": kind,
    }


def method_details(kind: str, store: Store) -> Thing:
    """`payment_method_details` of a charge. Card numbers are Stripe's public test cards."""
    details: dict[str, Thing] = {
        "card": _nulls("mandate installments three_d_secure wallet network_token")
        | {
            "brand": "visa",
            "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
            "country": "CN",
            "exp_month": 12,
            "exp_year": 2034,
            "fingerprint": "testfingerprint0",
            "funding": "credit",
            "last4": "4242",
            "network": "visa",
        },
        "alipay": {
            "buyer_id": "2088000000000000",
            "fingerprint": "testfingerprint1",
            "transaction_id": str(store.now()),
        },
        "wechat_pay": {
            "fingerprint": "testfingerprint2",
            "location": None,
            "reader": None,
            "transaction_id": str(store.now()),
        },
    }
    return {kind: details[kind], "type": kind}


def _billing(email: str | None) -> Thing:
    return {"address": dict(NO_ADDRESS), "email": email, "name": None, "phone": None, "tax_id": None}


def charge(store: Store, intent: Thing, *, kind: str, failed: bool) -> Thing:
    ref = store.new_id("charge")
    nulls = _nulls(
        "application application_fee application_fee_amount balance_transaction failure_balance_transaction failure_code"
        " failure_message on_behalf_of receipt_number review shipping source source_transfer statement_descriptor"
        " statement_descriptor_suffix transfer_data transfer_group"
    )
    outcome: Thing = _nulls("advice_code network_advice_code network_decline_code reason")
    outcome |= {"network_status": "approved_by_network", "seller_message": "Payment complete.", "type": "authorized"}
    if failed:
        nulls |= {"failure_code": "card_declined", "failure_message": "Your card was declined."}
        outcome |= {"network_status": "declined_by_network", "reason": "generic_decline", "type": "issuer_declined"}
    return nulls | {
        "id": ref,
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0 if failed else intent["amount"],
        "amount_refunded": 0,
        "billing_details": _billing(intent["receipt_email"]),
        "calculated_statement_descriptor": "GONGSHU DEMO",
        "captured": not failed,
        "created": store.now(),
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(intent["metadata"]),
        "outcome": outcome,
        "paid": not failed,
        "payment_intent": intent["id"],
        "payment_method": intent["payment_method"],
        "payment_method_details": method_details(kind, store),
        "receipt_email": intent["receipt_email"],
        "receipt_url": None,
        "refunded": False,
        "refunds": {"object": "list", "data": [], "has_more": False, "url": f"/v1/charges/{ref}/refunds"},
        "status": "failed" if failed else "succeeded",
    }


def balance_transaction(store: Store, source: Thing, *, amount: int, fee: int, kind: str) -> Thing:
    """A movement of the account's balance: a charge brings `amount` less `fee`, a refund takes `amount` (negative)."""
    details = [
        {
            "amount": fee,
            "application": None,
            "currency": source["currency"],
            "description": "Stripe processing fees",
            "type": "stripe_fee",
        }
    ]
    return {
        "id": store.new_id("balance_transaction"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": store.now() + 2 * 86400,
        "balance_type": "payments",
        "created": store.now(),
        "currency": source["currency"],
        "description": source.get("description"),
        "exchange_rate": None,
        "fee": fee,
        "fee_details": details if fee else [],
        "net": amount - fee,
        "reporting_category": kind,
        "source": source["id"],
        "status": "pending",
        "type": kind,
    }


def refund(store: Store, charged: Thing, params: Thing, amount: int) -> Thing:
    kind = charged["payment_method_details"]["type"]
    nulls = _nulls("balance_transaction customer_account reason receipt_number source_transfer_reversal transfer_reversal")
    return nulls | {
        "id": store.new_id("refund"),
        "object": "refund",
        "amount": amount,
        "charge": charged["id"],
        "created": store.now(),
        "currency": charged["currency"],
        "customer": charged["customer"],
        "destination_details": {kind: {"type": "refund"} if kind == "card" else {}, "type": kind},
        "metadata": params.get("metadata", {}),
        "payment_intent": charged["payment_intent"],
        "payment_method": charged["payment_method"],
        "reason": params.get("reason"),
        "status": "succeeded",
    }


def transfer(store: Store, params: Thing) -> Thing:
    ref = store.new_id("transfer")
    return _nulls("balance_transaction description destination_payment source_transaction transfer_group") | {
        "id": ref,
        "object": "transfer",
        "amount_reversed": 0,
        "created": store.now(),
        "livemode": False,
        "metadata": {},
        "reversals": {"object": "list", "data": [], "has_more": False, "url": f"/v1/transfers/{ref}/reversals"},
        "reversed": False,
        "source_type": "card",
        **params,
    }


def account(store: Store, params: Thing) -> Thing:
    return _nulls("business_profile business_type email") | {
        "id": store.new_id("account"),
        "object": "account",
        "capabilities": {"transfers": "active"},
        "charges_enabled": True,
        "controller": {"type": "application"},
        "country": "CN",
        "created": store.now(),
        "default_currency": "cny",
        "details_submitted": True,
        "metadata": {},
        "payouts_enabled": True,
        "type": "express",
        **params,
    }


def event(store: Store, kind: str, thing: Thing, *, request: Any, api_version: str) -> Thing:
    return {
        "id": store.new_id("event"),
        "object": "event",
        "api_version": api_version,
        "created": store.now(),
        "data": {"object": thing},
        "livemode": False,
        "pending_webhooks": 1,
        "request": request,
        "type": kind,
    }
