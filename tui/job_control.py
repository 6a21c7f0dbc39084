"""A job that is stopped, as by ctrl+z in a shell, and goes on. Windows has no jobs."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress

GRACE_S = 0.1
"""Who ends a stopped job continues it for that, and the signal may come a moment later."""


def stop_job() -> bool:
    """Stop this job's processes, as the terminal does at ctrl+z, until somebody continues them.

    False: it was not stopped, for no shell is there that could continue it.
    """
    continued: list[int] = []
    handlers = ((signal.SIGTSTP, signal.SIG_DFL), (signal.SIGCONT, lambda *_: continued.append(1)))
    before = [(number, signal.signal(number, handler)) for number, handler in handlers]
    try:
        os.kill(0, signal.SIGTSTP)
    finally:
        for number, handler in before:
            signal.signal(number, handler)
    return bool(continued)


def wait_for_foreground(terminal: int, leaving: Callable[[], bool]) -> bool:
    """Be stopped for as long as the terminal is another job's (`bg` continues what may not use
    it), or until this one is `leaving`. False: it will never be ours, or nobody wants it any more.
    """
    while not leaving() and not is_ours(terminal):
        time.sleep(GRACE_S)
        if not (leaving() or stop_job()):
            return False
    return not leaving()


def is_ours(terminal: int) -> bool:
    """Whether this job may use the terminal now."""
    with suppress(OSError):  # not the terminal of any job: anybody may use it
        # 0: a job that cannot be seen from in here
        return os.tcgetpgrp(terminal) in (os.getpgrp(), 0)
    return True
