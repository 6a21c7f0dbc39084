"""What SQLite and the disk say becomes an `ArchiveError`; damage is remembered beside the file.

`WatchedConnection` turns every error of SQLite into one of `tui.archive.errors`, and what it says
of a damaged file into `ArchiveDamaged`. From the first such sign on nothing is written: a small
file beside the archive (its mark) tells every connection, those of other processes too. It names
the file that it is about, so that another one put in its place is not held to be damaged.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from providers.errors import reason
from tui.archive.errors import (
    ArchiveBusy,
    ArchiveDamaged,
    ArchiveError,
    ArchiveTooNew,
    ArchiveUnavailable,
    QueryCancelled,
    StatementRefused,
)
from tui.archive.sqlite.migrations import MIGRATIONS, is_plausible, lacks
from tui.config.paths import atomic_write, read_file

_SIGNS = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT}
"""What SQLite says of a damaged file, in the lower byte of its code."""
_ERRORS: Mapping[int, type[ArchiveError]] = {
    sqlite3.SQLITE_BUSY: ArchiveBusy,
    sqlite3.SQLITE_LOCKED: ArchiveBusy,
    sqlite3.SQLITE_INTERRUPT: QueryCancelled,
    sqlite3.SQLITE_CANTOPEN: ArchiveUnavailable,
    sqlite3.SQLITE_FULL: ArchiveUnavailable,
    sqlite3.SQLITE_IOERR: ArchiveUnavailable,
    sqlite3.SQLITE_READONLY: ArchiveUnavailable,
}
"""What else it says there, as the archive raises it."""
_WHOLE = (sqlite3.DatabaseError, sqlite3.OperationalError)
"""Its errors of these very kinds are of the whole archive, all others of one statement."""
_GONE = ("no such table: ", "no such column: ", " has no column named ", "no such index: ")
"""What it says of a table that is not there."""
_NO_TEXT = "Could not decode to UTF-8"
_ODD = ("malformed JSON", "user-defined function raised")
"""What it says of a value that nobody wrote so; alone it is no reason to write nothing more."""
_LOOK_S = 2.0
_LOOK_STEPS = 100_000


# -- the mark


class Mark(NamedTuple):
    """What was found, in words; where a repair has kept the damaged file already; and which file
    it is about (device and inode).
    """

    what: str
    at: float
    file: tuple[int, int]
    kept: str = ""


def mark_of(path: Path) -> Path:
    """Where an archive's mark is."""
    return path.with_name(f"{path.name}.damaged")


def identity(path: Path) -> tuple[int, int] | None:
    """Which file this is, whatever its name; None: there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def marked(path: Path) -> Mark | None:
    """The mark of this very file. One look where there is none."""
    place = mark_of(path)
    try:
        if not place.exists():
            return None
        found = json.loads(read_file(place))
        mark = Mark(found["what"], found["at"], tuple(found["file"]), found["kept"])
    except OSError:
        return None
    except (ValueError, TypeError, KeyError):  # it was being written: better too careful
        return Mark("it was found damaged before", 0.0, identity(path) or (0, 0))
    return mark if mark.file == identity(path) else None


def put_mark(path: Path, what: str, kept: str = "") -> None:
    """Remember that the file is damaged; a disk that takes nothing keeps no mark either."""
    file = identity(path)
    with suppress(OSError):
        if file:
            atomic_write(mark_of(path), json.dumps(Mark(what, time.time(), file, kept)._asdict()))


def remove_mark(path: Path) -> None:
    mark_of(path).unlink(missing_ok=True)


# -- what SQLite and the disk say


@contextmanager
def disk_errors() -> Iterator[None]:
    """What the disk refuses meanwhile becomes `ArchiveUnavailable`."""
    try:
        yield
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise ArchiveUnavailable(f"{where}{reason(error)}") from error


def translated(error: sqlite3.Error) -> ArchiveError:
    """SQLite's error as the archive raises it, in SQLite's words; damage is not looked for."""
    if type(error) not in _WHOLE:
        return StatementRefused(str(error))
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return _ERRORS.get(code, ArchiveError)(str(error))


def is_sign(error: sqlite3.Error) -> bool:
    """Whether SQLite says by this that the file is damaged."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _SIGNS


