"""What may be wrong with an archive as a whole, in words with the cure."""

from __future__ import annotations

import sqlite3

UNREACHED = "See whether the disk has room, and whether its folder may be written."
MOVE_AWAY = "Move it away; the archive itself stays where it is."
REPAIR = "What is whole can still be read; nothing is written. Run: ringback doctor --repair"


class ArchiveTrouble(Exception):
    """The archive cannot be opened; `message` names the file, `hint` the thing to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message, hint)
        self.message, self.hint = message, hint

    def __str__(self) -> str:
        return self.message


class ReadOnlyArchive(ArchiveTrouble):
    """The archive can be read, and nothing be kept in it. `cure`: the command that mends it."""

    cure = ""

    def __init__(self, why: str, hint: str = UNREACHED) -> None:
        super().__init__(f"the archive can only be read: {why}", hint)


class ArchiveDamaged(ReadOnlyArchive):
    """What is in the archive's file is not what was written. Nothing more goes into it."""

    cure = "ringback doctor --repair"

    def __init__(self, what: str) -> None:
        ArchiveTrouble.__init__(self, f"the archive is damaged: {what}", REPAIR)
        self.what = what


class LaterArchive(ArchiveTrouble):
    """A later Ringback made the archive, or changed its tables meanwhile."""

    def __init__(self, version: int, known: int) -> None:
        super().__init__(
            f"a later Ringback made this archive (schema {version}, known {known})",
            "Update Ringback: an older one could lose what the later one keeps.",
        )


TROUBLES = (ArchiveTrouble, sqlite3.Error, OSError)
"""What an archive that opens may raise later: a full disk, a later Ringback's new tables."""
