"""Questions on the terminal, before what cannot be taken back."""

from __future__ import annotations

import sys

from tui.console import print_text
from tui.exit_codes import CommandError, ExitCode


def ask_before(refused: str, what: str, question: str) -> None:
    """Say what would go, and go on only after a yes.

    Raises `CommandError`: without a terminal to ask on (`refused` says what was not done), and
    after any other answer.
    """
    if not sys.stdin.isatty():
        raise CommandError(
            refused, f"{what}\nWithout a terminal to ask on, add --yes.".lstrip(), ExitCode.USAGE
        )
    if not says_yes(what, question):
        raise CommandError("nothing was removed", code=ExitCode.FAILED)


def says_yes(what: str, question: str) -> bool:
    """Ask on the terminal; only a yes is one."""
    print_text(what)
    try:
        answer = input(f"{question} [y/N] ")
    except EOFError:
        answer = ""
    return answer.strip().lower() in ("y", "yes")
