"""The one place where a command writes: what people read is made safe for a terminal on its way.

`print` is called nowhere else in the program. What cannot be written on standard error is dropped,
for the exit code says it all the same; standard output raises OSError, for it is what was asked
for.
"""

from __future__ import annotations

import sys
from collections.abc import Collection
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from providers.sanitize import safe_text

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import Console

    from tui.exit_codes import CommandError

LONGEST = 1_000_000
"""Characters of one text: a whole page of a call fits."""
LONG_LINE = 5000
"""Characters of one text on standard error; the longest note goes into it."""
_ERASE = "\r\x1b[K"


class Sink(Protocol):
    """Where data goes, piece by piece."""

    def write(self, text: str, /) -> object: ...


def print_text(text: object = "", *, flush: bool = False) -> None:
    """A text for people on standard output, in a pipe as well: it may end in a terminal."""
    print(safe_text(text, LONGEST, multiline=True), flush=flush)


def print_error(text: object, limit: int = LONG_LINE) -> None:
    """A text for people on standard error."""
    with suppress(OSError):
        print(safe_text(text, limit, multiline=True), file=sys.stderr, flush=True)


def print_failure(error: CommandError, told: Collection[str] = ()) -> None:
    """Why a command ended, unless that was told before, and the thing to do."""
    if error.message not in told:
        print_error(f"ringback: {error.message}")
    for line in error.hint.splitlines():
        print_error(line)


def print_data(text: str) -> None:
    """JSON or CSV on standard output: in a pipe as it is, on a terminal made safe for it."""
    data_sink().write(f"{text}\n")


def data_sink() -> Sink:
    """Standard output for JSON or CSV in pieces: see `print_data`."""
    return _SafeSink(sys.stdout) if sys.stdout.isatty() else sys.stdout


def clear_screen() -> None:
    """An empty terminal, on which is printed from the top."""
    if sys.stdout.isatty():
        print("\x1b[H\x1b[2J", end="", flush=True)


def redraw(line: str) -> None:
    """A text in place of the line of the terminal where the cursor stands, and stay on it."""
    print(f"{_ERASE}{safe_text(line)}", end="", flush=True)


def bars_console() -> Console:
    """Where rich draws progress: standard error. What it is given must be safe already."""
    from rich.console import Console

    return Console(stderr=True)


def tell_safely() -> None:
    """Let what nobody expected be told by `print_traceback`, in a thread as well, unless somebody
    else does.
    """
    import threading

    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = print_traceback
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = lambda args: print_traceback(
            args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback
        )


def print_traceback(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """As Python's own of an error that nobody expected: its words may be a vendor's, or quote."""
    from traceback import format_exception

    from tui.log import scrub

    print_error(scrub("".join(format_exception(kind, error, trace)).rstrip()), LONGEST)


class _SafeSink:
    def __init__(self, terminal: Sink) -> None:
        self._terminal = terminal

    def write(self, text: str, /) -> None:
        self._terminal.write(safe_text(text, len(text), multiline=True))
