"""How a command ends."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of every command."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    PARTLY = 3
    """Part of it failed; the rest is kept."""
    TOKEN = 4
    """A token is missing or refused."""


class CommandError(Exception):
    """Ends a command: what happened, the thing to do, and the exit code."""

    def __init__(self, message: str, hint: str = "", code: ExitCode = ExitCode.FAILED) -> None:
        super().__init__(message)
        self.message, self.hint, self.code = message, hint, code


def archive_error(error: Exception) -> CommandError:
    """What the archive raises (`tui.archive.errors`) or the disk, as commands and the screen
    say it.
    """
    if hint := getattr(error, "hint", ""):
        return CommandError(str(error), hint)
    return CommandError(f"the archive: {error}", "What was kept before stays.")
