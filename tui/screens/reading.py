"""A screen that reads rows beside itself: a part of them, more as the cursor comes near its end,
the same part again when somebody wrote; and then counts what there is in all.
"""

from __future__ import annotations

import asyncio
import time
from abc import abstractmethod
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Literal, TypeVar

from textual import on, work
from textual.reactive import var
from textual.timer import Timer

from tui.archive.errors import ArchiveError, CallNotFound
from tui.archive.interface import CallArchive
from tui.archive.records import NEWEST_FIRST, SortOrder
from tui.screens import row_window, state
from tui.screens.calls import CallsScreen
from tui.screens.row_window import Order, RowWindow
from widgets.call_table import CallTable
from widgets.masking import VeiledRows
from widgets.sidebar import Sidebar
from widgets.status_line import StatusLine

T = TypeVar("T")
FACETS_MOST = 100_000
"""Calls that are read for exact counts; of more, the sidebar's are lower bounds."""
SAY_S = 0.3
"""What takes longer is said."""
REST = 3
"""So many times as long as a count took, the next one waits, unless the query is another."""


class ReadingScreen(CallsScreen):
    """See the module. Whoever is one shows what was read."""

    query_text: var[str] = var("", bindings=True)
    """The query line: what the table shows, and the views and accounts set."""
    sort: var[SortOrder] = var(NEWEST_FIRST)

    _archive: CallArchive | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._version: object = 0
        self._lengthening = self._uncounted = False
        self._asked_for: set[state.Asking[Any]] = set()
        """Questions to the archive that are not answered yet."""
        self._readers: set[state.Asking[Any]] = set()
        """Those of them for rows that somebody waits for."""
        self._goal: Literal["here", "first", "last"] = "here"
        """Where the next reading leaves the cursor; here: on its call."""
        self._wanted: int | None = None
        """The call that the cursor goes to with the next reading, if it is among those shown."""
        self._counted: tuple[str, int] | None = None
        """How many calls matched a query when they were counted last."""
        self._exact: str | None = None
        """The query whose names were counted exactly last: no lower bounds come back then."""
        self.jumping = ""
        """What is read before the rows are there; empty when that takes no time."""
        self._jump = ""
        """The same, from the beginning on."""
        self._jumped_at = 0.0
        """When the last one ended of which the status line told (on the monotonic clock)."""
        self._telling: Timer | None = None

    @abstractmethod
    def _show(self, snapshot: state.Snapshot, keep: bool) -> None:
        """Show the rows; `keep` the cursor on its call."""

    @abstractmethod
    def _parse(self) -> None:
        """Make a query of the query's text, as it is meant now."""

    @abstractmethod
    def _show_position(self) -> None:
        """Show where the cursor is, and of how many."""

    @abstractmethod
    def _back_to_shown(self) -> None:
        """Make query and order those of the rows that are shown, without reading any."""

    @property
    def _sorting(self) -> str:
        """What takes long in any order but that of time: all that matches is read."""
        column = self.sort[0]
        return "" if column == "time" else f"sorting by {column}"

    @property
    def _order(self) -> Order:
        return Order(self._query, self.sort)

    async def _ask_archive(
        self, ask: Callable[[CallArchive], T], reads_rows: bool = False
    ) -> T | None:
        """The answer of the archive, in another thread; None when it was ended before."""
        asking = state.Asking(self.services, ask)
        self._asked_for.add(asking)
        if reads_rows:
            self._readers.add(asking)
        try:
            return await asyncio.to_thread(asking.run)
        except asyncio.CancelledError:
            asking.end()
            raise
        finally:
            self._asked_for.discard(asking)
            self._readers.discard(asking)

    def _end_readers(self) -> None:
        for asking in self._readers:
            asking.end()

    def _end_reading(self) -> None:
        """Nobody waits for an answer any more."""
        for asking in self._asked_for:
            asking.end()

    # -- rows

    def _look(self) -> None:
        """Somebody wrote (a sync here, or another Ringback): show it."""
        if self._archive and (version := self._archive.change_token()) != self._version:
            self._version = version
            self._reload()

    def _reload(self, goal: Literal["here", "first", "last"] = "here") -> None:
        """Read the rows anew, one reading at a time."""
        self._parse()  # "today" and "24h" go on with the clock
        self._stale = True
        if goal != "here":
            self._goal, self._wanted = goal, None
            self._end_readers()  # of other rows
        if goal == "first":
            self.workers.cancel_group(self, "count")
        if not self._reading:
            self._reading = True
            self._read()

    @property
    def _rows_asked(self) -> bool:
        table = self.query_one(CallTable)
        asked = self._goal != "here" or self._wanted is not None or bool(table.owes)
        reads = self._reading or self._lengthening
        looks = table.range_waits or self._runs("find")
        return (asked and reads) or looks or super()._rows_asked

    def _reload_at(self, key: int) -> None:
        """Read other rows, and put the cursor on a call if it is among them."""
        self._goal, self._wanted = "here", key
        self._end_readers()
        self.workers.cancel_group(self, "count")
        self._reload()

    def _show_call(self, key: int) -> None:
        """Put the cursor on a call, if it is among those that match."""
        if not self.query_one(CallTable).move_to_key(key):
            self._wanted = key
            self._reload()

    @work(group="rows", exit_on_error=False)
    async def _read(self) -> None:
        """Read a part beside the screen, then show it."""
        anew, before = False, self._snapshot
        try:
            while self._stale:
                self._stale = False
                anew = anew or self._goal == "first"
                # the first page at once, then what is round it; where that is sooner
                if self._goal == "first" and not self._sorting:
                    await self._read_once(row_window.FIRST_ROWS)
                if not self._stale:
                    await self._read_once()
        except CallNotFound:  # a call has gone meanwhile; the next look reads the rows anew
            self._drop_typed()
        except ArchiveError as error:
            self._say_unread(error)
            self._drop_typed()
        finally:
            self._reading = False
            self._say_jump("")
        self._recount(anew)
        if self._snapshot is before:  # it failed, or was given up: what lies beyond is not wanted
            self.query_one(CallTable).owes = 0
        else:
            self._reach()

    async def _read_once(self, first: int = 0) -> None:
        asked = self.query_text, self.sort, self._goal
        order, goal, wanted = self._order, self._goal, self._wanted
        table, held = self.query_one(CallTable), self._snapshot.part
        key = table.current_key
        if goal == "first":
            ask = partial(row_window.first, order=order, limit=first)
            self._say_jump(self._sorting or "reading the calls")
        elif goal == "last":
            ask = partial(row_window.last, order=order)
            self._say_jump("going to the end")
        else:
            whole = table.range_start is not None
            if wanted is not None:
                self._say_jump(self._sorting or "going to the call")
            ask = partial(
                row_window.reload,
                order=order,
                part=held,
                row=table.cursor,
                wanted=wanted,
                whole=whole,
            )

        def take(archive: CallArchive) -> state.Snapshot:
            return state.read_snapshot(archive, self.accounts, ask(archive), brief=bool(first))

        snapshot = await self._ask_archive(take, reads_rows=True)
        if snapshot is None or asked != (self.query_text, self.sort, self._goal):
            return
        if first and snapshot.part.ends:  # these are all: they are read with everything else
            return
        here = table.current_key
        if goal == "here" and here != key and here not in snapshot.part.keys:
            self._stale = True  # the cursor went elsewhere meanwhile
            return
        if goal == "last" and (total := self._known_total) is not None:
            above = max(0, total - len(snapshot.part.keys))
            snapshot = snapshot._replace(part=snapshot.part._replace(above=above))
        self._goal = "here"
        if wanted == self._wanted:
            self._wanted = None
        if goal != "here" or wanted is not None:
            self._say_jump("")
        self._show(snapshot, keep=goal == "here")
        if wanted is not None:
            table.move_to_key(wanted)

    @on(CallTable.EdgeWanted)
    def _edge_wanted(self, event: CallTable.EdgeWanted) -> None:
        self._reload("last" if event.last else "first")

    def _say_jump(self, text: str) -> None:
        """Say what is being read, if it takes a moment; empty: that has ended."""
        if text == self._jump:  # its time runs already
            return
        self._jump = text
        if self._telling is not None:
            self._telling.stop()
            self._telling = None
        if text:
            self._telling = self.set_timer(SAY_S, partial(self._tell_jump, text))
        elif self.jumping:
            self._jumped_at = time.monotonic()
            self._tell_jump("")

    def _tell_jump(self, text: str) -> None:
        self.jumping = text
        stops = f" ({self._key('back')} stops)"
        self.query_one(StatusLine).waiting = text and text + stops

    @property
    def _jumps(self) -> bool:
        """Whether something is being read of which the status line tells; and for a moment after
        that, for whoever was about to press the key that stops it.
        """
        return bool(self.jumping) or time.monotonic() - self._jumped_at < SAY_S

    def _end_jump(self) -> bool:
        """Stay with the rows that are shown, in their order, instead of reading on; whether
        something was being read of which the status line told.
        """
        if not self.jumping:
            return False
        if self._stale:  # what came meanwhile is read by the next look
            self._version = -1
        self._goal, self._stale, self._wanted = "here", False, None
        self.query_one(CallTable).owes = 0
        self._end_readers()
        for group in ("range", "find"):
            self.workers.cancel_group(self, group)
        self._say_jump("")
        self._jumped_at = 0.0
        self._back_to_shown()
        return True

    def _reach(self) -> None:
        """Hold more rows where the cursor comes near the end of those that are held."""
        part, row = self._snapshot.part, self.query_one(CallTable).cursor
        near = row_window.WINDOW_ROWS // 10
        below = not part.ends and len(part.keys) - row < near
        above = not part.begins and row < near
        if (below or above) and not (self._reading or self._lengthening):
            self._lengthening = True
            self._lengthen(1 if below else -1)
        elif not (self._reading or self._lengthening):
            self.query_one(CallTable).owes = 0

    @work(group="more rows", exit_on_error=False)
    async def _lengthen(self, step: int) -> None:
        part, order = self._snapshot.part, self._order
        whole = self.query_one(CallTable).range_start is not None
        self._say_jump(self._sorting)

        def ask(archive: CallArchive) -> RowWindow | None:
            try:
                return row_window.extend(archive, order, part, step, whole)
            except CallNotFound:  # a call has gone; the rows are read anew because of it
                return None

        shown = False
        try:
            with suppress(ArchiveError):  # the next reading says it
                shown = self._show_part(part, await self._ask_archive(ask, reads_rows=True))
        finally:
            self._lengthening = False
            if not shown:
                self.query_one(CallTable).owes = 0
            if not self._reading:
                self._say_jump("")

    def _show_part(self, before: RowWindow, part: RowWindow | None) -> bool:
        """Show more rows than `before`, unless others are shown meanwhile; whether it did."""
        if part is None or self._archive is None or self._snapshot.part is not before:
            return False
        self._snapshot = self._snapshot._replace(part=part)
        table = self.query_one(CallTable)
        rows = self._archive.rows(part.keys, part.begins, part.ends)
        table.set_rows(VeiledRows(rows, self.veil))
        self._show_position()
        if part.above is None:
            self._recount(anew=False)
        return True

    @on(CallTable.RangeWanted)
    def _range_wanted(self) -> None:
        if not self._runs("range"):
            self._read_range()

    @work(group="range", exclusive=True, exit_on_error=False)
    async def _read_range(self) -> None:
        """Hold all rows from where a range begins to the cursor."""
        table = self.query_one(CallTable)
        self._say_jump("reading the range")
        try:
            while table.range_waits and table.range_start is not None:
                if self._reading:
                    await asyncio.sleep(0.02)
                    continue
                part, order, start = self._snapshot.part, self._order, table.range_start
                ask = partial(row_window.extend_to, order=order, part=part, key=start)
                with suppress(CallNotFound):
                    found = await self._ask_archive(ask)
                    if found is None:  # it has left the list
                        break
                    self._show_part(part, found)
        except ArchiveError as error:
            self._say_unread(error)
        finally:
            if table.range_waits:
                table.end_range()
            self._say_jump("")

    # -- counts

    @property
    def _known_total(self) -> int | None:
        """How many calls match, where that is known."""
        part, counted = self._snapshot.part, self._counted
        if part.total is not None or counted is None or counted[0] != self.query_text:
            return part.total
        return max(counted[1], part.seen)

    def _recount(self, anew: bool) -> None:
        """Count beside the screen; of another query than before at once."""
        if self._runs("count") and not anew:
            self._uncounted = True
        else:
            self._count()

    @work(group="count", exclusive=True, exit_on_error=False)
    async def _count(self) -> None:
        self._uncounted = True
        while self._uncounted:
            self._uncounted = False
            began = time.monotonic()
            with suppress(ArchiveError):  # the rows are read too, and say it
                await self._count_once()
            if self._uncounted:
                await asyncio.sleep(REST * (time.monotonic() - began))

    async def _count_once(self) -> None:
        """First what is there soon, then all, then what each name has of it."""
        query, text = self._query, self.query_text
        complete = await self._count_facets(exact=text == self._exact)
        part = self._snapshot.part
        if not (part.begins and part.ends):
            counted = await self._ask_archive(lambda archive: archive.count(query))
            if counted is not None:
                self._counted = (text, counted)
                self._show_position()
        await self._count_above()
        total = self._known_total
        if not complete and total is not None and total <= FACETS_MOST:
            await self._count_facets(exact=True)

    async def _count_above(self) -> None:
        """How many rows stand before those that are held."""
        part, order, counted = self._snapshot.part, self._order, self._counted
        text = self.query_text
        if part.begins or not part.keys:
            return

        def ask(archive: CallArchive) -> int | None:
            with suppress(CallNotFound):  # the rows are read anew because of it
                return archive.count_before(part.keys[0], *order)
            return None

        if part.ends and counted and counted[0] == text:
            above: int | None = counted[1] - len(part.keys)
        else:
            above = await self._ask_archive(ask)
        if above is not None and self._snapshot.part.keys[:1] == part.keys[:1]:
            held = self._snapshot.part._replace(above=above)
            self._snapshot = self._snapshot._replace(part=held)
            self._show_position()

    async def _count_facets(self, exact: bool = False) -> bool:
        """Whom and what the calls shown have most of; whether that is exact, or not wanted."""
        sidebar, query, text = self.query_one(Sidebar), self._query, self.query_text
        if not sidebar.display:
            return True
        found = await self._ask_archive(
            lambda archive: archive.facets(query, None) if exact else archive.facets(query)
        )
        if found is None or text != self.query_text:
            return True
        sidebar.facets = state.facet_items(found, self.veil)
        self._exact = text if found.complete else None
        return found.complete
