"""An operator's own service for a remote product, whole: it checks our signature, then answers. Made-up data.

    python remote_service.py --certificate tls.pem --keys https://market.example/v1/keys --port 8443

Needs Python and `cryptography`. The signature is RFC 9421 over method, target URI, content digest (RFC 9530) and call.
"""

import argparse
import base64
import json
import re
import ssl
import time
import urllib.request
from collections import OrderedDict
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

NEEDED = {"@method", "@target-uri", "content-digest", "gongshu-call", "gongshu-product"}
LOADS = {"91330200MA9T01184X": "A", "91330200MA9T02268F": "B"}


def public_keys(source: str) -> dict[str, Ed25519PublicKey]:
    """The market's keys by ``kid``, from /v1/keys or a file of it."""
    if source.startswith("https://"):
        with urllib.request.urlopen(source, timeout=10) as answer:  # noqa: S310  (https alone)
            document = json.load(answer)
    else:
        document = json.loads(Path(source).read_text(encoding="utf-8"))
    found = {key["kid"]: base64.urlsafe_b64decode(key["x"] + "==") for key in document["keys"]}
    return {kid: Ed25519PublicKey.from_public_bytes(raw) for kid, raw in found.items()}


def verified(keys, method: str, target_uri: str, headers, body: bytes, now: float) -> bool:
    """Whether the market sent exactly this, within the last minute. ``headers`` are by lower-case name."""
    given = re.fullmatch(
        r'gongshu=(\(([^)]*)\);created=(\d+);expires=(\d+);keyid="([^"]+)";alg="ed25519")', headers.get("signature-input", "")
    )
    signature = re.fullmatch(r"gongshu=:([A-Za-z0-9+/=]+):", headers.get("signature", ""))
    if not given or not signature:
        return False
    names = given[2].replace('"', "").split()
    digest = base64.b64encode(sha256(body).digest()).decode()
    if not set(names) >= NEEDED or headers.get("content-digest") != f"sha-256=:{digest}:":
        return False
    if not int(given[3]) - 60 <= now < int(given[4]) + 60 or given[5] not in keys:  # clocks may differ by a minute
        return False
    known = {**headers, "@method": method, "@target-uri": target_uri}
    lines = [f'"{name}": {known.get(name, "")}' for name in names]
    base = "\n".join([*lines, f'"@signature-params": {given[1]}'])
    try:
        keys[given[5]].verify(base64.b64decode(signature[1]), base.encode())
    except InvalidSignature:
        return False
    return True


class Service(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    keys: dict = {}
    clock = staticmethod(time.time)
    seen: OrderedDict = OrderedDict()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        target = f"https://{headers.get('host', '')}{self.path}"
        if not verified(self.keys, "POST", target, headers, body, self.clock()):
            return self.answer(401, {"error": "signature"})
        if headers["gongshu-call"] and headers["gongshu-call"] in self.seen:  # the same call again is a copy of a request
            return self.answer(409, {"error": "replay"})
        self.seen[headers["gongshu-call"]] = True
        if len(self.seen) > 100_000:
            self.seen.popitem(last=False)
        uscc = json.loads(body)["uscc"]
        if len(uscc) != 18:
            return self.answer(422, {"errors": [{"pointer": "/uscc"}]})
        return self.answer(200, {"found": uscc in LOADS, "grade": LOADS.get(uscc)})

    def answer(self, status: int, document: dict) -> None:
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: object) -> None:
        """Nothing is written down: what is asked for is personal to the asker."""


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--certificate", required=True, help="PEM file of key and certificate")
    options.add_argument("--keys", required=True, help="the market's /v1/keys, or a file of it")
    options.add_argument("--port", type=int, default=8443)
    options.add_argument("--skew", type=float, default=0, help="seconds by which the market's clock is ahead (a demo's is)")
    chosen = options.parse_args()
    Service.keys = public_keys(chosen.keys)
    Service.clock = staticmethod(lambda: time.time() + chosen.skew)
    server = ThreadingHTTPServer(("127.0.0.1", chosen.port), Service)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chosen.certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    print(f"serving on {server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
