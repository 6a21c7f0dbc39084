"""Where the compressed bytes of a recording are."""

from __future__ import annotations

import asyncio
import os
import stat
import threading
import weakref
from pathlib import Path
from typing import Protocol


class Source(Protocol):
    """Bytes by offset: a file now, a download that grows later."""

    size: int | None
    """All bytes of it, where that is known; it may become known later."""

    async def read(self, offset: int, n: int, *, idle: bool = False) -> bytes:
        """Up to `n` bytes from `offset`, waiting until at least one is there; b"" at the end.

        Nobody waits for `idle` ones: nothing is fetched for their sake that would not come.
        """
        ...

    def close(self) -> None:
        """Nobody reads any more."""
        ...


class FileSource:
    """A file on disk. It is held open as long as this lives, even if it is deleted meanwhile."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Raises `OSError` when it cannot be opened or is not a plain file."""
        self.path = Path(path)
        flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
        self._fd = os.open(self.path, flags)
        weakref.finalize(self, os.close, self._fd)
        self._lock = threading.Lock()
        about = os.fstat(self._fd)
        if not stat.S_ISREG(about.st_mode):
            raise OSError("not a plain file")
        self.size: int | None = about.st_size

    async def read(self, offset: int, n: int, *, idle: bool = False) -> bytes:
        return await asyncio.to_thread(self._read, offset, n)

    def close(self) -> None:
        """A file costs nothing while it is open; a thread may still be reading it."""

    def _read(self, offset: int, n: int) -> bytes:
        with self._lock:
            os.lseek(self._fd, offset, os.SEEK_SET)
            return os.read(self._fd, n)
