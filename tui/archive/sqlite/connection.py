"""How the archive's file is opened: to be written, or else to be read as it is.

A full disk and one that may only be read take the files beside the archive from SQLite, and
with them the archive. What is in it can be read all the same.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from tui.archive.errors import (
    MOVE_AWAY,
    UNREACHED,
    ArchiveBusy,
    ArchiveDamaged,
    ArchiveError,
    ArchiveReadOnly,
    ArchiveTooNew,
    ArchiveUnavailable,
)
from tui.archive.sqlite.damage import (
    WatchedConnection,
    disk_errors,
    identity,
    lenient,
    marked,
    translated,
)
from tui.archive.sqlite.migrations import MIGRATIONS, identify, migrate

BUSY_S = 10.0
"""How long another Ringback's transaction is waited for."""


@disk_errors()
def connect(path: Path) -> tuple[WatchedConnection, ArchiveReadOnly | None]:
    """A connection, and why nothing can be written through it; None: it can.

    Makes the file (0600), or migrates it. Raises `ArchiveError`.
    """
    try:
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with suppress(FileExistsError):
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        if not path.is_file():
            raise ArchiveDamaged("it is not a file")
        if mark := marked(path):
            return _damaged(path), ArchiveDamaged(mark.what)
        # SQLite would open it for reading, and say so late. A file that is there is not opened
        # otherwise: to close it would take the locks away of all connections of this process
        if not os.access(path, os.R_OK | os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return _to_write(path), None
    except (OSError, ArchiveUnavailable) as error:
        if not path.is_file() or not path.stat().st_size:
            raise
        if odd := odd_file_beside(path):
            return _read_beside(path, odd)
        found = _to_read(path)
        if found is None:
            raise
        return found, ArchiveReadOnly(_why(path, error))


@disk_errors()
def only_read_it(path: Path) -> tuple[WatchedConnection, ArchiveReadOnly]:
    """A connection that changes no byte, whatever is wrong with the archive. Raises as
    `connect`.
    """
    if not path.is_file():
        raise ArchiveDamaged("it is not a file")
    mark = marked(path)
    return _damaged(path), ArchiveDamaged(mark.what) if mark else ArchiveReadOnly("as asked")


def _to_write(path: Path) -> WatchedConnection:
    """With write-ahead logging and the present schema. While another Ringback makes the same
    archive, SQLite says "locked" at once, whatever the time-out; so it is asked again.
    """
    deadline = time.monotonic() + BUSY_S
    while True:
        before = identity(path)
        made = _open(path, path)
        try:
            made.execute("PRAGMA journal_mode = WAL")
            migrate(made)
            made.execute("PRAGMA synchronous = NORMAL")
            made.execute("PRAGMA foreign_keys = ON")
            if identity(path) == before:  # a repair did not put another in its place meanwhile
                return made
        except ArchiveBusy:
            if time.monotonic() > deadline:
                made.close()
                raise
        except BaseException:
            made.close()
            raise
        made.close()
        time.sleep(0.02)


def _damaged(path: Path) -> WatchedConnection:
    """A damaged archive, for reading what is whole. Raises `ArchiveDamaged`: nothing is."""
    try:
        found = _to_read(path)
    except ArchiveUnavailable as error:
        raise ArchiveDamaged(str(error)) from error
    if found is None:
        raise ArchiveDamaged("it cannot be opened")
    found.text_factory = lenient
    return found


def _to_read(path: Path) -> WatchedConnection | None:
    """The archive as it is, or None. Raises `ArchiveError`: it is of another Ringback."""
    log = path.with_name(f"{path.name}-wal")
    address = path.absolute().as_uri()
    ways = [f"{address}?mode=ro"]
    if log.exists() and log.stat().st_size:
        # what stands in the log belongs to it; an only reader needs no file to find it there
        ways.append(f"{address}?mode=rw")
    else:
        ways.append(f"{address}?mode=ro&immutable=1")
    for way in ways:
        made = _open(path, way, uri=True)
        try:
            if way.endswith("rw"):
                made.execute("PRAGMA locking_mode = EXCLUSIVE")
            made.execute("PRAGMA query_only = ON")
            made.execute("PRAGMA temp_store = MEMORY")
            if (version := identify(made)) == len(MIGRATIONS):
                return made
        except (ArchiveDamaged, ArchiveTooNew):
            made.close()
            raise
        except ArchiveError:
            made.close()
            continue
        except BaseException:
            made.close()
            raise
        made.close()
        raise ArchiveError(
            f"the archive is of another Ringback (schema {version}, known {len(MIGRATIONS)})"
            " and cannot be written now",
            UNREACHED,
        )
    return None


def odd_file_beside(path: Path) -> str:
    """What stands where SQLite keeps a file of its own beside the archive, and is no file:
    ``archive.db-wal is a folder``; empty: nothing.
    """
    for ending in ("-wal", "-shm", "-journal"):
        place = path.with_name(f"{path.name}{ending}")
        if place.is_symlink():
            return f"{place} is a symbolic link"
        if place.exists() and not place.is_file():
            return f"{place} is {'a folder' if place.is_dir() else 'not a file'}"
    return ""


def _read_beside(path: Path, odd: str) -> tuple[WatchedConnection, ArchiveReadOnly]:
    """The archive for reading, beside something odd. Raises `ArchiveError`: it cannot be read."""
    found = None
    with suppress(ArchiveUnavailable, ArchiveBusy, ArchiveDamaged):
        found = _to_read(path)
    if found is None:
        raise ArchiveUnavailable(f"the archive {path} cannot be opened: {odd}", MOVE_AWAY)
    return found, ArchiveReadOnly(odd, MOVE_AWAY)


def _open(path: Path, address: Path | str, **options: Any) -> WatchedConnection:
    try:
        made = sqlite3.connect(
            address, timeout=BUSY_S, isolation_level=None, factory=WatchedConnection, **options
        )
    except sqlite3.Error as error:
        raise translated(error) from error
    made.path = path
    return made


def _why(path: Path, error: Exception) -> str:
    """In words of the disk rather than of SQLite."""
    for place, what in ((path, "file"), (path.parent, "folder")):
        if not os.access(place, os.W_OK):
            return f"its {what} may not be written"
    if hasattr(os, "statvfs") and os.statvfs(path).f_bavail == 0:
        return "the disk is full"
    return str(error)
