"""The process that owns the embedded server: ``python -m products.postgres.supervise FOLDER``.

It runs postgres as its child, in a session of its own so that a Ctrl-C in a terminal reaches nobody by accident, and stops it
when no process uses the cluster any more. If this process is killed, the kernel sends postgres its stop signal too.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from products.postgres.embedded import Cluster, as_account

LINGER_SECONDS = 2.0
STALE_SECONDS = 20.0
PR_SET_PDEATHSIG = 1
SERVER_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "max_locks_per_transaction": "256",
    "autovacuum_naptime": "20s",
}


def main(folder: str) -> int:
    cluster = Cluster(Path(folder))
    with (cluster.locks / "supervisor.lock").open("a") as alive:
        try:
            fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return 0
        clear_stale_pid_file(cluster)
        server = start_server(cluster)
        signal.signal(signal.SIGTERM, lambda *_: server.send_signal(signal.SIGINT))
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        threading.Thread(target=stop_when_unused, args=(cluster, server), daemon=True).start()
        return server.wait()


def start_server(cluster: Cluster) -> subprocess.Popen[bytes]:
    settings = {**SERVER_SETTINGS, "unix_socket_directories": str(cluster.sockets)}
    command = [str(cluster.binaries / "postgres"), "-D", str(cluster.data)]
    command += [f"--{name}={value}" for name, value in settings.items()]
    libc = ctypes.CDLL(None)
    return subprocess.Popen(
        command,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=cluster.log.open("ab"),
        stderr=subprocess.STDOUT,
        preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGINT),  # after the change of account, which clears it
        **as_account(cluster.account),
    )


def clear_stale_pid_file(cluster: Cluster) -> None:
    """Wait until no process of an earlier server is left, then remove its lock files, which may name a stranger by now.

    A killed postmaster leaves children that hold the shared memory for a moment; to start among them would be refused, and to
    delete the pid file under them would be worse (two servers on one folder).
    """
    ends = time.monotonic() + STALE_SECONDS
    while left := processes_of(cluster):
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT if time.monotonic() < ends else signal.SIGKILL)
        time.sleep(0.1)
    for stale in (cluster.data / "postmaster.pid", *cluster.sockets.glob(".s.PGSQL.*")):
        stale.unlink(missing_ok=True)


def processes_of(cluster: Cluster) -> list[int]:
    """The processes that work in this cluster's data folder: every process of a PostgreSQL server does, orphans too."""
    data, found = str(cluster.data.resolve()), []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if str((process / "cwd").readlink()) == data:
                found.append(int(process.name))
    return found


def stop_when_unused(cluster: Cluster, server: subprocess.Popen[bytes]) -> None:
    """Wait until nobody holds the users' lock, linger for the next command of the same person, then stop for good."""
    with (cluster.locks / "users.lock").open("a") as users:
        while True:
            fcntl.flock(users, fcntl.LOCK_EX)
            fcntl.flock(users, fcntl.LOCK_UN)
            time.sleep(LINGER_SECONDS)
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            server.send_signal(signal.SIGINT)
            server.wait()
            return


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
