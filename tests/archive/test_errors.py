"""What SQLite and the disk say, as the archive raises it."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.archive.calls import call
from tui.archive.errors import (
    ArchiveBusy,
    ArchiveDamaged,
    ArchiveError,
    ArchiveTooNew,
    ArchiveUnavailable,
    CallNotFound,
    QueryCancelled,
    StatementRefused,
)
from tui.archive.sqlite import Archive, decision_backup
from tui.archive.sqlite.damage import disk_errors, translated
from tui.archive.triage_events import note


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive(tmp_path / "archive.db") as opened:
        with opened.transaction():
            opened.save("desk", [call(1), call(2)])
        yield opened


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (sqlite3.SQLITE_BUSY, ArchiveBusy),
        (sqlite3.SQLITE_BUSY | 2 << 8, ArchiveBusy),
        (sqlite3.SQLITE_LOCKED, ArchiveBusy),
        (sqlite3.SQLITE_INTERRUPT, QueryCancelled),
        (sqlite3.SQLITE_FULL, ArchiveUnavailable),
        (sqlite3.SQLITE_IOERR | 19 << 8, ArchiveUnavailable),
        (sqlite3.SQLITE_CANTOPEN, ArchiveUnavailable),
        (sqlite3.SQLITE_READONLY | 1 << 8, ArchiveUnavailable),
        (sqlite3.SQLITE_ERROR, ArchiveError),
    ],
)
def test_each_of_sqlites_codes_is_one_kind_of_error(code: int, kind: type[ArchiveError]) -> None:
    error = sqlite3.OperationalError("its words")
    error.sqlite_errorcode = code
    found = translated(error)
    assert (type(found), str(found), found.hint) == (kind, "its words", "")


@pytest.mark.parametrize("kind", [sqlite3.IntegrityError, sqlite3.ProgrammingError])
def test_what_is_of_one_statement_is_not_of_the_archive(kind: type[sqlite3.Error]) -> None:
    assert type(translated(kind("its words"))) is StatementRefused


def test_a_refused_row_and_a_closed_archive_are_the_archives_errors(archive: Archive) -> None:
    with pytest.raises(StatementRefused, match="UNIQUE") as refused:
        archive._db.execute("INSERT INTO purged VALUES ('desk', '1'), ('desk', '1')")
    assert isinstance(refused.value.__cause__, sqlite3.IntegrityError)
    archive.close()
    for ask in (
        archive.counts_by_account,
        lambda: archive.call_by_id("desk", "1"),
        lambda: archive.key_of("desk", "1") is not None,
    ):
        with pytest.raises(ArchiveError, match="closed"):
            ask()
    archive.cancel()


def test_errors_that_come_row_by_row_are_translated_too(archive: Archive) -> None:
    numbers = "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
    for read in ("fetchall", "__iter__", "fetchone"):
        rows = archive._db.execute(numbers)
        archive._db.set_progress_handler(lambda: True, 1)
        with pytest.raises(QueryCancelled):
            while list(getattr(rows, read)()):
                pass
        archive._db.set_progress_handler(None, 0)


def test_a_query_that_is_ended_says_so(archive: Archive) -> None:
    archive.cancel_when(lambda: True)
    with pytest.raises(QueryCancelled):
        archive._db.execute("SELECT count(*) FROM call, call, call, call, call").fetchall()
        for _ in range(10_000):  # as many steps as there are between two looks
            archive.counts_by_account()


def test_another_writer_is_waited_for_and_then_told(archive: Archive) -> None:
    archive.listening.wait_at_most(0)
    with closing(sqlite3.connect(archive.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(ArchiveBusy, match="locked"), archive.transaction():
            pass
    with archive.transaction():
        pass


def test_tables_of_a_later_ringback_are_told_of(archive: Archive) -> None:
    with closing(sqlite3.connect(archive.path, isolation_level=None)) as later:
        later.execute("PRAGMA user_version = 999")
        later.execute("DROP TABLE name")
    with pytest.raises(ArchiveTooNew, match="schema 999"):
        archive.names("desk")


def test_a_value_that_nobody_wrote_is_damage(archive: Archive) -> None:
    archive._db.execute("UPDATE detail SET body = '{' WHERE key = 1")
    with pytest.raises(ArchiveDamaged):
        archive.call_by_id("desk", "1")


def test_what_the_disk_refuses_names_the_file_and_the_reason() -> None:
    with pytest.raises(ArchiveUnavailable) as found, disk_errors():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/data/archive.db")
    assert str(found.value) == f"/data/archive.db: {os.strerror(errno.ENOSPC)}"
    with pytest.raises(ArchiveUnavailable) as found, disk_errors():
        raise OSError(errno.EIO, os.strerror(errno.EIO))
    assert str(found.value) == os.strerror(errno.EIO)


def test_a_backup_that_cannot_be_written_keeps_a_purge_from_beginning(archive: Archive) -> None:
    archive.triage.append([("desk", "1")], [note("called back")], "anna")
    backup = decision_backup.place_of(archive.path)
    kept = backup.rename(backup.with_suffix(".kept"))
    backup.mkdir()
    for change in (lambda: archive.purge([1]), lambda: archive.remove_account("desk")):
        with pytest.raises(ArchiveUnavailable, match=backup.name):
            change()
    with pytest.raises(ArchiveUnavailable, match=backup.name):
        archive.take_up_backup()
    assert (
        archive.counts_by_account() == {"desk": 2}
        and archive.triage.of("desk", "1").note == "called back"
    )
    backup.rmdir()
    kept.rename(backup)
    assert archive.remove_account("desk") == 2


def test_an_archive_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ArchiveUnavailable, match="file"):
        Archive(tmp_path / "file" / "archive.db")


def test_a_call_that_is_not_here_is_named(archive: Archive) -> None:
    with pytest.raises(CallNotFound) as found:
        archive.keys(after=99, limit=1)
    assert found.value.key == 99 and isinstance(found.value, ArchiveError)
