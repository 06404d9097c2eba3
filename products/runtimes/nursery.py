"""Where workers come from: one process that has scikit-learn imported (it takes seconds) and forks a worker in milliseconds.

One a Python process, started when the first worker is asked for and again if it was lost; it ends with us, whatever way we end,
because its end of the socket closes.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).parents[2]
START_SECONDS = 120

_lock = threading.Lock()
_control: socket.socket | None = None
_first: subprocess.Popen[bytes] | None = None


def spawn() -> tuple[socket.socket, int]:
    """A worker: our end of its socket, and its process id. Blocks, seconds for the first: call it in a thread.

    Raises OSError.
    """
    with _lock:
        try:
            return _spawn()
        except OSError:
            _forget()  # the first process was lost: one more try with a new one
            return _spawn()


def _spawn() -> tuple[socket.socket, int]:
    global _control
    if _control is None:
        _control = _start()
    ours, theirs = socket.socketpair()
    try:
        with theirs:
            socket.send_fds(_control, [b"w"], [theirs.fileno()])
        answer = _control.recv(4, socket.MSG_WAITALL)
        if len(answer) < 4:
            raise ConnectionError("the process that forks workers is gone")
    except BaseException:
        ours.close()
        raise
    return ours, int.from_bytes(answer, "big")


def _start() -> socket.socket:
    global _first
    ours, theirs = socket.socketpair()
    ours.settimeout(START_SECONDS)
    with theirs:
        _first = subprocess.Popen(
            [sys.executable, "-P", "-m", "products.runtimes.worker", str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            pass_fds=[theirs.fileno()],
            start_new_session=True,  # Ctrl-C is for us: calls that run may end
        )
    return ours


def _after_fork() -> None:
    """A fork of ours (a web server's worker) must not share the socket: two readers would take each other's answers."""
    global _lock
    _lock = threading.Lock()
    _forget()


def _forget() -> None:
    global _control
    if _control is not None:
        _control.close()
    _control = None


def end(pid: int) -> None:
    """End a worker that still holds its socket (so the id is still its own)."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _environment() -> dict[str, str]:
    """What a worker may know: where the code is. No key, no database, no proxy; one thread a library (it must fork)."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH") if name in os.environ}
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {**kept, **threads, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}


os.register_at_fork(after_in_child=_after_fork)
