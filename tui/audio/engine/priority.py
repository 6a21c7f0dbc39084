"""The engine before others: sound cannot wait, and needs little. Who measures comes last.

Root may ask for it, and others as far as the system's limits say (``ulimit -e``; Debian's group
``audio`` has such limits where jackd or pipewire set them). Elsewhere it stays as it is.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress

_WISHED = -11  # as PulseAudio and PipeWire run themselves
_LATER = 10


def raise_priority() -> bool:
    """For this thread, and the threads and processes it starts; whether the system allowed it."""
    return sys.platform != "win32" and any(map(_set, (_WISHED, _WISHED // 2, -1)))


def yield_priority() -> None:
    """For a process whose work can wait."""
    if sys.platform != "win32":
        _set(_LATER)


def _set(nice: int) -> bool:
    """On Linux a thread has a niceness of its own, elsewhere this would be the process's."""
    if sys.platform == "win32":
        return False
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, nice)
        return True
    return False
