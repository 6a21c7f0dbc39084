"""The one place where a command writes: what people read is made safe for a terminal on its way.

`print` is called nowhere else in the program.
"""

from __future__ import annotations

import sys

from providers.sanitize import safe_text

LONGEST = 1_000_000
"""Characters of one text: a whole page of a call fits."""


def print_text(text: object = "", *, flush: bool = False) -> None:
    """A text for people on standard output, in a pipe as well: it may end in a terminal."""
    print(safe_text(text, LONGEST, multiline=True), flush=flush)


def print_error(text: object, limit: int = 5000) -> None:
    """A text for people on standard error. Raises OSError when it cannot be written."""
    print(safe_text(text, limit, multiline=True), file=sys.stderr, flush=True)


def print_data(text: str) -> None:
    """JSON or CSV on standard output: in a pipe as it is, on a terminal made safe for it."""
    print(safe_text(text, len(text), multiline=True) if sys.stdout.isatty() else text)
