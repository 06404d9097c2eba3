"""Errors in Stripe's shape: https://docs.stripe.com/api/errors."""

from typing import Any


class Fault(Exception):
    """An error answer. `kept` marks those that an idempotency key keeps: the ones raised after the work had begun."""

    def __init__(self, status: int, error_type: str, message: str, *, kept: bool = False, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.kept = kept
        self.body: dict[str, Any] = {"error": {"type": error_type, "message": message, **more}}


def invalid(message: str, param: str | None = None, code: str | None = None) -> Fault:
    more: dict[str, Any] = {key: value for key, value in {"param": param, "code": code}.items() if value}
    return Fault(400, "invalid_request_error", message, **more)


def unknown_parameter(param: str) -> Fault:
    return invalid(f"Received unknown parameter: {param}", param, "parameter_unknown")


def missing_parameter(param: str) -> Fault:
    return invalid(f"Missing required param: {param}.", param, "parameter_missing")


def missing(kind: str, ref: str, param: str = "id") -> Fault:
    message = f"No such {kind}: '{ref}'"
    return Fault(404, "invalid_request_error", message, param=param, code="resource_missing")


def unauthorised(message: str) -> Fault:
    return Fault(401, "invalid_request_error", message)


def declined(intent: dict[str, Any]) -> Fault:
    error = intent["last_payment_error"]
    more = {key: value for key, value in error.items() if key not in ("type", "message")}
    return Fault(402, "card_error", error["message"], kept=True, payment_intent=intent, **more)


def idempotency(message: str) -> Fault:
    return Fault(400, "idempotency_error", message)
