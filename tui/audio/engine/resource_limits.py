"""How much memory and time a process may have that decodes, by the system's own limits."""

from __future__ import annotations

import math
import sys
import time
from contextlib import suppress

if sys.platform != "win32":
    import resource

MEMORY = 64 << 20
"""Bytes that a process may take for itself, beyond the libraries it has loaded."""
STEP_S, STEP_S_A_MB = 20.0, 10.0
"""Seconds of the processor for one step, and for each megabyte of the recording besides: some
ten times of what a slow machine needs."""

_USUAL = 16_000_000  # bytes of a recording that still comes
_NONE = ("CORE", "FSIZE", "MEMLOCK", "MSGQUEUE", "NOFILE", "NPROC")


def limit(memory: int) -> None:
    """A limit that is lower already stays."""
    for name, value in {"DATA": memory, **dict.fromkeys(_NONE, 0)}.items():
        if (which := getattr(resource, f"RLIMIT_{name}", None)) is not None:
            hard = resource.getrlimit(which)[1]
            least = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(which, (least, least))
    allow_time()


def allow_time(pid: int = 0, size: int | None = None) -> None:
    """Let a process, 0 for this one, have the processor for one more step of a recording of
    `size` bytes; after that the system ends it.

    Linux alone can do it for another process; elsewhere each does it for itself.
    """
    if sys.platform == "win32":
        return
    step_s = STEP_S + STEP_S_A_MB * (_USUAL if size is None else size) / 1e6
    with suppress(OSError, ValueError):  # one that is gone needs none
        if pid == 0:
            hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
            limits = _until(time.process_time() + step_s, hard), hard
            resource.setrlimit(resource.RLIMIT_CPU, limits)
        elif sys.platform == "linux":
            used_s = time.clock_gettime(~pid << 3 | 2)  # the kernel's name of another's clock
            hard = resource.prlimit(pid, resource.RLIMIT_CPU)[1]
            resource.prlimit(pid, resource.RLIMIT_CPU, (_until(used_s + step_s, hard), hard))


def _until(second: float, hard: int) -> int:
    whole = math.ceil(second)
    return whole if hard == resource.RLIM_INFINITY else min(whole, hard)


def peak_mb() -> float:
    """The most memory that this process has had, in MB; 0 where nobody counts."""
    if sys.platform == "win32":
        return 0.0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1 << 20 if sys.platform == "darwin" else 1 << 10)
