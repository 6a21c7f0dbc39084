"""The archive in SQLite keeps what `tui.archive.interface` promises."""

from __future__ import annotations

from pathlib import Path

from tests.contract.archive import ArchiveContract
from tui.archive.interface import CallArchive
from tui.archive.sqlite import Archive


class TestSqliteArchive(ArchiveContract):
    def open(self, folder: Path) -> CallArchive:
        return Archive(folder / "archive.db")

    def open_read_only(self, folder: Path) -> CallArchive:
        return Archive(folder / "archive.db", only_read=True)

    def ask_for_long(self, archive: CallArchive) -> None:
        assert isinstance(archive, Archive)
        archive._db.execute("SELECT count(*) FROM call, call, call, call").fetchone()
