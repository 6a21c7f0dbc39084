"""Standard input and output of a process that speaks `tui.audio.protocol` there."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import BinaryIO


def take_stdio() -> tuple[BinaryIO, Callable[[bytes], None]]:
    """Where commands come from, and a way to write one packed message at a time, in any thread.

    Standard input is empty from now on; what a library prints goes to the standard error, for
    nothing must come between messages.
    """
    commands = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    lock = threading.Lock()

    def write(message: bytes) -> None:
        with lock:
            view = memoryview(message)
            while view:
                view = view[answers.write(view) :]

    return commands, write
