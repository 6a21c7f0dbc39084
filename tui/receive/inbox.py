"""A folder of what was received and is not in the archive yet."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import NamedTuple

from tui.config.paths import read_file, sync_folder

MOST_BODIES = 2000
MOST_BYTES = 64_000_000
"""More than these are refused until some have been brought into the archive."""
MOST_UNREADABLE = 200
"""Bodies without a call that are set aside, the latest; for whoever wonders what was sent."""
_ASIDE = "unreadable"


class Full(Exception):
    """There is no room for more."""


class Received(NamedTuple):
    """One body as it was sent."""

    path: Path
    account: str


class Inbox:
    """Files named by when they came and for which account; each is whole or not there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = count()
        folder.mkdir(0o700, parents=True, exist_ok=True)
        self._bodies = self._bytes = 0
        for one in self.pending():
            self._bodies += 1
            self._bytes += one.path.stat().st_size

    def put(self, account: str, body: bytes) -> None:
        """Keep a body; it is on the disk when this returns. Raises `Full`, OSError."""
        if self._bodies >= MOST_BODIES or self._bytes + len(body) > MOST_BYTES:
            raise Full
        name = f"{time.time_ns():020d}-{os.getpid()}-{next(self._numbers)}.{account}"
        part = self._folder / f".{name}"
        try:
            with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            part.rename(self._folder / name)
        except OSError:
            with suppress(OSError):
                part.unlink()
            raise
        sync_folder(self._folder)
        self._bodies, self._bytes = self._bodies + 1, self._bytes + len(body)

    def pending(self) -> Iterator[Received]:
        """What waits, the oldest first."""
        for path in sorted(self._folder.iterdir()):
            if path.is_file() and not path.name.startswith("."):
                yield Received(path, path.name.partition(".")[2])

    def read(self, one: Received) -> bytes:
        """Raises OSError."""
        return read_file(one.path)

    def remove(self, one: Received) -> None:
        """It is in the archive."""
        size = one.path.stat().st_size
        one.path.unlink()
        self._bodies, self._bytes = self._bodies - 1, self._bytes - size

    def set_aside(self, one: Received) -> None:
        """It holds no call; it stays in a folder of its own, the oldest of which go."""
        aside = self._folder / _ASIDE
        aside.mkdir(0o700, exist_ok=True)
        size = one.path.stat().st_size
        one.path.rename(aside / one.path.name)
        self._bodies, self._bytes = self._bodies - 1, self._bytes - size
        for old in sorted(aside.iterdir())[:-MOST_UNREADABLE]:
            old.unlink()
