"""``worker``: the jobs (mails, folding usage, sealing receipts, closing's periodic work); start as many as you like."""

from __future__ import annotations

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    help = "Work off the jobs. Two workers never take the same job; a job of a killed worker is taken up again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--concurrency", type=int, default=2, help="jobs at once in this process")

    def handle(self, *, concurrency: int, **options: Any) -> None:
        call_command("procrastinate", "worker", "--concurrency", str(concurrency))
