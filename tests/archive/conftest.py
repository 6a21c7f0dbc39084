from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tui.archive.errors import ArchiveReadOnly
from tui.archive.sqlite import connection
from tui.archive.sqlite.damage import WatchedConnection


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[sqlite3.Connection]:
    """The connections of the archives that the test opens, in that order."""
    opened: list[sqlite3.Connection] = []

    def connect(path: Path) -> tuple[WatchedConnection, ArchiveReadOnly | None]:
        found = connection.connect(path)
        opened.append(found[0])
        return found

    monkeypatch.setattr("tui.archive.sqlite.archive.connect", connect)
    return opened
