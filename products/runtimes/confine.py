"""Cutting a model's worker off: no sockets, no other programs, no files but those of Python, before the release's bytes are read.

Two locks of the Linux kernel, both without privileges and for good: seccomp refuses the system calls that reach out, Landlock
refuses every path outside the Python installation and all writing. Called in the forked worker; what the kernel does not have
is left out and said by ``confine``'s answer. A network namespace of its own is not made: seccomp refuses sockets of any
kind, in containers too, where namespaces are often forbidden.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import struct
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

EPERM = 1
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000 | EPERM, 0x80000000
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_CLONE_THREAD = 0x00010000

# System calls that reach outside the process: numbers of x86_64 and aarch64 (asm/unistd).
_CALLS: dict[str, tuple[int, int]] = {
    "socket": (41, 198),
    "socketpair": (53, 199),
    "connect": (42, 203),
    "bind": (49, 200),
    "listen": (50, 201),
    "accept": (43, 202),
    "accept4": (288, 242),
    "execve": (59, 221),
    "execveat": (322, 281),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kill": (62, 129),
    "tkill": (200, 130),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "mount": (165, 40),
    "unshare": (272, 97),
    "setns": (308, 268),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "open_by_handle_at": (304, 265),
    "keyctl": (250, 219),
    "add_key": (248, 217),
}
_CLONE, _CLONE3 = (56, 220), (435, 435)
_ONLY_X86 = {"fork": 57, "vfork": 58}
_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_ENOSYS = 38


def confine() -> list[str]:
    """Lock this process in for good; the locks that the kernel gave: ``files`` (Landlock), ``calls`` (seccomp).

    Only for a process with one thread that will load what it needs from the Python installation. Never raises.
    """
    if sys.platform != "linux":
        return []
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        return []
    return [name for name, lock in (("files", _lock_files), ("calls", _lock_calls)) if lock(libc)]


def close_others(keep: Iterable[int]) -> None:
    """Close every open file but 0 to 2 and those kept: no socket or file of the first process stays reachable."""
    kept = {0, 1, 2, *keep}
    for number in [int(path.name) for path in Path("/proc/self/fd").iterdir()]:
        if number not in kept:
            with contextlib.suppress(OSError):
                os.close(number)


def _lock_calls(libc: ctypes.CDLL) -> bool:
    known = _ARCHITECTURES.get(platform.machine())
    if known is None:
        return False
    program = _program(*known)
    code = ctypes.create_string_buffer(program, len(program))
    filter_ = ctypes.create_string_buffer(struct.pack("@HP", len(program) // 8, ctypes.addressof(code)))
    return libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, filter_, 0, 0) == 0


def _program(column: int, architecture: int) -> bytes:
    """A classic BPF program over (call number, architecture, arguments); each instruction is 8 bytes."""
    load = lambda offset: struct.pack("<HBBI", 0x20, 0, 0, offset)  # noqa: E731
    equal = lambda value, yes, no: struct.pack("<HBBI", 0x15, yes, no, value)  # noqa: E731
    give = lambda action: struct.pack("<HBBI", 0x06, 0, 0, action)  # noqa: E731
    has_bits = lambda bits, yes, no: struct.pack("<HBBI", 0x45, yes, no, bits)  # noqa: E731
    at_least = lambda value, yes, no: struct.pack("<HBBI", 0x35, yes, no, value)  # noqa: E731
    refused = [pair[column] for pair in _CALLS.values()]
    code = [load(4), equal(architecture, 1, 0), give(_KILL), load(0)]
    if column == 0:
        refused += list(_ONLY_X86.values())
        code += [at_least(0x40000000, 0, 1), give(_KILL)]  # the x32 numbers, a second door to the same calls
    for number in refused:
        code += [equal(number, 0, 1), give(_REFUSE)]
    # Threads may be made, processes not. clone3 hides its flags behind a pointer: the C library falls back to clone.
    code += [equal(_CLONE3[column], 0, 1), give(0x00050000 | _ENOSYS)]
    code += [equal(_CLONE[column], 0, 3), load(16), has_bits(_CLONE_THREAD, 1, 0), give(_REFUSE)]
    return b"".join([*code, give(_ALLOW)])


_READ = 0b1100  # read a file, list a folder
_MAKES_AND_WRITES = 0b1_1111_1111_1111 & ~_READ
_REFER, _TRUNCATE, _DEVICES = 1 << 13, 1 << 14, 1 << 15


def _lock_files(libc: ctypes.CDLL) -> bool:
    version = libc.syscall(_LANDLOCK_CREATE, None, 0, 1)
    if version < 1:
        return False
    handled = _READ | _MAKES_AND_WRITES
    handled |= (_REFER if version >= 2 else 0) | (_TRUNCATE if version >= 3 else 0) | (_DEVICES if version >= 5 else 0)
    wanted = struct.pack("=Q", handled)
    rules = libc.syscall(_LANDLOCK_CREATE, wanted, len(wanted), 0)
    if rules < 0:
        return False
    try:
        for path in _readable():
            folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
            try:
                libc.syscall(_LANDLOCK_ADD, rules, 1, struct.pack("=Qi", _READ, folder), 0)
            finally:
                os.close(folder)
        return libc.syscall(_LANDLOCK_RESTRICT, rules, 0) == 0
    finally:
        os.close(rules)


def _readable() -> list[str]:
    """Python, its packages, our code, shared libraries; what the kernel says of processors. Not /etc, not /proc, no home."""
    ours = Path(__file__).parents[1]  # the code of this floor, without the site's settings or its data folder
    named = {
        str(ours),
        sys.prefix,
        sys.base_prefix,
        *sysconfig.get_paths().values(),
        *(p for p in sys.path if p.endswith("packages")),
    }
    system = ("/usr/lib", "/usr/local/lib", "/usr/share/zoneinfo", "/lib", "/lib64", "/sys/devices/system/cpu")
    return sorted(path for path in (*named, *system) if Path(path).is_dir())