class WatchedCursor(sqlite3.Cursor):
    """A cursor that raises the archive's errors, also where they are met row by row."""

    connection: WatchedConnection

    def fetchone(self) -> Any:
        try:
            return super().fetchone()
        except sqlite3.Error as error:
            self.connection.tell(error)

    def fetchall(self) -> list[Any]:
        try:
            return super().fetchall()
        except sqlite3.Error as error:
            self.connection.tell(error)

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        try:
            yield from iter(super().fetchone, None)
        except sqlite3.Error as error:
            self.connection.tell(error)


class WatchedConnection(sqlite3.Connection):
    """A connection to the archive at `path`, which its maker sets."""

    path: Path | None = None
    _damage: ArchiveDamaged | None = None
    _looked = False

    def execute(self, *args: Any) -> sqlite3.Cursor:
        try:
            return self.cursor(WatchedCursor).execute(*args)
        except sqlite3.Error as error:
            self.tell(error)

    def executemany(self, *args: Any) -> sqlite3.Cursor:
        try:
            return self.cursor(WatchedCursor).executemany(*args)
        except sqlite3.Error as error:
            self.tell(error)

    @property
    def in_transaction(self) -> bool:
        try:
            return super().in_transaction
        except sqlite3.Error as error:
            self.tell(error)

    def set_progress_handler(self, *args: Any) -> None:
        try:
            super().set_progress_handler(*args)
        except sqlite3.Error as error:
            self.tell(error)

    @property
    def damage(self) -> ArchiveDamaged | None:
        """What was found here, or by another connection, since this one was opened."""
        if self._damage is None and self.path and (mark := marked(self.path)):
            self.found(mark.what)
        return self._damage

    def found(self, what: str) -> ArchiveDamaged:
        """Remember what is damaged, and read on as well as it goes."""
        if self._damage is None:
            self._damage = ArchiveDamaged(what)
            self.text_factory = lenient
            if self.path and not marked(self.path):
                put_mark(self.path, what)
        return ArchiveDamaged(what)

    def tell(self, error: sqlite3.Error) -> NoReturn:
        """Raise SQLite's error as the archive's."""
        raise self._found_behind(error) or translated(error) from error

    def _found_behind(self, error: sqlite3.Error) -> ArchiveError | None:
        """What is wrong with the archive itself, where the error is a sign of that."""
        said = str(error)
        if is_sign(error):
            return self.found(said)
        if said.startswith(_NO_TEXT):  # who calls it is in the rest of it
            return self.found("a text in it is not UTF-8")
        if said.startswith(_ODD):
            return ArchiveDamaged(said)
        if isinstance(error, sqlite3.OperationalError) and any(word in said for word in _GONE):
            return self._changed()
        if isinstance(error, sqlite3.IntegrityError) and (what := self._look()):
            return self.found(what)
        return None

    def _changed(self) -> ArchiveError | None:
        """A table or column is not there: a later Ringback took it away, or it is damage."""
        version = int(self.execute("PRAGMA user_version").fetchone()[0])
        if version > len(MIGRATIONS) and is_plausible(version):
            return ArchiveTooNew(version, len(MIGRATIONS))
        missing = lacks(self)
        return self.found(f"{missing} is not in it") if missing else None

    def _look(self) -> str:
        """What a short look finds wrong with the file, if anything; one look a connection."""
        if self._looked:
            return ""
        self._looked = True
        until = time.monotonic() + _LOOK_S
        self.set_progress_handler(lambda: time.monotonic() > until, _LOOK_STEPS)
        try:
            row = super().execute("PRAGMA quick_check(1)").fetchone()
        except sqlite3.DatabaseError as error:
            return str(error) if is_sign(error) else ""
        except ArchiveDamaged as error:
            return error.what
        finally:
            self.set_progress_handler(None, 0)
        return "" if row == ("ok",) else str(row[0])


def lenient(text: bytes) -> str:
    """Text as SQLite's own, or nearly: in a damaged archive a letter may not be one."""
    return text.decode("utf-8", "replace")
