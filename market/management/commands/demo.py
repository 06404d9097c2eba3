"""The whole market with made-up data: database, payment server, site and gateway. Ctrl-C stops all."""

from __future__ import annotations

import json
import socket
import time

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor

from market.demo import story
from market.demo.processes import DemoFailed, Processes, payment_environment
from market.demo.trade import make_product_keys
from products.postgres import embedded


class Command(BaseCommand):
    help = __doc__
    requires_system_checks: list[str] = []

    def add_arguments(self, parser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--load-only", action="store_true", help="prepare the database and its data, serve nothing")

    def handle(self, *, port: int, load_only: bool, **options) -> None:
        if settings.IS_PRODUCTION:
            raise CommandError("The demo makes data up; it does not run in production.")
        began = time.monotonic()
        if not load_only and taken(port):
            raise CommandError(f"Port {port} is taken; choose another: make demo PORT=8080")
        self.prepare()
        if load_only:
            return
        url = f"http://127.0.0.1:{port}"
        environment = {"GONGSHU_ENV": "demo", "PUBLIC_URL": url, **make_product_keys()}
        environment |= payment_environment(port=port + 1, data=settings.DATA_DIR)
        facts = json.loads((settings.DATA_DIR / "demo.json").read_text(encoding="utf-8"))
        facts["url"] = url
        (settings.DATA_DIR / "demo.json").write_text(json.dumps(facts, ensure_ascii=False, indent=1), encoding="utf-8")
        processes = Processes(environment)
        try:
            self.serve(processes, port, environment)
            self.stdout.write(story.welcome(facts, seconds=time.monotonic() - began))
            died = processes.wait()
        except DemoFailed as failed:
            raise CommandError(str(failed)) from failed
        finally:
            processes.stop()
            connections.close_all()
            if not settings.DATABASE_URL:
                embedded.leave(settings.DATA_DIR)
        if died:
            raise CommandError(f"{died} stopped by itself; see {settings.DATA_DIR / (died + '.log')}")
        self.stdout.write("Stopped.")

    def prepare(self) -> None:
        """Migrate what is not migrated, tell the story once."""
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            self.stdout.write("Making the tables …")
            call_command("migrate", verbosity=0)
        if not story.is_told():
            self.stdout.write("Making up a market: organisations, products, prices, three months of usage …")
            story.tell(say=self.stdout.write)

    def serve(self, processes: Processes, port: int, environment: dict[str, str]) -> None:
        if "STRIPE_API_BASE" in environment:
            webhook = f"{environment['PUBLIC_URL']}/payments/webhooks/stripe/"
            arguments = ["-m", "tests.servers.stripe", "--port", str(port + 1), "--webhook-url", webhook]
            arguments += ["--webhook-secret", environment["STRIPE_WEBHOOK_SECRET"]]
            arguments += ["--secret-key", environment["STRIPE_SECRET_KEY"], "--state", str(settings.DATA_DIR / "stripe.json")]
            processes.start("payments", *arguments, ready_url=f"{environment['STRIPE_API_BASE']}/healthz")
        processes.start("site", "manage.py", "serve", "--port", str(port), ready_url=f"http://127.0.0.1:{port}/readyz")
        processes.start("worker", "manage.py", "worker")


def taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False
