"""The three standard streams, whatever the caller closed of them."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TextIO

_STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))


def open_closed() -> None:
    """Let a closed stream be the null device (`<&-`, `>&-`, `2>&-`): nothing comes from it, and
    nobody wants what goes there.

    Its number is taken as well, lest a file of ours get it, and what a library prints.
    """
    for number, (name, mode) in enumerate(_STREAMS):
        if getattr(sys, name) is not None:
            continue
        try:
            os.fstat(number)
            handle = os.open(os.devnull, os.O_RDWR)  # another file has that number already
        except OSError:
            handle = os.open(os.devnull, os.O_RDWR)  # the lowest that is free: this one
            os.set_inheritable(handle, True)
        setattr(sys, name, open(handle, mode, encoding="utf-8", errors="replace"))  # noqa: SIM115


def draw_on_terminal() -> None:
    """Textual draws on standard error: let that be the terminal of standard output where it is
    none (`2>log`, `2>&-`), so that what goes there is not the screen.
    """
    if not (sys.__stderr__ and sys.__stderr__.isatty()):
        sys.__stderr__ = sys.__stdout__  # type: ignore[misc]


def end(stream: TextIO) -> bool:
    """Whether all that was printed has gone. What cannot go is dropped, for Python would
    complain of it at its exit, with a code of its own.
    """
    try:
        stream.flush()
        return True
    except (OSError, ValueError):
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return False
