"""What is decided about calls: the keys of triage, its prompts, undo, the next call to decide."""

from __future__ import annotations

import asyncio
import logging
from array import array
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Protocol

from rich.cells import cell_len

from providers.counts import counted
from providers.sanitize import safe_text
from tui.archive.errors import ArchiveError, CallNotFound
from tui.archive.interface import CallArchive
from tui.archive.records import UNTRIAGED, SortOrder
from tui.audit_log import record_holds
from tui.query.dates import parse_later
from tui.query.parser import Query
from tui.screens.context import SAY_S, ScreenContext
from tui.screens.triage_queue import TriageQueue, Write, may_leave, unkept
from tui.services import Services
from widgets.cells import fit
from widgets.columns import duration_text, time_text
from widgets.masking import masked_name
from widgets.status_line import FLASH_S

if TYPE_CHECKING:
    from tui.archive.triage_events import Change, Undone
    from tui.exit_codes import CommandError

_log = logging.getLogger(__name__)
NAME_CELLS = 8
"""At least so much of a contact's name is shown where it is said what was decided."""
LOOK_AHEAD = 5000
"""Rows that are searched at once for the next untriaged call; beyond that, beside the screen."""
LATER_WORDS = ("1h", "tomorrow", "monday", "tuesday", "wednesday", "thursday", "friday", "3d")


class CallNavigation(Protocol):
    """Where the cursor may go among all calls of the query."""

    def show_call(self, key: int) -> None:
        """Put the cursor on a call, if it is among those that match."""

    def look(self) -> None:
        """Show what was written since the last look."""

    def say_reading(self, text: str) -> None:
        """Say what is being read, if it takes a moment; empty: that has ended."""


class Listening(Protocol):
    """What plays of the call under the cursor."""

    def playhead_here(self) -> tuple[int, float] | None:
        """Recording and seconds, if something of the call is in the player."""

    def plays_on(self) -> bool:
        """Whether the next call is to be played, since this one was."""

    def play(self) -> None:
        """Play the call under the cursor."""


class AskLine(Protocol):
    """Asks for a line of text, which begins with `text`; `words` complete it."""

    def __call__(
        self, label: str, answered: Callable[[str], None], words: Sequence[str], text: str = ""
    ) -> None: ...


