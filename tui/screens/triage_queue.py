"""Steps of triage on their way to the archive, in their order; and those that did not get there."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from tui.archive.errors import READING, ArchiveError
from tui.archive.interface import CallArchive
from tui.archive.records import UNTRIAGED
from tui.query.parser import Query
from tui.services import Services

if TYPE_CHECKING:
    from tui.archive.triage_events import Change
    from tui.screens.unsaved_triage import UnsavedTriage


class Write(NamedTuple):
    """One step: what to do in the archive, and with its answer here."""

    keys: frozenset[int]
    do: Callable[[CallArchive], Any]
    then: Callable[[Any], None]
    changes: Sequence[Change] = ()
    """What `do` decides about the calls with these keys; none: it takes a step back."""


class Failed(NamedTuple):
    """A step that the archive did not take, and when that was (on the monotonic clock)."""

    write: Write
    error: Exception
    at: float


class TriageQueue:
    """The steps that wait. They are written in another thread, the last ones in the screen's."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._waiting: deque[Write] = deque()
        self._failed: list[Failed] = []
        self._one_writer = Lock()
        self.written: deque[tuple[Write, Any]] = deque()
        """Steps that were taken, with the archive's answers, for whoever put them here."""
        self.failed: deque[Failed] = deque()
        """Steps that were not taken, and of which nobody was told yet."""

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, write: Write) -> None:
        self._waiting.append(write)

    def next_calls(self) -> int:
        """How many calls the next step is about; 0 of a step that takes another back."""
        return len(self._waiting[0].keys) if self._waiting else 0

    def write_next(self) -> None:
        """The next step, if one waits; one that fails is not tried again, but told of."""
        with self._one_writer:
            if not self._waiting:
                return
            write = self._waiting.popleft()
            try:
                with self._services.open_archive() as archive:
                    self.written.append((write, write.do(archive)))
            except (ArchiveError, OSError, *READING) as error:
                self._fail(write, error)

    def _fail(self, write: Write, error: Exception) -> None:
        failed = Failed(write, error, time.monotonic())
        self.failed.append(failed)
        self._failed.append(failed)

    def finish(self, seen_s: float) -> list[Failed]:
        """Wait for the step that is being written, and write the rest up to the first that fails:
        nobody shall wait that long for each. The steps that were not taken, but for those of which
        the screen has told for `seen_s` seconds.
        """
        with self._one_writer:
            pass
        while self._waiting and not self.failed:
            self.write_next()
        while self._waiting:
            self._fail(self._waiting.popleft(), self.failed[-1].error)
        since = time.monotonic() - seen_s
        return [one for one in self._failed if one in self.failed or one.at > since]


def may_leave(query: Query, changes: Sequence[Change]) -> bool:
    """Whether a call that matches a query may do so no more after these changes."""
    kinds = {kind for kind, _ in changes}
    says, decides = kinds != {"state"}, "state" in kinds
    return any(
        (says and (term.kind in ("word", "phrase") or term.field in ("tags", "note")))
        or (decides and (term.kind == "state" or term.value == UNTRIAGED.value))
        or term.kind == "triaged"
        for term in query.terms
    )


def unkept(archive: CallArchive, failed: Sequence[Failed]) -> list[UnsavedTriage]:
    """The same with the names of the calls, as far as the archive can still be read."""
    from tui.screens.unsaved_triage import UnsavedTriage

    found = []
    for write, error, _ in failed:
        names: list[tuple[str, str]] = []
        with suppress(ArchiveError):
            names = archive.names_of(sorted(write.keys))
        found.append(UnsavedTriage(names, write.changes, error))
    return found
