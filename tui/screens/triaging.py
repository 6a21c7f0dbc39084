"""A screen on which calls are triaged: its keys, the prompts, undo, and the next call to decide."""

from __future__ import annotations

import asyncio
import logging
from array import array
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from textual import on, work
from textual.widget import Widget

from providers.counts import counted
from providers.sanitize import safe_text
from tui.archive.errors import ArchiveError, CallNotFound
from tui.archive.interface import CallArchive
from tui.archive.records import UNTRIAGED
from tui.audit_log import record_holds
from tui.playback.views import Playing
from tui.query.dates import parse_later
from tui.query.parser import Query
from tui.screens.playing import PlayingScreen
from tui.screens.reading import SAY_S
from tui.screens.triage_queue import TriageQueue, Write, may_leave, unkept
from tui.services import Services
from widgets.call_detail import CallDetail
from widgets.call_table import CallTable
from widgets.cells import fit
from widgets.columns import Clock, duration_text, time_text
from widgets.masking import masked_name
from widgets.player_line import PlayerView
from widgets.status_line import FLASH_S, message_cells
from widgets.waveform import Waveform

if TYPE_CHECKING:
    from tui.archive.triage_events import Change, Undone
    from tui.exit_codes import CommandError
    from widgets.prompt_line import PromptLine

_log = logging.getLogger(__name__)
NAME_CELLS = 8
"""At least so much of a contact's name is shown where it is said what was decided."""
LOOK_AHEAD = 5000
"""Rows that are searched at once for the next untriaged call; beyond that, beside the screen."""
LATER_WORDS = ("1h", "tomorrow", "monday", "tuesday", "wednesday", "thursday", "friday", "3d")


