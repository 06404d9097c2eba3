"""Ready to serve: the database answers and has every migration that this code was written for.

While new code is rolled out, a process that is ahead of the database answers 503 at /readyz, so that the load balancer waits with
it until ``manage.py migrate`` is done; one that is behind goes on serving.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FLOORS = ("products", "pricing", "settlement", "market")
SQL = """
SELECT count(*) = cardinality(%(apps)s::text[]) FROM django_migrations AS done
JOIN unnest(%(apps)s::text[], %(names)s::text[]) AS wanted (app, name) ON wanted.app = done.app AND wanted.name = done.name
"""


@cache
def parameters() -> dict[str, Any]:
    """The last migration of each floor; each has one leaf (``make check`` sees to it), and their numbers sort."""
    last = [max(path.stem for path in (ROOT / floor / "migrations").glob("[0-9]*.py")) for floor in FLOORS]
    return {"apps": list(FLOORS), "names": last}
