"""What an archive raises, as a tree under `ArchiveError`, in words with the cure.

Whatever keeps the calls, nothing else leaves it for want of a database, a disk or a call.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager

UNREACHED = "See whether the disk has room, and whether its folder may be written."
MOVE_AWAY = "Move it away; the archive itself stays where it is."
REPAIR = "What is whole can still be read; nothing is written. Run: ringback doctor --repair"


class ArchiveError(Exception):
    """Base of all that an archive raises. `message` says what happened, `hint` the thing to do;
    without a hint the message is the database's or the disk's own, and no sentence by itself.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message, self.hint = message, hint

    def __str__(self) -> str:
        return self.message


class ArchiveUnavailable(ArchiveError):
    """It cannot be reached, opened or written: no such place, no right to it, no room there."""


class ArchiveBusy(ArchiveError):
    """Another writer holds it. Nothing was done; it may be tried again."""


class ArchiveTooNew(ArchiveError):
    """A later Ringback made the archive, or changed its tables meanwhile."""

    def __init__(self, version: int, known: int) -> None:
        super().__init__(
            f"a later Ringback made this archive (schema {version}, known {known})",
            "Update Ringback: an older one could lose what the later one keeps.",
        )


class ArchiveReadOnly(ArchiveError):
    """The archive can be read, and nothing be kept in it. `cure`: the command that mends it."""

    cure = ""

    def __init__(self, why: str, hint: str = UNREACHED) -> None:
        super().__init__(f"the archive can only be read: {why}", hint)


class ArchiveDamaged(ArchiveReadOnly):
    """What is in the archive's file is not what was written. Nothing more goes into it."""

    cure = "ringback doctor --repair"

    def __init__(self, what: str) -> None:
        ArchiveError.__init__(self, f"the archive is damaged: {what}", REPAIR)
        self.what = what


class QueryCancelled(ArchiveError):
    """The query was ended from outside, before it had an answer."""


class StatementRefused(ArchiveError):
    """The archive is well, but will not have one row: a value that it cannot hold, or that
    contradicts another.
    """


class CallNotFound(ArchiveError):
    """A call that is not in the archive, or no more. `key` is the archive's own number of it."""

    def __init__(self, key: int) -> None:
        super().__init__(f"call {key} is not in the archive")
        self.key = key


READING = (
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    OverflowError,
    RecursionError,
    zlib.error,
)
"""What reading a value raises that is not as it was written."""


@contextmanager
def reading(what: str) -> Iterator[None]:
    """What is raised while a value of a row is read means that nobody wrote it so:
    `ArchiveDamaged`.
    """
    try:
        yield
    except READING as error:
        raise ArchiveDamaged(f"{what} cannot be read ({type(error).__name__})") from error
