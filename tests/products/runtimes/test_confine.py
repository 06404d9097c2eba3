"""A model's worker is cut off: what it tries is refused by the kernel, while models go on running."""

from __future__ import annotations

import ctypes
import platform
import socket
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

ROOT = Path(__file__).parents[3]
HAS_LANDLOCK = sys.platform == "linux" and ctypes.CDLL(None).syscall(444, None, 0, 1) >= 1
KNOWN = sys.platform == "linux" and platform.machine() in ("x86_64", "aarch64")

# A worker as the nursery forks it, with a release whose model tries what its ask says.
WORKER = """
import json, os, socket, sys
from products.runtimes import base, worker
worker._configure()
import products.runtimes.model as model
class Curious:
    def __init__(self, release): pass
    def run(self, body, at):
        try:
            exec(body)
            found = "done"
        except OSError as error:
            found = type(error).__name__
        return base.RunResult(output={"found": found}, units={})
model.ModelRuntime = Curious
worker._work(socket.socket(fileno=int(sys.argv[1])))
"""


class Cell:
    def __init__(self, *inherited: int) -> None:
        self.inherited = inherited
        ours, theirs = socket.socketpair()
        ours.settimeout(60)
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", WORKER, str(theirs.fileno())],
            pass_fds=[theirs.fileno(), *inherited], cwd=ROOT, env={"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"},
        )  # fmt: skip
        theirs.close()
        self.ours, self.replies = ours, ours.makefile("rb")
        release = {
            "product_code": "x",
            "version": 1,
            "type": "model",
            "config": {},
            "artifact": b"",
            "input_schema": {},
            "output_schema": {},
        }
        limits = {"seconds": 20, "memory_mb": 256, "load_seconds": 20}
        self.locks = self.ask({"release": release, "limits": limits, "language": "en"})["locks"]

    def ask(self, message: dict) -> dict:
        data = msgspec.msgpack.encode(message)
        self.ours.sendall(len(data).to_bytes(4, "big") + data)
        return msgspec.msgpack.decode(self.replies.read(int.from_bytes(self.replies.read(4), "big")))

    def tries(self, code: str) -> str:
        return self.ask({"body": code, "at": "2026-05-10T12:00:00+08:00"})["output"]["found"]

    def close(self) -> None:
        self.ours.close()
        self.replies.close()
        self.process.wait(10)


@pytest.fixture(scope="module")
def cell(tmp_path_factory):
    with (tmp_path_factory.mktemp("cell") / "secret").open("w+") as secret:
        cell = Cell(secret.fileno())
        yield cell
        cell.close()


@pytest.mark.skipif(not KNOWN, reason="seccomp is set up for Linux on x86_64 and aarch64 only")
@pytest.mark.parametrize(
    "code",
    [
        "socket.socket(socket.AF_INET, socket.SOCK_STREAM)",
        "socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)",
        "socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)",
        "socket.create_connection(('127.0.0.1', 1))",
        "socket.socketpair()",
        "os.fork()",
        "os.execv('/bin/true', ['true'])",
        "__import__('subprocess').run(['/bin/true'])",
        "os.kill(os.getppid(), 0)",
    ],
)
def test_a_model_that_reaches_out_is_refused_by_the_kernel(cell, code):
    assert "calls" in cell.locks and cell.tries(code) == "PermissionError"


@pytest.mark.skipif(not HAS_LANDLOCK, reason="this kernel has no Landlock")
@pytest.mark.parametrize("code", ["open('/etc/passwd')", "os.listdir('/')", "open('/proc/self/environ')", "open('/tmp/gongshu-left-behind', 'w')", "os.mkdir('/dev/shm/gongshu')", f"open({str(ROOT / 'market' / 'settings.py')!r})"])  # fmt: skip
def test_a_model_that_opens_files_is_refused_by_the_kernel(cell, code):
    assert "files" in cell.locks and cell.tries(code) == "PermissionError"


def test_threads_and_late_imports_still_work(cell):
    assert cell.tries("import threading; t = threading.Thread(target=int); t.start(); t.join()") == "done"
    assert cell.tries("import sklearn.neighbors, scipy.stats") == "done"


def test_no_file_of_others_stays_open(cell):
    assert cell.tries(f"os.fstat({cell.inherited[0]})") == "OSError", "it was inherited, and closed"
