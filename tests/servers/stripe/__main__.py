"""`python -m tests.servers.stripe --port 8010 --webhook-url http://127.0.0.1:8000/… --webhook-secret whsec_…`"""

import argparse
import signal
import threading
from pathlib import Path

from tests.servers.stripe.server import StripeServer


def main() -> None:
    parser = argparse.ArgumentParser(description="A payment server with Stripe's shapes; no real money moves.")
    parser.add_argument("--port", type=int, default=8010)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--webhook-url", help="where events are posted; without it they are only kept")
    parser.add_argument("--webhook-secret", default="whsec_demo")
    parser.add_argument("--secret-key", help="the one key that is let in; without it any sk_test_…")
    parser.add_argument("--public-url", help="the address that browsers use, where it is not http://HOST:PORT")
    parser.add_argument("--settle-seconds", type=float, default=10.0, help="when asynchronous payments arrive")
    parser.add_argument("--state", type=Path, help="a file that keeps everything across restarts")
    asked = parser.parse_args()
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_args: done.set())
    with StripeServer(
        asked.port,
        host=asked.host,
        webhook_url=asked.webhook_url,
        webhook_secret=asked.webhook_secret,
        secret_key=asked.secret_key,
        public_url=asked.public_url,
        settle_seconds=asked.settle_seconds,
        state=asked.state,
    ) as server:
        print(f"demo payment server (no real money) on {server.url}", flush=True)
        done.wait()


if __name__ == "__main__":
    main()
