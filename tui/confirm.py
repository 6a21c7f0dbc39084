"""A question on the terminal before something goes for good."""

from __future__ import annotations

import sys

from tui.console import print_text
from tui.exits import CommandError, Exit


def ask_before(refused: str, what: str, question: str) -> None:
    """Say what would go, and go on only after a yes.

    Raises `CommandError`: without a terminal to ask on (`refused` says what was not done), and
    after any other answer.
    """
    if not sys.stdin.isatty():
        raise CommandError(
            refused, f"{what}\nWithout a terminal to ask on, add --yes.".lstrip(), Exit.USAGE
        )
    print_text(what)
    try:
        answer = input(f"{question} [y/N] ")
    except EOFError:
        answer = ""
    if answer.strip().lower() not in ("y", "yes"):
        raise CommandError("nothing was removed", code=Exit.FAILED)
