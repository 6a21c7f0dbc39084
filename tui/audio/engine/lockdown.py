"""A process that can do nothing but compute what it is sent and answer: no files, no network.

For whoever decodes: a recording is a stranger's file in FFmpeg's hands. What the system does not
have is left out and told; each part holds without the others. There is no way back.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable

from tui.audio.engine.landlock import refuse_files_and_network
from tui.audio.engine.resource_limits import MEMORY, limit
from tui.audio.engine.seccomp import filter_calls

_NO_NEW_PRIVILEGES = 38
_NOT_HERE = f"not on {sys.platform}"

Held = dict[str, str]
"""What was asked for: why it does not hold, or nothing where it does."""


def lock_down(memory: int = MEMORY) -> Held:
    """For this process, which has one thread and has loaded what it needs.

    `memory`: bytes that it may take for itself, beyond the libraries that are loaded.
    """
    linux, unix = sys.platform == "linux", sys.platform != "win32"
    parts: dict[str, tuple[bool, Callable[[], object]]] = {
        "no new privileges": (linux, give_up_privileges),
        "no files, no network (Landlock)": (linux, refuse_files_and_network),
        "memory and time limited": (unix, lambda: limit(memory)),
        "few system calls (seccomp)": (linux, filter_calls),  # the last, for it forbids the others
    }
    return {name: _try(part) if can else _NOT_HERE for name, (can, part) in parts.items()}


def _try(part: Callable[[], object]) -> str:
    try:
        part()
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or str(error) or "refused"
    return ""


def give_up_privileges() -> None:
    """For good, this process and those it starts. Raises `OSError`."""
    one, nothing = ctypes.c_ulong(1), ctypes.c_ulong(0)
    if ctypes.CDLL(None).prctl(_NO_NEW_PRIVILEGES, one, nothing, nothing, nothing):
        raise OSError("refused")
