"""The embedded server starts, is shared, survives kills, leaves nothing behind; as root and as an ordinary user."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg
import pytest

from products.postgres import embedded
from products.postgres.embedded import Cluster

pytestmark = pytest.mark.proof  # kills, accounts, half-made clusters: a minute of servers started and stopped

ROOT = Path(__file__).resolve().parents[3]
IS_ROOT = os.geteuid() == 0
USE = """
import sys, psycopg
from pathlib import Path
from products.postgres import embedded
cluster = embedded.join(Path(sys.argv[1]))
with psycopg.connect(cluster.conninfo()) as connection:
    print(connection.execute("SELECT pg_postmaster_start_time()").fetchone()[0], flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A project folder that the server's account can enter; pytest's own is closed to others."""
    made = Path(tempfile.mkdtemp(prefix="gongshu-test-", dir="/tmp"))
    made.chmod(0o755)
    try:
        yield made
    finally:
        embedded.leave(made, wait_seconds=30)
        shutil.rmtree(Cluster(made).machine_home, ignore_errors=True)
        shutil.rmtree(made, ignore_errors=True)


@contextlib.contextmanager
def user_of(folder: Path, prefix: Sequence[str] = (), **how) -> Iterator[subprocess.Popen]:
    """Another process that uses the cluster until its standard input ends."""
    process = subprocess.Popen(
        [*prefix, sys.executable, "-c", USE, str(folder)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **how,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(BrokenPipeError, ValueError):
            process.communicate("\n", timeout=60)


def as_nobody(nobody: pwd.struct_passwd) -> list[str]:
    """Run as that account, which may pass the folders of root's Python where that one is in a closed home, and nothing more."""
    identity = [f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
    return ["setpriv", *identity, "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]


def started(process: subprocess.Popen) -> str:
    line = process.stdout.readline().strip()
    assert line, process.stderr.read()
    return line


def pid_of(cluster: Cluster) -> int:
    return int((cluster.data / "postmaster.pid").read_text().splitlines()[0])


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])


def gone(pid: int, seconds: float = 20) -> bool:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.05)
    return False


def test_two_processes_that_start_at_once_share_one_server_which_stops_after_the_last(folder):
    with user_of(folder) as first, user_of(folder) as second:
        assert started(first) == started(second)
        pid = pid_of(Cluster(folder))
    assert gone(pid)
    assert embedded.leave(folder, wait_seconds=20)
    assert not (Cluster(folder).data / "postmaster.pid").exists()


def test_the_server_is_not_root_and_listens_on_no_network(folder):
    cluster = embedded.join(folder)
    status = Path(f"/proc/{pid_of(cluster)}/status").read_text()
    assert "\nUid:\t0" not in status
    with psycopg.connect(cluster.conninfo()) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
    assert cluster.password_file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("victim", ["postgres", "supervisor", "both"])
def test_after_a_kill_the_next_user_starts_it_again_with_the_data(folder, victim):
    with user_of(folder) as first:
        started(first)
        cluster = Cluster(folder)
        with psycopg.connect(cluster.conninfo(), autocommit=True) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        pid = pid_of(cluster)
        supervisor = parent_of(pid)
        if victim in {"supervisor", "both"}:
            os.kill(supervisor, signal.SIGKILL)
        if victim in {"postgres", "both"}:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        assert gone(supervisor)
        with user_of(folder) as second:
            started(second)
            assert pid_of(cluster) != pid
            with psycopg.connect(cluster.conninfo()) as connection:
                assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_a_stale_pid_file_that_names_a_stranger_is_set_aside(folder):
    with user_of(folder) as first:
        started(first)
    cluster = Cluster(folder)
    assert embedded.leave(folder, wait_seconds=20)
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        (cluster.data / "postmaster.pid").write_text(f"{stranger.pid}\n{cluster.data}\n0\n5432\n{cluster.sockets}\n\n0 0\n")
        with user_of(folder) as second:
            started(second)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_cluster_that_was_half_made_is_made_again(folder):
    cluster = Cluster(folder)
    cluster.data.mkdir(parents=True)
    (cluster.data / "PG_VERSION").write_text("18")
    (cluster.data / "left-over").touch()
    with user_of(folder) as user:
        started(user)
        assert (cluster.data / "global" / "pg_control").exists() and not (cluster.data / "left-over").exists()


@pytest.mark.skipif(not IS_ROOT, reason="as an ordinary user every other test here is this test")
def test_an_ordinary_user_runs_it_under_their_own_account(folder):
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    wheel = folder / "wheel"  # this clone may lie in a folder that is closed to others; theirs would not
    (embedded.copy_installation(embedded.wheel_installation(), wheel).parent / "__init__.py").touch()
    environment = {**os.environ, "HOME": str(folder), "PYTHONPATH": str(wheel)}
    with user_of(folder, prefix=as_nobody(nobody), env=environment) as user:
        started(user)
        pid = pid_of(Cluster(folder))
        assert f"\nUid:\t{nobody.pw_uid}\t" in Path(f"/proc/{pid}/status").read_text()
    assert gone(pid)


@pytest.mark.skipif(not IS_ROOT, reason="only root hands the server to another account")
def test_a_project_folder_that_the_account_cannot_reach_is_left_closed(folder):
    folder.chmod(0o700)
    with user_of(folder) as user:
        started(user)
        cluster = Cluster(folder)
        assert cluster.home == cluster.machine_home
        assert folder.stat().st_mode & 0o777 == 0o700
    assert embedded.leave(folder, wait_seconds=20)


@pytest.mark.skipif(not IS_ROOT, reason="only root keeps clusters outside of the project")
def test_the_clusters_of_vanished_projects_are_forgotten(folder, monkeypatch, tmp_path):
    monkeypatch.setattr(embedded, "MACHINE_HOME", tmp_path)
    for name, project in (("kept", folder), ("gone", folder / "no-more")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "project").write_text(str(project))
    embedded.forget_vanished_projects()
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_a_copied_installation_finds_its_libraries(tmp_path):
    copy = embedded.copy_installation(embedded.wheel_installation(), tmp_path / "wheel")
    for binary in ("initdb", "postgres"):
        ran = subprocess.run([copy / "bin" / binary, "--version"], capture_output=True, text=True, env={})
        assert "PostgreSQL" in ran.stdout, ran.stderr
    assert copy.is_relative_to(tmp_path)
