"""Reads of the archive in other threads, which can be ended from the screen's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from tui.archive.errors import ArchiveError
from tui.archive.interface import CallArchive
from tui.services import Services

T = TypeVar("T")


class ArchiveRead(Generic[T]):
    """A question on a connection of its own, for another thread; it can be ended from this one."""

    def __init__(self, services: Services, ask: Callable[[CallArchive], T]) -> None:
        self._services, self._ask = services, ask
        self._archive: CallArchive | None = None
        self._ended = False

    def run(self) -> T | None:
        """The answer; None when nobody waits for it any more."""
        with self._services.open_archive() as archive:
            self._archive = archive
            archive.cancel_when(lambda: self._ended)
            try:
                return None if self._ended else self._ask(archive)
            except ArchiveError:
                if self._ended:
                    return None
                raise
            finally:
                self._archive = None

    def end(self) -> None:
        """Nobody waits for it any more."""
        self._ended = True
        if archive := self._archive:
            archive.cancel()


class ArchiveReads:
    """Those that the screen waits for. Belongs to the screen's loop."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._reads: set[ArchiveRead[Any]] = set()
        self._of_rows: set[ArchiveRead[Any]] = set()
        """Those of them for rows that somebody waits for."""

    async def ask(self, ask: Callable[[CallArchive], T], of_rows: bool = False) -> T | None:
        """The answer of the archive, in another thread; None when it was ended before."""
        read = ArchiveRead(self._services, ask)
        self._reads.add(read)
        if of_rows:
            self._of_rows.add(read)
        try:
            return await asyncio.to_thread(read.run)
        except asyncio.CancelledError:
            read.end()
            raise
        finally:
            self._reads.discard(read)
            self._of_rows.discard(read)

    def end_rows(self) -> None:
        """Nobody waits for these rows any more."""
        for read in self._of_rows:
            read.end()

    def end(self) -> None:
        """Nobody waits for any answer any more."""
        for read in self._reads:
            read.end()
