"""A filter of system calls: those of a process that computes, reads and writes; no others.

By ctypes: what there is on PyPI needs libseccomp, which not every system has, and a filter that
never changes is a table. What is not in it fails with EPERM; there is no way back.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Iterator

_KEPT = {  # x86_64, aarch64
    "read": (0, 63),
    "write": (1, 64),
    "readv": (19, 65),
    "writev": (20, 66),
    "close": (3, 57),
    "fstat": (5, 80),
    "lseek": (8, 62),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "munmap": (11, 215),
    "mremap": (25, 216),
    "brk": (12, 214),
    "madvise": (28, 233),
    "futex": (202, 98),
    "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123),
    "nanosleep": (35, 101),
    "clock_nanosleep": (230, 115),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "gettimeofday": (96, 169),
    "getrusage": (98, 165),
    "getpid": (39, 172),
    "gettid": (186, 178),
    "tgkill": (234, 131),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132),
    "restart_syscall": (219, 128),
    "set_robust_list": (273, 99),
    "rseq": (334, 293),
    "membarrier": (324, 283),
    "getrandom": (318, 278),
    "exit": (60, 93),
    "exit_group": (231, 94),
}
CALLS: dict[str, tuple[int, int, dict[str, int]]] = {
    "x86_64": (0xC000_003E, 317, {name: numbers[0] for name, numbers in _KEPT.items()}),
    "aarch64": (0xC000_00B7, 277, {name: numbers[1] for name, numbers in _KEPT.items()}),
}
"""By machine: what the kernel calls it, the number of ``seccomp``, the calls that are kept."""

_SET_FILTER, _ALL_THREADS = 1, 1
_LOAD, _IF_EQUAL, _IF_SET, _RETURN = 0x20, 0x15, 0x45, 0x06
_ALLOW, _KILL = 0x7FFF_0000, 0x8000_0000
_REFUSE = 0x0005_0000 | errno.EPERM
_AT_CALL, _AT_MACHINE, _AT_FIRST, _AT_THIRD = 0, 4, 16, 32  # in the kernel's struct seccomp_data
_PROT_EXEC = 4
_STEP = struct.Struct("HBBI")


def program(machine: str, pid: int) -> bytes:
    """The filter, as the kernel reads it. Raises `KeyError` for a machine that is not known.

    Memory never becomes code, and a signal goes to `pid` alone, which is how `abort` ends.
    """
    return b"".join(_STEP.pack(*step) for step in _steps(machine, pid))


def _steps(machine: str, pid: int) -> Iterator[tuple[int, int, int, int]]:
    arch, _, numbers = CALLS[machine]
    yield _LOAD, 0, 0, _AT_MACHINE
    yield _IF_EQUAL, 1, 0, arch
    yield _RETURN, 0, 0, _KILL
    yield _LOAD, 0, 0, _AT_CALL
    for name, number in numbers.items():
        if name in ("mmap", "mprotect"):
            yield _IF_EQUAL, 0, 4, number
            yield _LOAD, 0, 0, _AT_THIRD
            yield _IF_SET, 1, 0, _PROT_EXEC
            yield _RETURN, 0, 0, _ALLOW
            yield _RETURN, 0, 0, _REFUSE
        elif name == "tgkill":
            yield _IF_EQUAL, 0, 4, number
            yield _LOAD, 0, 0, _AT_FIRST
            yield _IF_EQUAL, 0, 1, pid
            yield _RETURN, 0, 0, _ALLOW
            yield _RETURN, 0, 0, _REFUSE
        else:
            yield _IF_EQUAL, 0, 1, number
            yield _RETURN, 0, 0, _ALLOW
    yield _RETURN, 0, 0, _REFUSE


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_char_p))


def filter_calls() -> None:
    """For this process and all its threads. Raises `OSError` where it cannot be.

    The process must have given up new privileges.
    """
    machine = platform.machine()
    if machine not in CALLS or struct.calcsize("P") != 8:
        raise OSError(errno.ENOSYS, f"not known for {machine}")
    steps = program(machine, os.getpid())
    what = _Program(len(steps) // _STEP.size, steps)
    libc = ctypes.CDLL(None, use_errno=True)
    words = map(ctypes.c_long, (CALLS[machine][1], _SET_FILTER, _ALL_THREADS))
    if libc.syscall(*words, ctypes.byref(what)):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