class TriageController:
    """Belongs to the screen's loop. Steps are written in their order, beside the screen; the
    cursor goes on at once. What was typed before the end is written before the end.

    `on_progress` is called when `progress` changed.
    """

    def __init__(
        self,
        ctx: ScreenContext,
        calls: CallNavigation,
        player: Listening,
        ask_line: AskLine,
        message_cells: Callable[[], int],
        on_progress: Callable[[], None],
    ) -> None:
        self._ctx, self._calls, self._player = ctx, calls, player
        self._ask_line, self._message_cells = ask_line, message_cells
        self._on_progress = on_progress
        self._writes = TriageQueue(ctx.services)
        self.is_writing = False
        self.progress = ""
        """What is being written; empty when that takes no time."""
        self.unsaved: CommandError | None = None
        """What could not be written before the end, for whoever has the terminal then."""
        self._unseen: frozenset[int] = frozenset()
        """Calls that were decided about, and of which the archive does not say so yet."""
        self._leaving: frozenset[int] = frozenset()
        """Calls about which something was decided that may take them out of the rows, until these
        were read again."""
        self._undoing = 0
        """Steps that are being taken back; the cursor goes to their calls."""

    # -- which calls

    @property
    def is_undoing(self) -> bool:
        """Whether the cursor is about to go to a call whose step is taken back."""
        return bool(self._undoing)

    def may_leave(self, key: int | None) -> bool:
        """Whether a call may not be among the rows any more when they are read again."""
        return key in self._leaving

    def rows_read(self) -> None:
        """The rows are as everything that was decided left them."""
        if not self.is_writing:
            self._leaving = frozenset()

    def targets(self) -> list[int]:
        """Keys of the marked calls, else of the one under the cursor; says so if there is none."""
        cursor = self._ctx.cursor
        if cursor.marked:
            return sorted(cursor.marked)
        if cursor.current_key is None:
            self._ctx.say("no call is chosen", "warning")
            return []
        return [cursor.current_key]

    def _how_many(self, keys: Sequence[int]) -> str:
        """``60 calls``, and how many of them the query does not show: marks outlive it."""
        if self._ctx.archive is None or len(keys) > LOOK_AHEAD:
            return counted(len(keys), "call")
        hidden = len(keys) - len(self._ctx.archive.matching(keys, self._ctx.query))
        return counted(len(keys), "call") + (f" ({hidden:,} not shown)" if hidden else "")

    def clear_marks(self) -> int:
        """Take all marks away; how many there were."""
        count = len(self._ctx.cursor.marked)
        self._ctx.cursor.marked = frozenset()
        return count

    # -- decisions

    def triage(self, state: str) -> None:
        """Give the call a state; many at once after a question."""
        from tui.archive import triage_events

        keys = self.targets()
        changes = [triage_events.state(state)]
        if len(keys) > 1:
            self._ask_for_all(keys, f"Mark {self._how_many(keys)} {state}?", changes)
        elif keys:
            self._decide(keys, changes, onward=state == "done")

    def _ask_for_all(self, keys: list[int], question: str, changes: list[Change]) -> None:
        def decide() -> None:
            self._decide(keys, changes)
            self.clear_marks()

        self._ctx.confirm(question, f"{self._ctx.key('undo')} takes it back in one step.", decide)

    def done_with_note(self) -> None:
        """Ask for a note, then done and on to the next; an empty note is none."""
        from tui.archive import triage_events

        keys = self.targets()

        def noted(text: str) -> None:
            notes = [triage_events.note(text)] if text.strip() else []
            self._decide(keys, [*notes, triage_events.state("done")], onward=len(keys) == 1)
            if len(keys) > 1:
                self.clear_marks()

        self._ask(keys, "note, then done", noted)

    def note(self) -> None:
        """Ask for a note; the call's earlier ones are kept."""
        from tui.archive import triage_events

        keys = self.targets()
        self._ask(keys, "note", lambda text: self._decide(keys, [triage_events.note(text)]))

    def tag(self) -> None:
        """Ask for tags of ours, to give and to take away."""
        from tui.archive.tag_edits import HELP, tag_changes

        keys = self.targets()
        known = self._ctx.archive.triage.known_tags() if self._ctx.archive else []
        words = [tag for tag in known if self._ctx.veil.text(tag) == tag]
        self._ask(
            keys,
            f"tags ({HELP})",
            lambda text: self._decide(keys, tag_changes(text, words)),
            () if self._ctx.veil.on else words,
        )

    def comment(self) -> None:
        """Ask for a comment at the playhead or the time that it begins with; where nothing plays,
        it must.
        """
        from tui.archive import triage_events

        key = self._ctx.cursor.current_key
        if key is None:
            self._ctx.say("no call is chosen", "warning")
            return
        recording, at_s = self._player.playhead_here() or (0, None)

        def said(text: str) -> None:
            timed = triage_events.timed(text) or ((text, at_s) if at_s is not None else None)
            if timed is None:
                raise ValueError(triage_events.UNTIMED)
            self._decide([key], [triage_events.comment(*timed, recording)])

        label = "comment: m:ss text" if at_s is None else f"comment at {duration_text(at_s)}"
        self._ask([key], label, said)

    def snooze(self, until: str = "") -> None:
        """Put the call off; without a time, ask for it."""
        keys = self.targets()

        def put_off(text: str) -> None:
            from tui.archive import triage_events

            clock = self._ctx.clock
            later = parse_later(text, *clock)
            said = f"snoozed until {time_text(later, clock)}"
            changes = [triage_events.state("snoozed", later.timestamp())]
            self._decide(keys, changes, onward=len(keys) == 1, said=said)
            if len(keys) > 1:
                self.clear_marks()

        if not until:
            self._ask(keys, "snooze until (1h, monday, a date)", put_off, LATER_WORDS)
        elif keys:
            put_off(until)

    def undo(self) -> None:
        """Take back this person's last step, here or in another Ringback, and go to that call."""
        self._undoing += 1
        undone = partial(self._undone, self._ctx.asked)
        undo = partial(_undo, services=self._ctx.services)
        self._enqueue(Write(frozenset(), undo, undone))

    def _undone(
        self, asked: tuple[str, SortOrder], undone: tuple[Undone, int | None] | None
    ) -> None:
        self._undoing -= 1
        if undone is None:
            self._ctx.say("there is nothing to undo", "warning")
            return
        step, key = undone
        self._ctx.say(
            f"undone: {self._described(step.changes)} ({counted(len(step.calls), 'call')})"
        )
        if key is not None and asked == self._ctx.asked:  # else somebody went on to other rows
            self._calls.show_call(key)

    def hold(self) -> None:
        """Put the call, or all that are marked, on hold; those that are: release them."""
        from tui.archive import triage_events

        keys = self.targets()
        if not keys or self._ctx.archive is None:
            return
        try:
            held = self._ctx.archive.held(keys)
        except ArchiveError as error:
            self._ctx.say_unread(error)
            return
        if len(held) == len(keys):
            self._release(keys)
            return
        label = "on hold, why (enter alone: nobody asks)"
        self._ask(keys, label, lambda text: self._decide(keys, [triage_events.hold(text)]))

    def _release(self, keys: list[int]) -> None:
        from tui.archive.triage_events import RELEASE

        what = f"Release {counted(len(keys), 'call')} from hold?"
        more = "A purge, a retention and the vendor's deletion may take them again."
        self._ctx.confirm(what, more, partial(self._decide, keys, [RELEASE]))

    def _described(self, changes: Iterable[Change]) -> str:
        """Changes in a word or two, as they may be shown now: a tag may be a name."""
        from tui.archive.triage_events import described

        return described(changes, masked_name if self._ctx.veil.on else str)

    def _ask(
        self,
        keys: Sequence[int],
        label: str,
        answer: Callable[[str], None],
        words: Sequence[str] = (),
    ) -> None:
        """Ask for a line of text about some calls; what is wrong with it is said, and it can be
        mended.
        """
        if not keys:
            return
        if len(keys) > 1:
            label = f"{self._how_many(keys)}, {label}"

        def answered(text: str) -> None:
            try:
                answer(text)
            except ValueError as error:
                self._ctx.say(str(error), "warning")
                self._ask_line(label, answered, words, text)

        self._ask_line(label, answered, words)

    # -- writing

    def _decide(
        self, keys: Sequence[int], changes: list[Change], onward: bool = False, said: str = ""
    ) -> None:
        """Write the changes for these calls, as one step; `said` in a word or two."""
        said, person = said or self._described(changes), self._ctx.services.person
        last = unread = False

        def written(gone: set[int]) -> None:
            if gone:
                self._ctx.say(f"{counted(len(gone), 'call')} no longer here", "warning")
                self._ctx.cursor.marked -= gone
            elif len(keys) > 1:
                self._ctx.say(
                    f"{counted(len(keys), 'call')}: {said} ({self._ctx.key('undo')} undoes)"
                )
            elif not unread:
                undo = f"{self._ctx.key('undo')} takes it back" + ", the last call here" * last
                self._ctx.say(self._about(f"{said}: ", keys[0], f" ({undo})"))

        def act(archive: CallArchive) -> set[int]:
            names = {key: name for key in keys for name in archive.names_of([key])}
            archive.triage.append(list(names.values()), changes, person)
            kinds = [change.kind for change in changes]
            record_holds(self._ctx.services.paths, names.values(), kinds)
            return set(keys) - names.keys()

        if may_leave(self._ctx.query, changes):
            self._leaving |= frozenset(keys)
        self._enqueue(Write(frozenset(keys), act, written, changes))
        try:
            last = onward and not self._go_on()
        except ArchiveError as error:
            unread = True
            self._ctx.say_unread(error)

    def _about(self, before: str, key: int, behind: str) -> str:
        """``done: Anna Müller 0:42 (u takes it back)``, cut in the name if it is too long."""
        assert self._ctx.archive is not None
        [row] = map(self._ctx.veil.row, self._ctx.archive.rows(array("q", [key])).window(0, 1))
        behind = f" {duration_text(row.duration_s)}".rstrip() + behind
        who = safe_text(row.contact or row.number or row.id, 100)
        room = max(NAME_CELLS, self._message_cells() - cell_len(before + behind))
        return before + fit(who, min(cell_len(who), room)) + behind

    def _enqueue(self, write: Write) -> None:
        self._writes.put(write)
        self._unseen |= write.keys
        if not self.is_writing:
            self.is_writing = True
            self._ctx.work(self._write_all, "triage")

    async def _write_all(self) -> None:
        writes = self._writes
        try:
            while writes:
                saying = self._ctx.after(SAY_S, partial(self._say_keeping, writes.next_calls()))
                await asyncio.to_thread(writes.write_next)
                saying.stop()
                self._say_keeping()
                while writes.failed:
                    self._unseen = self._leaving = frozenset()
                    failed = writes.failed.popleft()
                    if not failed.write.changes:
                        self._undoing -= 1
                        self._ctx.drop_typed()
                    self._ctx.say(f"not kept: {failed.error}", "error")
                while writes.written:
                    write, answer = writes.written.popleft()
                    write.then(answer)
                    self._unseen -= write.keys
                self._ctx.cursor.refresh_rows()
                self._calls.look()
        finally:
            self.is_writing = False

    def _say_keeping(self, calls: int | None = None) -> None:
        """Say what is being written: a step about so many calls, 0: one that takes another back."""
        what = "undoing" if calls == 0 else f"keeping {counted(calls, 'call')}" if calls else ""
        if what != self.progress:
            self.progress = what
            self._on_progress()

    def finish(self) -> None:
        """At the end of the screen: what waits is written, and what was not kept is known."""
        failed = self._writes.finish(FLASH_S["error"])
        for one in failed:
            _log.error("a step was not kept: %s", one.error)
        if failed and self._ctx.archive:
            from tui.screens.unsaved_triage import unsaved_text

            steps = unkept(self._ctx.archive, failed)
            self.unsaved = unsaved_text(steps, self._ctx.services.paths.archive_file)

    # -- where to go on

    def _go_on(self) -> bool:
        """To the next call to decide below, else to the next; play it if that is wanted. Whether
        there is one. Raises `ArchiveError`.
        """
        table = self._ctx.cursor
        plays_on = self._player.plays_on()
        before = table.current_key
        index = self._near_untriaged(1)
        table.move_to(table.cursor + 1 if index is None else index)
        if table.current_key == before and not table.owes:
            return False
        if plays_on:
            self._player.play()
        return True

    def go_to_untriaged(self, step: int) -> None:
        """To the next (1) or previous (-1) call that nobody has decided about."""
        try:
            index = self._near_untriaged(step)
        except ArchiveError as error:
            self._ctx.say_unread(error)
            return
        if index is None:
            self._ctx.work(partial(self._find_untriaged, step), "find", exclusive=True)
        else:
            self._ctx.cursor.move_to(index)

    def _near_untriaged(self, step: int) -> int | None:
        """Where the nearest call to decide stands, within `LOOK_AHEAD` rows.

        Raises `ArchiveError`.
        """
        assert self._ctx.archive is not None
        keys, at = self._ctx.snapshot.part.keys, self._ctx.cursor.cursor
        if step > 0:
            start, near = at + 1, keys[at + 1 : at + 1 + LOOK_AHEAD]
        else:
            start, near = max(0, at - LOOK_AHEAD), keys[max(0, at - LOOK_AHEAD) : at]
        undecided = self._ctx.archive.matching(near, Query((UNTRIAGED,))) - self._unseen
        places = range(len(near)) if step > 0 else range(len(near) - 1, -1, -1)
        return next((start + place for place in places if near[place] in undecided), None)

    async def _find_untriaged(self, step: int) -> None:
        """Beyond the near rows: the archive knows, in another thread, for it may take a while."""
        self._calls.say_reading("looking for an untriaged call")
        here, unseen, asked = self._ctx.cursor.current_key, self._unseen, self._ctx.asked
        query, sort = Query((*self._ctx.query.terms, UNTRIAGED)), self._ctx.sort
        some = len(unseen) + 1

        def ask(archive: CallArchive) -> int:
            if step > 0:
                keys = archive.keys(query, sort, limit=some, after=here)
            else:
                keys = archive.keys(query, sort, limit=some, before=here, from_end=True)
            return next((key for key in keys if key not in unseen), 0)

        try:
            found = await self._ctx.reads.ask(ask) if here is not None else 0
        except CallNotFound:  # the call has gone meanwhile; the rows are read anew because of it
            return
        except ArchiveError as error:
            self._ctx.say_unread(error)
            self._ctx.drop_typed()
            return
        finally:
            self._calls.say_reading("")
        if asked != self._ctx.asked:  # somebody went on to other rows
            return
        if found:
            self._calls.show_call(found)
        elif found == 0:
            self._ctx.say(f"no untriaged call {'below' if step > 0 else 'above'}")


def _undo(archive: CallArchive, services: Services) -> tuple[Undone, int | None] | None:
    """The step that was taken back, and the key of its first call that is still here."""
    undone = archive.triage.undo(services.person)
    if undone is None:
        return None
    kinds = [change.kind for change in undone.changes]
    record_holds(services.paths, undone.calls, kinds, undone=True)
    keys: Iterable[int | None] = (archive.key_of(*name) for name in undone.calls)
    return undone, next((key for key in keys if key is not None), None)
