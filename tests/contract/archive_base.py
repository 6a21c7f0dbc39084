"""What the tests of any archive stand on: how one is opened, and an empty one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from providers.model import Call
from tui.archive.interface import CallArchive
from tui.archive.records import Saved


class ArchiveBase:
    """A subclass says how an archive is opened, and how it fails."""

    def open(self, folder: Path) -> CallArchive:
        """The archive that lives in a folder, on a connection of its own; a new one if there is
        none.
        """
        raise NotImplementedError

    def open_read_only(self, folder: Path) -> CallArchive:
        """The same where nothing can be written."""
        raise NotImplementedError

    def ask_for_long(self, archive: CallArchive) -> None:
        """A query that takes long enough to be cancelled."""
        raise NotImplementedError

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return tmp_path

    @pytest.fixture
    def archive(self, folder: Path) -> Iterator[CallArchive]:
        with self.open(folder) as archive:
            yield archive

    @staticmethod
    def keep(archive: CallArchive, *calls: Call, account: str = "desk") -> Saved:
        with archive.transaction():
            return archive.save(account, calls)
