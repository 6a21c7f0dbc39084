"""The archive: the local store of calls that the screen and the command line read.

SQL stands in this package alone. `Archive` is one SQLite connection; each thread opens its
own. Several Ringbacks may share one archive (WAL, short write transactions).
"""

import sqlite3

from tui.archive.archive import Archive, Saved
from tui.archive.rows import RowList
from tui.archive.syncs import AccountState, Walk
from tui.archive.troubles import UNREACHED, ArchiveDamaged, ArchiveTrouble, ReadOnlyArchive

__all__ = [
    "TROUBLES",
    "UNREACHED",
    "AccountState",
    "Archive",
    "ArchiveDamaged",
    "ArchiveTrouble",
    "ReadOnlyArchive",
    "RowList",
    "Saved",
    "Walk",
]

TROUBLES = (ArchiveTrouble, sqlite3.Error, OSError)
"""What an archive that opens may raise later: a full disk, a later Ringback's new tables."""
