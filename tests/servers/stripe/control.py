"""What only a test or the demo's operator does: `POST /_control/…` with a JSON body and the secret key as bearer.

`webhooks` {copies, delay, held, url} · `webhooks/release` {reversed} · `webhooks/resend` {event} · `webhooks/log` ·
`faults` {status | drop, times, path} · `settle` {session, paid} · `session/expire` {session}
"""

from typing import TYPE_CHECKING, Any

from tests.servers.stripe.faults import Fault

if TYPE_CHECKING:
    from tests.servers.stripe.server import StripeServer


def control(server: "StripeServer", what: str, body: dict[str, Any]) -> dict[str, Any]:
    """Do it and say how things stand."""
    postman = server.postman
    match what:
        case "webhooks":
            postman.copies = int(body.get("copies", postman.copies))
            postman.delay = float(body.get("delay", postman.delay))
            postman.held = bool(body.get("held", postman.held))
            postman.url = body.get("url", postman.url)
        case "webhooks/release":
            postman.release(is_reversed=bool(body.get("reversed")))
        case "webhooks/resend":
            postman.resend(body["event"])
        case "webhooks/log":
            pass
        case "faults":
            # `drop`: the work is done and the answer lost. `status`: nothing is done.
            server.faults = [body] * int(body.get("times", 1))
        case "settle":
            session = server.store.get("checkout.session", body["session"])
            server.till.session_settle(session, paid=bool(body.get("paid", True)))
        case "session/expire":
            server.till.session_expire(server.store.get("checkout.session", body["session"]))
        case _:
            raise Fault(404, "invalid_request_error", f"No such control: {what}")
    return postman.report()
