"""The processes in which models live: ``python -m products.runtimes.worker FD``, started by ``nursery`` only.

The first process imports the libraries once and then only forks: for every socket it is handed over FD, a worker that
has one release and answers on that socket in length-prefixed MessagePack. A worker's limits are set before the release's
bytes are read, so that ``memory_mb`` is what the product itself may take. It has no environment of the site, no database
and no secret, and the kernel lets it open neither sockets nor files outside the Python installation (``confine``).
"""

from __future__ import annotations

import math
import os
import resource
import signal
import socket
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import msgspec


def main(control: socket.socket) -> None:
    """Fork a worker for each socket that comes, and say its process id; end with the other side."""
    _configure()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # ended workers leave no zombies
    while True:
        _data, handed, _flags, _address = socket.recv_fds(control, 1, 1)
        if not handed:
            return
        pid = os.fork()
        if pid == 0:
            try:
                control.close()
                _work(socket.socket(fileno=handed[0]))
            finally:
                os._exit(0)  # nothing of the first process is cleaned up twice
        os.close(handed[0])
        control.sendall(pid.to_bytes(4, "big"))


def _work(channel: socket.socket) -> None:
    from products.runtimes.confine import close_others

    close_others([channel.fileno()])
    asks, replies = channel.makefile("rb"), channel.makefile("wb")
    first = _read(asks)
    model = _load(first, replies) if first else None
    while model is not None and (ask := _read(asks)) is not None:
        _allow_cpu(first["limits"]["seconds"])
        _write(replies, _answer(model, ask))


def _configure() -> None:
    import django
    from django.conf import settings

    # Only for the sentences of refusals; a worker must not read the site's settings.
    settings.configure(USE_I18N=True, INSTALLED_APPS=[], LOCALE_PATHS=[Path(__file__).parents[1] / "locale"])
    django.setup()
    import pandas  # noqa: F401  (imported here once, for every worker that is forked)

    import products.runtimes.model  # noqa: F401


def _load(first: Mapping[str, Any], replies: BinaryIO) -> Any:
    from django.utils import translation

    from products.runtimes.base import ReleaseRefused, ReleaseSpec
    from products.runtimes.confine import confine
    from products.runtimes.model import ModelRuntime

    translation.activate(first["language"])
    _limit(first["limits"]["memory_mb"])
    _allow_cpu(first["limits"]["load_seconds"])
    locks = confine()  # before the release's bytes are looked at
    try:
        model = ModelRuntime(ReleaseSpec(**first["release"]))
    except ReleaseRefused as refusal:
        _write(replies, {"refused": refusal.errors})
        return None
    except MemoryError:
        _write(replies, {"failed": "MemoryError"})
        return None
    except Exception as error:
        # The bytes passed the list of types and yet do not fit together: the file's fault, said by its kind only.
        _write(replies, {"refused": [{"pointer": "/artifact", "message": f"{type(error).__name__}: {error}"}]})
        return None
    _write(replies, {"ready": True, "locks": locks})
    return model


def _answer(model: Any, ask: Mapping[str, Any]) -> dict[str, Any]:
    from products.runtimes.base import InputRefused

    try:
        result = model.run(ask["body"], datetime.fromisoformat(ask["at"]))
    except InputRefused as refusal:
        return {"input": refusal.errors}
    except Exception as error:
        # The kind only: a library's message may repeat the caller's data.
        return {"failed": type(error).__name__}
    return {"output": result.output, "units": result.units}


def _limit(memory_mb: int) -> None:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    top = pages * resource.getpagesize() + memory_mb * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (top, top))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(5)  # the gateway's own work goes first


def _allow_cpu(seconds: int) -> None:
    """Move the soft limit on so that this call alone may use ``seconds``; past it the kernel ends the process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    soft = math.ceil(usage.ru_utime + usage.ru_stime) + seconds + 1
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))


def _read(stream: BinaryIO) -> Any:
    head = stream.read(4)
    if len(head) < 4:
        return None
    return msgspec.msgpack.decode(stream.read(int.from_bytes(head, "big")))


def _write(stream: BinaryIO, value: Any) -> None:
    data = msgspec.msgpack.encode(value)
    stream.write(len(data).to_bytes(4, "big") + data)
    stream.flush()


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
