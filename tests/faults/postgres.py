"""A PostgreSQL of the harness's own: a copy of the test cluster that may be killed, stalled, and run out of disk."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
from django.conf import settings
from django.db import connection
from psycopg import conninfo

from products.postgres import embedded, supervise
from products.postgres.embedded import Cluster, as_account
from tests.market.gateway.conftest import free_port

READY_SECONDS = 60


class Postgres:
    """A server on a TCP port of its own. ``url`` stays the same over every restart."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self._cluster = cluster
        self.folder = folder
        self.data = folder / "data"
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        given = connection.get_connection_params()
        facts = {name: given[name] for name in ("user", "password", "dbname") if given.get(name)}
        self.url = conninfo.make_conninfo(**facts, host="127.0.0.1", port=self.port)

    def copy(self) -> None:
        """Take a base backup of the cluster that the tests use, with everything that is committed there now."""
        given = connection.get_connection_params()
        command = [
            str(self._cluster.binaries / "pg_basebackup"),
            "--pgdata",
            str(self.data),
            "--checkpoint=fast",
            "--wal-method=stream",
        ]
        command += ["--host", str(given["host"]), "--username", str(given["user"]), "--no-sync"]
        environment = os.environ | {"PGPASSWORD": str(given["password"])}
        subprocess.run(command, check=True, capture_output=True, env=environment, cwd="/", **as_account(self._cluster.account))

    def start(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        self._clear()
        changes = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "100",
        }
        changes |= {"max_wal_size": "32MB", "min_wal_size": "32MB", "shared_buffers": "64MB"}
        command = [str(self._cluster.binaries / "postgres"), "-D", str(self.data)]
        command += [f"--{name}={value}" for name, value in (supervise.SERVER_SETTINGS | changes).items()]
        self._process = subprocess.Popen(
            command,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            **as_account(self._cluster.account),
        )
        ends = time.monotonic() + READY_SECONDS
        while time.monotonic() < ends:
            with contextlib.suppress(psycopg.OperationalError), psycopg.connect(self.url, connect_timeout=2):
                return
            time.sleep(0.03)
        raise AssertionError("PostgreSQL did not come back")

    def kill(self) -> None:
        """``kill -9`` of the postmaster and of every process of it, as when the machine loses power but keeps its disk."""
        for pid in self._processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self._process is not None:
            self._process.wait(10)

    def stall(self, seconds: float) -> None:
        """Nothing of the server runs for a while: a disk that hangs."""
        stopped = self._processes()
        for sign in (signal.SIGSTOP, signal.SIGCONT):
            for pid in stopped:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, sign)
            if sign is signal.SIGSTOP:
                time.sleep(seconds)

    def cut(self) -> None:
        """End every connection of the gateways."""
        ask = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'gongshu-gateway%'"
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(self.url, autocommit=True, connect_timeout=2) as link:
            link.execute(ask)

    def _processes(self) -> list[int]:
        found, data = [], str(self.data.resolve())
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if str((process / "cwd").readlink()) == data:
                    found.append(int(process.name))
        return found

    def _clear(self) -> None:
        ends = time.monotonic() + 20
        while self._processes() and time.monotonic() < ends:
            self.kill()
            time.sleep(0.02)
        (self.data / "postmaster.pid").unlink(missing_ok=True)


@contextlib.contextmanager
def own_postgres(megabytes: int | None = None) -> Iterator[Postgres]:
    """A running copy of the test cluster; with ``megabytes``, on a file system of its own of that size (needs root)."""
    cluster = Cluster(Path(settings.DATA_DIR).resolve())
    folder = Path(tempfile.mkdtemp(prefix="gongshu-faults-", dir="/tmp"))
    folder.chmod(0o755)
    if megabytes is not None:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "gongshu-faults", str(folder)], check=True)
    if cluster.account is not None:
        os.chown(folder, cluster.account.pw_uid, cluster.account.pw_gid)
    server = Postgres(cluster, folder)
    try:
        server.copy()
        server.start()
        yield server
    finally:
        server.kill()
        if megabytes is not None:
            subprocess.run(["umount", "--lazy", str(folder)], check=False)
        shutil.rmtree(folder, ignore_errors=True)


def is_embedded() -> bool:
    return not settings.DATABASE_URL and embedded.supervisor_alive(Cluster(Path(settings.DATA_DIR).resolve()))
