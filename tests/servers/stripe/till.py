"""What happens when somebody pays: intents, charges, balance and events. Shared by the API and the hosted page."""

import copy
from collections.abc import Callable
from typing import Any

from tests.servers.stripe import objects
from tests.servers.stripe.faults import Fault, invalid
from tests.servers.stripe.store import Store, Thing

DECLINED = {
    "type": "card_error",
    "code": "card_declined",
    "decline_code": "generic_decline",
    "message": "Your card was declined.",
}


class Till:
    """Call its methods while holding the store's lock. `tell` queues an event's webhook."""

    def __init__(self, store: Store, tell: Callable[[Thing], None]) -> None:
        self.store = store
        self._tell = tell
        self.request: dict[str, Any] = {"id": None, "idempotency_key": None}
        self.api_version = ""

    def emit(self, kind: str, thing: Thing) -> None:
        """Record an event with the object as it is now, and send it."""
        event = objects.event(self.store, kind, shown(thing), request=dict(self.request), api_version=self.api_version)
        self._tell(self.store.add(event))

    # payment intents

    def succeed(self, intent: Thing, kind: str) -> Thing:
        """The money came: charge, balance transaction, intent, events. Returns the charge."""
        if intent["payment_method"] is None:
            self._choose(intent, kind)
        charged = self.store.add(objects.charge(self.store, intent, kind=kind, failed=False))
        booked = objects.balance_transaction(
            self.store, charged, amount=intent["amount"], fee=objects.fee_of(intent["amount"]), kind="charge"
        )
        charged["balance_transaction"] = self.store.add(booked)["id"]
        intent.update(
            status="succeeded",
            amount_received=intent["amount"],
            latest_charge=charged["id"],
            processing=None,
            last_payment_error=None,
        )
        self.emit("charge.succeeded", charged)
        self.emit("payment_intent.succeeded", intent)
        return charged

    def decline(self, intent: Thing, kind: str) -> None:
        charged = self.store.add(objects.charge(self.store, intent, kind=kind, failed=True))
        error = {**DECLINED, "charge": charged["id"]}
        intent.update(status="requires_payment_method", latest_charge=charged["id"], last_payment_error=error)
        intent.update(payment_method=None, processing=None)
        self.emit("charge.failed", charged)
        self.emit("payment_intent.payment_failed", intent)

    def begin(self, intent: Thing, kind: str) -> None:
        """The payer promised; the bank will say later."""
        self._choose(intent, kind)
        intent.update(status="processing", processing={"type": kind})
        self.emit("payment_intent.processing", intent)

    def _choose(self, intent: Thing, kind: str) -> None:
        method = objects.payment_method(self.store, kind, intent["receipt_email"])
        intent["payment_method"] = self.store.add(method)["id"]

    # checkout sessions

    def expire_overdue(self) -> None:
        for session in self.store.all("checkout.session"):
            if session["status"] == "open" and session["expires_at"] <= self.store.now():
                self.session_expire(session)

    def session_expire(self, session: Thing) -> None:
        session.update(status="expired", url=None)
        self.emit("checkout.session.expired", session)

    def session_intent(self, session: Thing) -> Thing:
        """The intent under a session, made at the first attempt to pay (as Stripe does since 2022)."""
        if session["payment_intent"] is not None:
            return self.store.get("payment_intent", session["payment_intent"])
        params = {
            "amount": session["amount_total"],
            "currency": session["currency"],
            "customer": session["customer"],
            "receipt_email": session["customer_email"],
            "payment_method_types": list(session["payment_method_types"]),
            **session["_intent_data"],
        }
        intent = self.store.add(objects.payment_intent(self.store, params))
        session["payment_intent"] = intent["id"]
        self.emit("payment_intent.created", intent)
        return intent

    def session_pay(self, session: Thing, kind: str) -> None:
        self.succeed(self.session_intent(session), kind)
        session.update(status="complete", payment_status="paid", url=None)
        self.emit("checkout.session.completed", session)

    def session_promise(self, session: Thing, kind: str) -> None:
        self.begin(self.session_intent(session), kind)
        session.update(status="complete", payment_status="unpaid", url=None)
        self.emit("checkout.session.completed", session)

    def session_settle(self, session: Thing, *, paid: bool) -> None:
        """The bank's late answer to a promise. Once settled, doing it again changes nothing."""
        intent = self.session_intent(session)
        if intent["status"] != "processing":
            return
        kind = intent["processing"]["type"]
        if paid:
            self.succeed(intent, kind)
            session["payment_status"] = "paid"
            self.emit("checkout.session.async_payment_succeeded", session)
        else:
            self.decline(intent, kind)
            self.emit("checkout.session.async_payment_failed", session)

    # refunds

    def refund(self, charged: Thing, params: Thing) -> Thing:
        left = charged["amount"] - charged["amount_refunded"]
        amount = params.get("amount", left)
        if charged["status"] != "succeeded" or left == 0:
            raise invalid(f"Charge {charged['id']} has already been refunded.", None, "charge_already_refunded")
        if not 0 < amount <= left:
            raise Fault(
                400,
                "invalid_request_error",
                f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})",
                param="amount",
                code="amount_too_large",
            )
        made = self.store.add(objects.refund(self.store, charged, params, amount))
        booked = objects.balance_transaction(self.store, made, amount=-amount, fee=0, kind="refund")
        made["balance_transaction"] = self.store.add(booked)["id"]
        charged["amount_refunded"] += amount
        charged["refunded"] = charged["amount_refunded"] == charged["amount"]
        self.emit("refund.created", made)
        self.emit("charge.refunded", charged)
        return made


def shown(thing: Any) -> Any:
    """A copy without what is ours."""
    if isinstance(thing, dict):
        return {key: shown(value) for key, value in thing.items() if not key.startswith("_")}
    if isinstance(thing, list):
        return [shown(one) for one in thing]
    return copy.copy(thing)
