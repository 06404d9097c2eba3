"""Requests: authorisation, idempotency, the API's envelope, the hosted page. One request at a time holds the store."""

import contextlib
import hashlib
import json
import re
import secrets
import socket
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from tests.servers.stripe import faults, forms, pages
from tests.servers.stripe.control import control
from tests.servers.stripe.endpoints import ENDPOINTS, Endpoint
from tests.servers.stripe.store import Thing
from tests.servers.stripe.till import shown

if TYPE_CHECKING:
    from tests.servers.stripe.server import StripeServer

API_VERSION = "2026-10-28.endive"
BODY_LIMIT = 1 << 20


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    stripe: "StripeServer"
    protocol_version = "HTTP/1.1"
    timeout = 60

    def setup(self) -> None:
        super().setup()
        self.stripe.connections.add(self.connection)

    def finish(self) -> None:
        self.stripe.connections.discard(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: addresses of checkout pages are as good as keys."""

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def do_DELETE(self) -> None:
        self._answer("DELETE")

    def _answer(self, method: str) -> None:
        address = urlsplit(self.path)
        told = self.headers.get("Content-Length") or "0"
        length = int(told) if told.isdecimal() else BODY_LIMIT + 1
        if length > BODY_LIMIT:
            self.close_connection = True
            self._json(413, {"error": {"type": "invalid_request_error", "message": "Request body too large."}})
            return
        body = self.rfile.read(length).decode("utf-8", "replace")
        page = re.fullmatch(r"/c/pay/(\w+)", address.path)
        if page:
            self._page(method, page[1], body)
        elif address.path.startswith("/v1/"):
            self._api(method, address.path, body if method == "POST" else address.query)
        elif address.path.startswith("/_control/"):
            self._control(address.path.removeprefix("/_control/"), body)
        elif address.path == "/healthz":
            self._json(200, {"status": "ok", "what": "Gongshu demo payment server; no real money"})
        else:
            self._json(404, faults.Fault(404, "invalid_request_error", "Not found.").body)

    # the API

    def _api(self, method: str, path: str, text: str) -> None:
        fault = self._planned_fault(path)
        if fault and "status" in fault:
            self._json(fault["status"], {"error": {"type": "api_error", "message": "The demo server was told to fail."}})
            return
        headers = {"Request-Id": "req_" + secrets.token_hex(7)}
        server = self.stripe
        with server.store.lock:
            try:
                self._authorise()
                status, answer = self._once(method, path, text, headers)
            except faults.Fault as refused:
                status, answer = refused.status, refused.body
            server.store.save()
        if fault and fault.get("drop"):
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        headers["Stripe-Version"] = self._version()
        self._json(status, answer, headers)

    def _planned_fault(self, path: str) -> dict[str, Any] | None:
        with self.stripe.store.lock:
            planned = self.stripe.faults
            return planned.pop(0) if planned and path.startswith(planned[0].get("path", "/v1/")) else None

    def _version(self) -> str:
        return self.headers.get("Stripe-Version") or API_VERSION

    def _authorise(self) -> None:
        scheme, _space, key = (self.headers.get("Authorization") or "").partition(" ")
        if scheme != "Bearer" or not key:
            raise faults.unauthorised(
                "You did not provide an API key. Provide it in the Authorization header: Bearer YOUR_SECRET_KEY."
            )
        wanted = self.stripe.secret_key
        if not (secrets.compare_digest(key.encode(), wanted.encode()) if wanted else key.startswith("sk_test_")):
            raise faults.unauthorised(f"Invalid API Key provided: {key[:8]}***{key[-4:]}")

    def _once(self, method: str, path: str, text: str, headers: dict[str, str]) -> tuple[int, Thing]:
        """Run the request; under an Idempotency-Key at most once (https://docs.stripe.com/api/idempotent_requests)."""
        key = self.headers.get("Idempotency-Key") if method == "POST" else None
        if key is None:
            return 200, self._run(method, path, text, headers, None)
        headers["Idempotency-Key"] = key
        if len(key) > 255:
            raise faults.idempotency("Idempotency keys take up to 255 characters.")
        answers = self.stripe.store.answers
        hashed = hashlib.sha256(repr(sorted(parse_qsl(text, keep_blank_values=True))).encode()).hexdigest()
        if key in answers:
            kept = answers[key]
            if kept["path"] != path:
                raise faults.idempotency(
                    f"Keys for idempotent requests can only be used for the same endpoint they were first used for ('{key}')."
                )
            if kept["hash"] != hashed:
                raise faults.idempotency(
                    f"Keys for idempotent requests can only be used with the same parameters they were first used with ('{key}')."
                )
            headers |= {"Idempotent-Replayed": "true", "Original-Request": kept["request"]}
            return kept["status"], kept["answer"]
        try:
            status, answer = 200, self._run(method, path, text, headers, key)
        except faults.Fault as refused:
            if not refused.kept:
                raise
            status, answer = refused.status, shown(refused.body)
        answers[key] = {
            "path": path,
            "hash": hashed,
            "status": status,
            "answer": answer,
            "request": headers["Request-Id"],
        }
        return status, answer

    def _run(self, method: str, path: str, text: str, headers: dict[str, str], key: str | None) -> Thing:
        till = self.stripe.till
        found, ids = self._endpoint(method, path)
        params = forms.read(found.spec, forms.decode(text))
        till.request = {"id": headers["Request-Id"], "idempotency_key": key}
        till.api_version = self._version()
        till.expire_overdue()
        thing = found.act(till, params, *ids, base_url=self.stripe.public_url)
        answer: Thing = shown(till.store.expanded(thing, params.get("expand", [])))
        return answer

    def _endpoint(self, method: str, path: str) -> tuple[Endpoint, tuple[str, ...]]:
        for one in ENDPOINTS:
            match = one.path.fullmatch(path)
            if match and one.method == method:
                return one, match.groups()
        raise faults.Fault(404, "invalid_request_error", f"Unrecognized request URL ({method}: {path}).")

    def _control(self, what: str, body: str) -> None:
        try:
            self._authorise()
            with self.stripe.store.lock:
                answer = control(self.stripe, what, json.loads(body or "{}"))
                self.stripe.store.save()
            self._json(200, answer)
        except faults.Fault as refused:
            self._json(refused.status, refused.body)
        except (ValueError, KeyError) as wrong:
            self._json(400, faults.invalid(f"Control not understood: {wrong}").body)

    # the hosted page

    def _page(self, method: str, ref: str, body: str) -> None:
        store, till = self.stripe.store, self.stripe.till
        accept = self.headers.get("Accept-Language") or ""
        with store.lock:
            till.request = {"id": None, "idempotency_key": None}
            till.api_version = till.api_version or API_VERSION
            till.expire_overdue()
            try:
                session = store.get("checkout.session", ref)
            except faults.Fault:
                self._html(404, pages.missing_page(pages.language(None, accept)))
                return
            lang = pages.language(session["locale"], accept)
            target = self._act(session, parse_qs(body)) if method == "POST" and session["status"] == "open" else ""
            store.save()
        if target:
            self._send(303, b"", {"Location": target, "Content-Type": "text/plain"})
        else:
            self._html(200, pages.pay_page(session, lang, is_declined=method == "POST"))

    def _act(self, session: Thing, form: dict[str, list[str]]) -> str:
        """Do what the payer pressed; where to send the browser, or "" to show the page again."""
        till = self.stripe.till
        action = form.get("action", [""])[0]
        kind = form.get("method", [session["payment_method_types"][0]])[0]
        if kind not in session["payment_method_types"]:
            return ""
        match action:
            case "pay":
                till.session_pay(session, kind)
                return pages.success_url(session)
            case "later":
                till.session_promise(session, kind)
                self.stripe.settle_later(session["id"])
                return pages.success_url(session)
            case "decline":
                till.decline(till.session_intent(session), kind)
            case "cancel":
                return session["cancel_url"] or ""
        return ""

    # answers

    def _json(self, status: int, answer: Thing, headers: dict[str, str] | None = None) -> None:
        text = json.dumps(answer, ensure_ascii=False, indent=2)
        self._send(status, text.encode(), {"Content-Type": "application/json", **(headers or {})})

    def _html(self, status: int, text: str) -> None:
        # No form-action here: browsers apply it to the redirect back to the merchant too.
        policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
        headers = {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Security-Policy": policy,
            "Referrer-Policy": "no-referrer",
        }
        self._send(status, text.encode(), headers)

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        with contextlib.suppress(ConnectionError):  # whoever asked has gone away; the work is done and kept
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)
