"""The rows that the screen holds, read beside it: a part of them, more as the cursor comes near its
end, and the same part again when somebody wrote.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Literal

from tui.archive.errors import ArchiveError, CallNotFound
from tui.archive.interface import CallArchive
from tui.screens import row_window
from tui.screens.activity import Activity
from tui.screens.context import ScreenContext
from tui.screens.reading_notice import ReadingNotice
from tui.screens.row_counts import RowCounts
from tui.screens.row_window import RowWindow
from tui.screens.snapshot import Snapshot, read_snapshot

Goal = Literal["here", "first", "last"]


class RowReader:
    """Belongs to the screen's loop. `prepare` is called before rows are read anew, `on_rows` with
    those that were read and whether the cursor stays on its call, `on_more` when some were added.
    """

    def __init__(
        self,
        ctx: ScreenContext,
        notice: ReadingNotice,
        counts: RowCounts,
        prepare: Callable[[], None],
        on_rows: Callable[[Snapshot, bool], None],
        on_more: Callable[[], None],
    ) -> None:
        self._ctx, self._notice, self._counts = ctx, notice, counts
        self._prepare, self._on_rows, self._on_more = prepare, on_rows, on_more
        self.activity = Activity.NOTHING
        self._version: object = 0
        """The archive's, when it was looked at last."""
        self._goal: Goal = "here"
        """Where the next reading leaves the cursor; here: on its call."""
        self._wanted: int | None = None
        """The call that the cursor goes to with the next reading, if it is among those shown."""

    @property
    def moves_cursor(self) -> bool:
        """Whether the cursor will be elsewhere when what is being read is there."""
        cursor = self._ctx.cursor
        asked = self._goal != "here" or self._wanted is not None or bool(cursor.owes)
        reads = self.activity & (Activity.READING | Activity.EXTENDING)
        return bool(asked and reads) or cursor.range_waits or self._ctx.is_working("find")

    @property
    def _sorting(self) -> str:
        """What takes long in any order but that of time: all that matches is read."""
        column = self._ctx.sort[0]
        return "" if column == "time" else f"sorting by {column}"

    # -- what to read

    def note_version(self) -> None:
        """The rows that are shown are of the archive as it is now."""
        if self._ctx.archive:
            self._version = self._ctx.archive.change_token()

    def look(self) -> None:
        """Somebody wrote (a sync here, or another Ringback): show it."""
        archive = self._ctx.archive
        if archive and (version := archive.change_token()) != self._version:
            self._version = version
            self.reload()

    def look_anew(self) -> None:
        """Read the rows again, whether or not somebody wrote."""
        self._version = -1
        self.look()

    def reload(self, goal: Goal = "here") -> None:
        """Read the rows anew, one reading at a time."""
        self._prepare()  # "today" and "24h" go on with the clock
        self.activity |= Activity.OUTDATED
        if goal != "here":
            self._goal, self._wanted = goal, None
            self._ctx.reads.end_rows()  # of other rows
        if goal == "first":
            self._ctx.cancel("count")
        if not self.activity & Activity.READING:
            self.activity |= Activity.READING
            self._ctx.work(self._read, "rows")

    def reload_at(self, key: int) -> None:
        """Read other rows, and put the cursor on a call if it is among them."""
        self._goal, self._wanted = "here", key
        self._ctx.reads.end_rows()
        self._ctx.cancel("count")
        self.reload()

    def show_call(self, key: int) -> None:
        """Put the cursor on a call, if it is among those that match."""
        if not self._ctx.cursor.move_to_key(key):
            self._wanted = key
            self.reload()

    def end(self) -> bool:
        """Stay with the rows that are shown instead of reading on; whether something was being
        read of which the status line told.
        """
        if not self._notice.text:
            return False
        if self.activity & Activity.OUTDATED:  # what came meanwhile is read by the next look
            self._version = -1
        self.activity &= ~Activity.OUTDATED
        self._goal, self._wanted = "here", None
        self._ctx.cursor.owes = 0
        self._ctx.reads.end_rows()
        self._ctx.cancel("range", "find")
        self._notice.stop()
        return True

    # -- reading

    async def _read(self) -> None:
        """Read a part beside the screen, then show it."""
        anew, before = False, self._ctx.snapshot
        try:
            while self.activity & Activity.OUTDATED:
                self.activity &= ~Activity.OUTDATED
                anew = anew or self._goal == "first"
                # the first page at once, then what is round it; where that is sooner
                if self._goal == "first" and not self._sorting:
                    await self._read_once(row_window.FIRST_ROWS)
                if not self.activity & Activity.OUTDATED:
                    await self._read_once()
        except CallNotFound:  # a call has gone meanwhile; the next look reads the rows anew
            self._ctx.drop_typed()
        except ArchiveError as error:
            self._ctx.say_unread(error)
            self._ctx.drop_typed()
        finally:
            self.activity &= ~Activity.READING
            self._notice.say("")
        self._counts.recount(anew)
        if self._ctx.snapshot is before:  # it failed, or was given up: nobody goes on beyond
            self._ctx.cursor.owes = 0
        else:
            self.reach()

    async def _read_once(self, first: int = 0) -> None:
        ctx, cursor = self._ctx, self._ctx.cursor
        asked = ctx.query_text, ctx.sort, self._goal
        goal, wanted, accounts = self._goal, self._wanted, ctx.accounts
        key, ask = cursor.current_key, self._question(first)

        def read(archive: CallArchive) -> Snapshot:
            return read_snapshot(archive, accounts, ask(archive), partial=bool(first))

        snapshot = await ctx.reads.ask(read, of_rows=True)
        if snapshot is None or asked != (ctx.query_text, ctx.sort, self._goal):
            return
        if first and snapshot.part.ends:  # these are all: they are read with everything else
            return
        here = cursor.current_key
        if goal == "here" and here != key and here not in snapshot.part.keys:
            self.activity |= Activity.OUTDATED  # the cursor went elsewhere meanwhile
            return
        if goal == "last" and (total := self._counts.total) is not None:
            above = max(0, total - len(snapshot.part.keys))
            snapshot = snapshot._replace(part=snapshot.part._replace(above=above))
        self._goal = "here"
        if wanted == self._wanted:
            self._wanted = None
        if goal != "here" or wanted is not None:
            self._notice.say("")
        self._on_rows(snapshot, goal == "here")
        if wanted is not None:
            cursor.move_to_key(wanted)

    def _question(self, first: int) -> Callable[[CallArchive], RowWindow]:
        """What to read for the present goal, at most `first` rows (0: a part); says what it is."""
        order, cursor, wanted = self._ctx.order, self._ctx.cursor, self._wanted
        if self._goal == "first":
            self._notice.say(self._sorting or "reading the calls")
            return partial(row_window.first, order=order, limit=first)
        if self._goal == "last":
            self._notice.say("going to the end")
            return partial(row_window.last, order=order)
        if wanted is not None:
            self._notice.say(self._sorting or "going to the call")
        return partial(
            row_window.reload,
            order=order,
            part=self._ctx.snapshot.part,
            row=cursor.cursor,
            wanted=wanted,
            whole=cursor.range_start is not None,
        )

    # -- more rows

    def reach(self) -> None:
        """Hold more rows where the cursor comes near the end of those that are held."""
        part, row = self._ctx.snapshot.part, self._ctx.cursor.cursor
        near = row_window.WINDOW_ROWS // 10
        below = not part.ends and len(part.keys) - row < near
        above = not part.begins and row < near
        if self.activity & (Activity.READING | Activity.EXTENDING):
            return
        if below or above:
            self.activity |= Activity.EXTENDING
            self._ctx.work(partial(self._extend, 1 if below else -1), "more rows")
        else:
            self._ctx.cursor.owes = 0

    async def _extend(self, step: int) -> None:
        part, order = self._ctx.snapshot.part, self._ctx.order
        whole = self._ctx.cursor.range_start is not None
        self._notice.say(self._sorting)

        def ask(archive: CallArchive) -> RowWindow | None:
            with suppress(CallNotFound):  # a call has gone; the rows are read anew because of it
                return row_window.extend(archive, order, part, step, whole)
            return None

        shown = False
        try:
            with suppress(ArchiveError):  # the next reading says it
                shown = self._show_more(part, await self._ctx.reads.ask(ask, of_rows=True))
        finally:
            self.activity &= ~Activity.EXTENDING
            if not shown:
                self._ctx.cursor.owes = 0
            if not self.activity & Activity.READING:
                self._notice.say("")

    def _show_more(self, before: RowWindow, part: RowWindow | None) -> bool:
        """Show more rows than `before`, unless others are shown meanwhile; whether it did."""
        if part is None or self._ctx.archive is None or self._ctx.snapshot.part is not before:
            return False
        self._ctx.replace_part(part)
        self._on_more()
        if part.above is None:
            self._counts.recount(anew=False)
        return True

    def read_range(self) -> None:
        """Hold all rows from where a range begins to the cursor."""
        if not self._ctx.is_working("range"):
            self._ctx.work(self._read_range, "range", exclusive=True)

    async def _read_range(self) -> None:
        cursor = self._ctx.cursor
        self._notice.say("reading the range")
        try:
            while cursor.range_waits and cursor.range_start is not None:
                if self.activity & Activity.READING:
                    await asyncio.sleep(0.02)
                    continue
                part, order, start = self._ctx.snapshot.part, self._ctx.order, cursor.range_start
                ask = partial(row_window.extend_to, order=order, part=part, key=start)
                with suppress(CallNotFound):
                    found = await self._ctx.reads.ask(ask)
                    if found is None:  # it has left the list
                        break
                    self._show_more(part, found)
        except ArchiveError as error:
            self._ctx.say_unread(error)
        finally:
            if cursor.range_waits:
                cursor.end_range()
            self._notice.say("")