class TriagingScreen(PlayingScreen):
    """See the module. Steps are written in their order, beside the screen; the cursor goes on at
    once. What was typed before the end is written before the end.
    """

    sort: Any
    _archive: CallArchive | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._writes = TriageQueue(self.services)
        self._writing = False
        self.keeping = ""
        """What is being written; empty when that takes no time."""
        self.not_kept: CommandError | None = None
        """What could not be written before the end, for whoever has the terminal then."""
        self._unseen: frozenset[int] = frozenset()
        """Calls that were decided about, and of which the archive does not say so yet."""
        self._leaving: frozenset[int] = frozenset()
        """Calls about which something was decided that may take them out of the rows, until these
        were read again."""
        self._undoing = 0
        """Steps that are being taken back; the cursor goes to their calls."""
        self._prompt: PromptLine | None = None
        self._commented: Playing | None = None

    # -- which calls

    @property
    def _rows_asked(self) -> bool:
        reads = self._writing or self._reading or self._stale
        leaves = reads and self._table.current_key in self._leaving
        return bool(self._undoing) or leaves or super()._rows_asked

    @property
    def _table(self) -> CallTable:
        return self.query_one(CallTable)

    def _targets(self) -> list[int]:
        """Keys of the marked calls, else of the one under the cursor; says so if there is none."""
        table = self._table
        if table.marked:
            return sorted(table.marked)
        if table.current_key is None:
            self._flash("no call is chosen", "warning")
            return []
        return [table.current_key]

    def _how_many(self, keys: Sequence[int]) -> str:
        """``60 calls``, and how many of them the query does not show: marks outlive it."""
        if self._archive is None or len(keys) > LOOK_AHEAD:
            return counted(len(keys), "call")
        hidden = len(keys) - len(self._archive.matching(keys, self._query))
        return counted(len(keys), "call") + (f" ({hidden:,} not shown)" if hidden else "")

    @on(CallTable.Marked)
    def _marks_changed(self) -> None:
        self._show_position()

    def _show_position(self) -> None:
        """Show where the cursor is, and how many calls are marked."""
        raise NotImplementedError

    def _clear_marks(self) -> int:
        """Take all marks away; how many there were."""
        count = len(self._table.marked)
        self._table.marked = frozenset()
        return count

    # -- decisions

    def action_triage(self, state: str) -> None:
        """Give the call a state; many at once after a question."""
        from tui.archive import triage_events

        keys = self._targets()
        changes = [triage_events.state(state)]
        if len(keys) > 1:
            self._ask_for_all(keys, f"Mark {self._how_many(keys)} {state}?", changes)
        elif keys:
            self._decide(keys, changes, onward=state == "done")

    def _ask_for_all(self, keys: list[int], question: str, changes: list[Change]) -> None:
        from widgets.confirm import Confirm

        def answered(yes: bool | None) -> None:
            if yes:
                self._decide(keys, changes)
                self._clear_marks()

        undo = f"{self._key('undo')} takes it back in one step."
        self.app.push_screen(Confirm(question, undo), answered)

    def action_done_with_note(self) -> None:
        """Ask for a note, then done and on to the next; an empty note is none."""
        from tui.archive import triage_events

        keys = self._targets()

        def noted(text: str) -> None:
            notes = [triage_events.note(text)] if text.strip() else []
            self._decide(keys, [*notes, triage_events.state("done")], onward=len(keys) == 1)
            if len(keys) > 1:
                self._clear_marks()

        self._ask(keys, "note, then done", noted)

    def action_note(self) -> None:
        """Ask for a note; the call's earlier ones are kept."""
        from tui.archive import triage_events

        keys = self._targets()
        self._ask(keys, "note", lambda text: self._decide(keys, [triage_events.note(text)]))

    def action_tag(self) -> None:
        """Ask for tags of ours, to give and to take away."""
        from tui.archive.tag_edits import HELP, tag_changes

        keys = self._targets()
        known = self._archive.triage.known_tags() if self._archive else []
        words = [tag for tag in known if self.veil.text(tag) == tag]
        self._ask(
            keys,
            f"tags ({HELP})",
            lambda text: self._decide(keys, tag_changes(text, words)),
            () if self.veil.on else words,
        )

    def action_comment(self) -> None:
        """Ask for a comment at the playhead or the time that it begins with; where nothing plays,
        it must.
        """
        from tui.archive import triage_events

        key = self._table.current_key
        if key is None:
            self._flash("no call is chosen", "warning")
            return
        playing = self._playing_here()
        at_s = self.playback.view.position_s

        def said(text: str) -> None:
            timed = triage_events.timed(text) or ((text, at_s) if playing else None)
            if timed is None:
                raise ValueError(triage_events.UNTIMED)
            self._decide([key], [triage_events.comment(*timed, playing.index if playing else 0)])

        label = f"comment at {duration_text(at_s)}" if playing else "comment: m:ss text"
        self._ask([key], label, said)

    def action_snooze(self, until: str = "") -> None:
        """Put the call off; without a time, ask for it."""
        keys = self._targets()

        def put_off(text: str) -> None:
            from tui.archive import triage_events

            later = parse_later(text, self.services.now(), self.services.zone)
            clock = Clock(self.services.now(), self.services.zone)
            said = f"snoozed until {time_text(later, clock)}"
            changes = [triage_events.state("snoozed", later.timestamp())]
            self._decide(keys, changes, onward=len(keys) == 1, said=said)
            if len(keys) > 1:
                self._clear_marks()

        if not until:
            self._ask(keys, "snooze until (1h, monday, a date)", put_off, LATER_WORDS)
        elif keys:
            put_off(until)

    def action_undo(self) -> None:
        """Take back this person's last step, here or in another Ringback, and go to that call."""
        self._undoing += 1
        self._enqueue(
            Write(frozenset(), lambda archive: _undo(archive, self.services), self._undone)
        )

    def _undone(self, undone: tuple[Undone, int | None] | None) -> None:
        self._undoing -= 1
        if undone is None:
            self._flash("there is nothing to undo", "warning")
            return
        step, key = undone
        self._flash(f"undone: {self._described(step.changes)} ({counted(len(step.calls), 'call')})")
        if key is not None:
            self._show_call(key)

    def _described(self, changes: Iterable[Change]) -> str:
        """Changes in a word or two, as they may be shown now: a tag may be a name."""
        from tui.archive.triage_events import described

        return described(changes, masked_name if self.veil.on else str)

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
        if not keys or self._prompt is None:
            return
        prompt = self._prompt

        def answered(text: str) -> None:
            try:
                answer(text)
            except ValueError as error:
                self._flash(str(error), "warning")
                prompt.ask(label, answered, back, words, text)

        if len(keys) > 1:
            label = f"{self._how_many(keys)}, {label}"
        back: Widget = self.query_one(CallDetail) if self.detail_open else self._table
        prompt.ask(label, answered, back, words)

    def _add_prompt(self) -> None:
        """The line for short answers; it comes right after the first paint, which it would cost
        a few milliseconds.
        """
        from widgets.prompt_line import PromptLine

        self._prompt = PromptLine(id="prompt")
        self.mount(self._prompt, before="#status")

    # -- writing

    def _decide(
        self, keys: Sequence[int], changes: list[Change], onward: bool = False, said: str = ""
    ) -> None:
        """Write the changes for these calls, as one step; `said` in a word or two."""
        said, person = said or self._described(changes), self.services.person
        last = unread = False

        def written(gone: set[int]) -> None:
            if gone:
                self._flash(f"{counted(len(gone), 'call')} no longer here", "warning")
                self._table.marked -= gone
            elif len(keys) > 1:
                self._flash(f"{counted(len(keys), 'call')}: {said} ({self._key('undo')} undoes)")
            elif not unread:
                undo = f"{self._key('undo')} takes it back" + ", the last call here" * last
                self._flash(self._about(f"{said}: ", keys[0], f" ({undo})"))

        def act(archive: CallArchive) -> set[int]:
            names = {key: name for key in keys for name in archive.names_of([key])}
            archive.triage.append(list(names.values()), changes, person)
            kinds = [change.kind for change in changes]
            record_holds(self.services.paths, names.values(), kinds)
            return set(keys) - names.keys()

        if may_leave(self._query, changes):
            self._leaving |= frozenset(keys)
        self._enqueue(Write(frozenset(keys), act, written, changes))
        try:
            last = onward and not self._go_on()
        except ArchiveError as error:
            unread = True
            self._say_unread(error)

    def _about(self, before: str, key: int, behind: str) -> str:
        """``done: Anna Müller 0:42 (u takes it back)``, cut in the name if it is too long."""
        assert self._archive is not None
        [row] = map(self.veil.row, self._archive.rows(array("q", [key])).window(0, 1))
        behind = f" {duration_text(row.duration_s)}".rstrip() + behind
        who = safe_text(row.contact or row.number or row.id, 100)
        room = max(NAME_CELLS, message_cells(self.size.width) - cell_len(before + behind))
        return before + fit(who, min(cell_len(who), room)) + behind

    def _enqueue(self, write: Write) -> None:
        self._writes.put(write)
        self._unseen |= write.keys
        if not self._writing:
            self._writing = True
            self._write_all()

    @work(group="triage", exit_on_error=False)
    async def _write_all(self) -> None:
        writes = self._writes
        try:
            while writes:
                saying = self.set_timer(SAY_S, partial(self._say_keeping, writes.next_calls()))
                await asyncio.to_thread(writes.write_next)
                saying.stop()
                self._say_keeping()
                while writes.failed:
                    self._unseen = self._leaving = frozenset()
                    failed = writes.failed.popleft()
                    if not failed.write.changes:
                        self._undoing -= 1
                        self._drop_typed()
                    self._flash(f"not kept: {failed.error}", "error")
                while writes.written:
                    write, answer = writes.written.popleft()
                    write.then(answer)
                    self._unseen -= write.keys
                self._table.refresh_rows()
                self._look()
        finally:
            self._writing = False

    def _say_keeping(self, calls: int | None = None) -> None:
        """Say what is being written: a step about so many calls, 0: one that takes another back."""
        what = "undoing" if calls == 0 else f"keeping {counted(calls, 'call')}" if calls else ""
        if what != self.keeping:
            self.keeping = what
            self._show_progress()

    def _write_rest(self) -> None:
        """At the end of the screen: what waits is written, and what was not kept is known."""
        failed = self._writes.finish(FLASH_S["error"])
        for one in failed:
            _log.error("a step was not kept: %s", one.error)
        if failed and self._archive:
            from tui.screens.unsaved_triage import unsaved_text

            steps = unkept(self._archive, failed)
            self.not_kept = unsaved_text(steps, self.services.paths.archive_file)

    # -- where to go on

    def _go_on(self) -> bool:
        """To the next call to decide below, else to the next; play it if that is wanted. Whether
        there is one. Raises `ArchiveError`.
        """
        table = self._table
        played = self._chosen_playing() is not None
        before = table.current_key
        index = self._near_untriaged(1)
        table.move_to(table.cursor + 1 if index is None else index)
        if table.current_key == before and not table.owes:
            return False
        if played and self.playback.audio.autoplay:
            self.action_play()
        return True

    def action_untriaged(self, step: int) -> None:
        """To the next (1) or previous (-1) call that nobody has decided about."""
        try:
            index = self._near_untriaged(step)
        except ArchiveError as error:
            self._say_unread(error)
            return
        if index is None:
            self._find_untriaged(step)
        else:
            self._table.move_to(index)

    def _near_untriaged(self, step: int) -> int | None:
        """Where the nearest call to decide stands, within `LOOK_AHEAD` rows.

        Raises `ArchiveError`.
        """
        assert self._archive is not None
        keys, at = self._snapshot.part.keys, self._table.cursor
        if step > 0:
            start, near = at + 1, keys[at + 1 : at + 1 + LOOK_AHEAD]
        else:
            start, near = max(0, at - LOOK_AHEAD), keys[max(0, at - LOOK_AHEAD) : at]
        undecided = self._archive.matching(near, Query((UNTRIAGED,))) - self._unseen
        places = range(len(near)) if step > 0 else range(len(near) - 1, -1, -1)
        return next((start + place for place in places if near[place] in undecided), None)

    @work(group="find", exclusive=True, exit_on_error=False)
    async def _find_untriaged(self, step: int) -> None:
        """Beyond the near rows: the archive knows, in another thread, for it may take a while."""
        self._say_jump("looking for an untriaged call")
        here, unseen = self._table.current_key, self._unseen
        query, sort = Query((*self._query.terms, UNTRIAGED)), self.sort
        some = len(unseen) + 1

        def ask(archive: CallArchive) -> int:
            if step > 0:
                keys = archive.keys(query, sort, limit=some, after=here)
            else:
                keys = archive.keys(query, sort, limit=some, before=here, from_end=True)
            return next((key for key in keys if key not in unseen), 0)

        try:
            found = await self._ask_archive(ask) if here is not None else 0
        except CallNotFound:  # the call has gone meanwhile; the rows are read anew because of it
            return
        except ArchiveError as error:
            self._say_unread(error)
            self._drop_typed()
            return
        finally:
            self._say_jump("")
        if found:
            self._show_call(found)
        elif found == 0:
            self._flash(f"no untriaged call {'below' if step > 0 else 'above'}")

    def _player_changed(self, view: PlayerView) -> None:
        if self.playback.playing != self._commented:
            self._mark_comments()
        super()._player_changed(view)

    def _mark_comments(self) -> None:
        """Show on the waveform where the recording that plays is commented."""
        self._commented = playing = self.playback.playing
        times_s: tuple[float, ...] = ()
        if playing is not None and self._archive is not None:
            name = playing.account, playing.call.id
            times_s = self._archive.triage.comments(*name, playing.index)
        self.playback.comments_s = times_s

    def _shown(self) -> None:
        """Rows were read anew."""
        self._mark_comments()
        self.query_one(Waveform).wave = self.playback.wave

    # -- the player

    def _playing_here(self) -> Playing | None:
        """What sounds or can go on, if it is of the chosen call."""
        return self._chosen_playing() if self.playback.has_sound else None

    def _chosen_playing(self) -> Playing | None:
        """What was played last, also where that failed, if it is of the chosen call."""
        key, playing = self._table.current_key, self.playback.playing
        if playing is None or key is None:
            return None
        assert self._archive is not None
        here = self._archive.key_of(playing.account, playing.call.id) == key
        return playing if here else None

    @on(CallDetail.MomentChosen)
    def _moment_chosen(self, event: CallDetail.MomentChosen) -> None:
        playing = self._playing_here()
        if playing and playing.index == event.recording:
            self.playback.seek_by(event.at_s - self.playback.view.position_s)
        elif current := self._current():
            self._play(*current, event.recording, start_s=event.at_s)


def _undo(archive: CallArchive, services: Services) -> tuple[Undone, int | None] | None:
    """The step that was taken back, and the key of its first call that is still here."""
    undone = archive.triage.undo(services.person)
    if undone is None:
        return None
    kinds = [change.kind for change in undone.changes]
    record_holds(services.paths, undone.calls, kinds, undone=True)
    keys: Iterable[int | None] = (archive.key_of(*name) for name in undone.calls)
    return undone, next((key for key in keys if key is not None), None)
