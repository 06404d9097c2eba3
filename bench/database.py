"""A database of its own for the benchmarks, on the server that the project uses; kept between runs, emptied before each."""

from __future__ import annotations

import contextlib
import os
import platform
from collections.abc import Iterator
from pathlib import Path

import django


@contextlib.contextmanager
def own() -> Iterator[None]:
    """Django is set up and its default database is `gongshu_bench` with every migration applied."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "market.settings")
    django.setup()
    from django.db import connection

    connection.settings_dict["TEST"]["NAME"] = "gongshu_bench"
    connection.creation.create_test_db(verbosity=0, autoclobber=True, keepdb=True, serialize=False)
    try:
        yield
    finally:
        connection.close()


def empty() -> None:
    """Forget every row but the reference data; the append-only triggers look away."""
    from django.db import connection

    from tests.conftest import REFERENCE_TABLES, UNMANAGED_TABLES

    tables = set(connection.introspection.django_table_names(only_existing=True)) - REFERENCE_TABLES
    tables -= {"django_migrations", "django_content_type", "auth_permission"}
    tables |= set(UNMANAGED_TABLES)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        names = ", ".join(f'"{name}"' for name in sorted(tables))
        cursor.execute(f"TRUNCATE {names} RESTART IDENTITY CASCADE")
        cursor.execute("SET session_replication_role = DEFAULT")


def machine() -> str:
    """The machine in a line: processors, memory, system, Python."""
    with Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
        models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    with Path("/proc/meminfo").open(encoding="utf-8") as lines:
        kilobytes = int(next(lines).split()[1])
    name = models[0] if models else platform.machine()
    memory = f"{kilobytes / 1024**2:.0f} GiB"
    return f"{os.cpu_count()} × {name}, {memory}, {platform.system()} {platform.release()}, Python {platform.python_version()}"
