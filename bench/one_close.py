"""Close a month twice; print how long the first took, the most memory, both digests: `python -m bench.one_close NAME MONTH AT`.

A process of its own, so that its memory is its own.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from datetime import date, datetime

import django


def main(database: str, month: date, at: datetime) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "market.settings")
    django.setup()
    from django.db import connection

    from settlement.billing.services import close_month

    connection.settings_dict["NAME"] = database
    connection.ensure_connection()
    began = time.perf_counter()
    closed = close_month(month=month, at=at)
    seconds = time.perf_counter() - began
    again = close_month(month=month, at=at)
    mebibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "memory": mebibytes, "digests": [closed.month.digest, again.month.digest]}))


if __name__ == "__main__":
    main(sys.argv[1], date.fromisoformat(sys.argv[2]), datetime.fromisoformat(sys.argv[3]))
