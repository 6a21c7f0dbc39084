"""The main screen: sidebar, query line, call table, detail, player and status line.

It puts the widgets together, holds what they show, and hands their messages and the commands to
its controllers, each of which has a state of its own and knows no widget. It reads the archive and
never the network: syncs run beside it and write there.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import actions, events, getters, on
from textual._callback import invoke
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.reactive import var
from textual.widget import Widget

from tui.archive.errors import ArchiveDamaged
from tui.archive.records import NEWEST_FIRST, SortOrder
from tui.call_links import Link
from tui.commands import COMMANDS_BY_ID
from tui.config.settings import Settings
from tui.query.dates import DAY_S
from tui.screens.actions import ScreenActions
from tui.screens.activity import Activity
from tui.screens.context import ScreenContext
from tui.screens.controllers import Controllers
from tui.screens.key_holder import KeyHolder
from tui.screens.keymap import bindings, key_hints
from tui.screens.notices import notice_keys, notice_of, position_text, troubles_of
from tui.screens.panes import Panes
from tui.screens.reporting import ReportingScreen
from tui.screens.sidebar_items import account_items
from tui.screens.snapshot import Snapshot, first_snapshot
from tui.services import Services
from tui.vendor_thread import VendorThread
from widgets.call_detail import CallDetail
from widgets.call_table import CallTable
from widgets.columns import DEFAULT_COLUMNS
from widgets.empty_state import EmptyState
from widgets.filter_line import Choices, FilterLine
from widgets.key_line import KeyHint, KeyLine
from widgets.masking import VeiledRows
from widgets.ordered_app import GivenUp, HoldingScreen, OrderedApp
from widgets.player_line import PlayerLine, PlayerView
from widgets.sidebar import ALL, AccountItem, FacetItem, Sidebar, ViewItem
from widgets.status_line import StatusLine
from widgets.waveform import Wave, Waveform

if TYPE_CHECKING:
    from widgets.prompt_line import PromptLine

LOOK_S = 1.0
"""How often the archive is asked whether anybody wrote to it."""
PAINT_S = 0.03
COUNTING = ("count", "range", "find", "doubt")
"""Groups of workers that count or look for calls and names."""


class MainScreen(HoldingScreen, ReportingScreen[None]):
    """See the module; which keys wait stands in `tui.commands`, for what in `_moves_cursor`."""

    BINDINGS: ClassVar[list[BindingType]] = bindings()
    AUTO_FOCUS = "#table"

    detail_open: var[bool] = var(False, bindings=True)
    """Whether the detail was opened; on a wide screen it stands beside the table."""
    query_text: var[str] = var("", bindings=True)
    """The query line: what the table shows, and the views and accounts set."""
    sort: var[SortOrder] = var(NEWEST_FIRST)
    problem: var[tuple[int, str] | None] = var(None)
    """What is wrong with the query, as `FilterLine.problem`."""
    accounts: var[tuple[AccountItem, ...]] = var(())
    views: var[tuple[ViewItem, ...]] = var(())
    facets: var[tuple[FacetItem, ...]] = var(())
    selected: var[tuple[str, str]] = var(ALL)
    """Kind and id of the sidebar's item that the query stands for."""
    position: var[str] = var("")
    """Where the cursor is, and of how many."""
    progress: var[str] = var("")
    """What runs, or is wrong with an account."""
    waiting: var[str] = var("")
    """What is waited for, and how to stop it."""
    player_view: var[PlayerView] = var(PlayerView())
    wave: var[Wave | None] = var(None, always_update=True)
    hints: var[tuple[KeyHint, ...]] = var(())

    sidebar = getters.query_one(Sidebar)
    filter_line = getters.query_one(FilterLine)
    detail = getters.query_one(CallDetail)
    status = getters.query_one(StatusLine)
    key_line = getters.query_one(KeyLine)

    def __init__(
        self,
        services: Services,
        settings: Settings,
        network: VendorThread,
        keymap: Mapping[str, str],
        first_query: str,
        link: Link | None = None,
        masked: bool = False,
    ) -> None:
        super().__init__()
        self.services, self.settings, self.keymap = services, settings, keymap
        self.table = CallTable(id="table")
        self.ctx = ScreenContext(
            self, self.table, services, network, keymap, self._say, lambda: self.status.message
        )
        self.ctx.veil.on = masked or settings.app.masked
        self.ctx.query_text = first_query
        self.set_reactive(MainScreen.query_text, first_query)
        self.panes = Panes(self)
        self.controllers = Controllers(self)
        self.calls, self.sync = self.controllers.calls, self.controllers.sync
        self.player, self.triage = self.controllers.player, self.controllers.triage
        self.holder = KeyHolder(self)
        self._actions = ScreenActions(self).table()
        self._link = link
        self.own_activity = Activity.STARTING | Activity.FILLING
        """Of what the screen itself does; see `activity`."""
        self._prompt: PromptLine | None = None

    def compose(self) -> ComposeResult:
        main = MainScreen
        with Horizontal(id="body"):
            yield Sidebar(id="sidebar").data_bind(
                main.accounts, main.views, main.facets, main.selected
            )
            with Vertical(id="list"):
                yield FilterLine(id="query").data_bind(main.problem)
                yield self.table.data_bind(main.sort)
                yield EmptyState(id="empty")
            yield CallDetail(id="detail")
        yield Waveform(id="waveform").data_bind(main.wave)
        yield PlayerLine(id="player").data_bind(state=main.player_view)
        yield StatusLine(id="status").data_bind(main.progress, main.waiting, left=main.position)
        yield KeyLine(id="keys").data_bind(main.hints)

    # -- start and end

    def on_mount(self) -> None:
        ctx = self.ctx
        ctx.archive = self.services.open_archive()
        if why := ctx.archive.read_only:
            self.notify(str(why), severity="warning", timeout=30, markup=False)
        ctx.accounts = [*self.services.accounts.list()]
        self.table.columns = self.settings.table.columns or DEFAULT_COLUMNS
        self.calls.use_settings(self.settings)
        self.calls.put_query(ctx.query_text)
        self.calls.rows.note_version()
        now, trouble = first_snapshot(ctx.archive, ctx.accounts, ctx.order)
        self.show_rows(now, keep=False)
        if trouble:
            self.call_after_refresh(ctx.say_unread, trouble)
        self.panes.lay_out()
        if self._link:
            self._open_link(self._link)
        self.set_interval(LOOK_S, self.calls.look)
        self.set_interval(LOOK_S, self.player.look_for_speakers)
        self.set_interval(LOOK_S, self.controllers.upkeep.look_for_accounts)
        if self.settings.app.refresh_s:
            self.set_interval(self.settings.app.refresh_s, self.sync.sync)
        stops, goes_on = self.app.app_suspend_signal, self.app.app_resume_signal
        stops.subscribe(self, self.player.playback.pause_while_stopped, immediate=True)
        goes_on.subscribe(self, self._goes_on)
        # a moment later: what follows would hold up the thread that writes the first paint
        self.call_after_refresh(self.set_timer, PAINT_S, self._after_first_paint)

    def _open_link(self, link: Link) -> None:
        assert self.ctx.archive is not None
        self.player.expect_link(link)
        key = self.ctx.archive.key_of(link.account, link.id)
        if key is None:
            self.ctx.say(f"{link.name} is not in the archive", "warning")
            return
        self.panes.go_to_call(key)
        self.show_progress()

    def _after_first_paint(self) -> None:
        from widgets.prompt_line import PromptLine  # which would cost it a few milliseconds

        if not gc.isenabled():  # the start put it off; what is there by now stays to the end
            gc.collect()
            gc.freeze()
            gc.enable()
        self._prompt = PromptLine(id="prompt")
        self.mount(self._prompt, before="#status")
        self.calls.rows.reload()
        self.own_activity &= ~Activity.STARTING
        self.sync.start()
        self.controllers.upkeep.start(self.player.playback.tidy)
        self.set_interval(DAY_S, self.controllers.upkeep.sweep)
        self.show_states()

    def _goes_on(self, _: object) -> None:
        """The program was stopped for a while: what is shown is to be of now."""
        self.player.playback.hold.end()
        self.calls.rows.look_anew()
        if self.services.settings().app.refresh_s:
            self.sync.sync()

    async def on_unmount(self) -> None:
        self.ctx.has_ended = True
        self.ctx.reads.end()
        await self.sync.close()  # the last steps need not wait for its writing
        self.triage.finish()
        await self.player.close()
        if self.ctx.archive:
            self.ctx.archive.close()

    async def _dispatch_message(self, message: Message) -> None:
        """What meets a damaged page is said, and does not end the screen."""
        try:
            await super()._dispatch_message(message)
        except ArchiveDamaged as error:
            self.ctx.say_unread(error)

    # -- what is shown

    @property
    def activity(self) -> Activity:
        """What goes on by itself; false when everything rests."""
        counting = any(map(self.ctx.is_working, COUNTING))
        return (
            self.own_activity
            | self.calls.rows.activity
            | (Activity.SYNCING if self.sync.busy else Activity.NOTHING)
            | (Activity.WRITING if self.triage.is_writing else Activity.NOTHING)
            | (Activity.COUNTING if counting else Activity.NOTHING)
        )

    def _say(self, text: str, level: str = "info", *, news: bool = False) -> None:
        self.status.flash(self.ctx.veil.text(text), level, news=news)

    def show_rows(self, snapshot: Snapshot, keep: bool) -> None:
        self.ctx.snapshot = snapshot
        self.calls.note_shown()
        table = self.table
        table.clock = self.ctx.clock
        if self.own_activity & Activity.FILLING and table.cursor == 0 and not self.detail_open:
            keep = False  # the first calls that come need not be the newest
            self.holder.note_cursor_taken()
        table.set_rows(self._rows(), keep=keep, row=snapshot.part.row)
        outdated = self.calls.rows.activity & Activity.OUTDATED
        if not outdated:
            self.triage.rows_read()
        self.player.show_comments()
        self.show_states()
        self.panes.show_detail_beside()
        if not (self.sync.busy or outdated):
            self.own_activity &= ~Activity.FILLING
        if self.sync.wants_more and table.near_end:
            self.sync.bring_more()

    def show_more_rows(self) -> None:
        self.table.set_rows(self._rows())
        self.show_position()

    def _rows(self) -> VeiledRows:
        assert self.ctx.archive is not None
        part = self.ctx.snapshot.part
        rows = self.ctx.archive.rows(part.keys, part.begins, part.ends)
        return VeiledRows(rows, self.ctx.veil)

    def show_query(self, *, in_line: bool) -> None:
        self.query_text, self.sort = self.ctx.query_text, self.ctx.sort
        if in_line:
            self.filter_line.show(self.query_text)
        self.show_hints()

    def show_choices(self, choices: Choices) -> None:
        self.filter_line.choices = choices

    def show_states(self) -> None:
        """Sidebar, status line, and what stands in an empty table's place."""
        ctx, busy = self.ctx, self.sync.busy
        if ctx.snapshot.titles:
            self.accounts = account_items(ctx.accounts, ctx.snapshot, busy, ctx.clock, ctx.veil)
        self.show_position()
        self.show_progress()
        empty = not len(ctx.snapshot.part.keys)
        notice = self.query_one(EmptyState)
        if empty:
            why = self.sync.why_not_kept
            shown = notice_of(ctx.accounts, ctx.snapshot, ctx.query, busy, why)
            notice.kind, sentence = shown
            notice.sentence = ctx.veil.text(sentence)
            notice.keys = notice_keys(notice.kind, self.keymap)
        notice.display = empty
        # the header stays, and with it the focus
        self.table.set_class(empty, "-empty")

    def show_progress(self) -> None:
        """What is being kept, what runs, and with which key that ends; else where a link plays, or
        which account has a trouble.
        """
        going_on = self.controllers.exports.progress, self.player.progress, self.sync.progress
        running = " · ".join(filter(None, going_on))
        running += running and f" ({self.ctx.key('cancel')} stops)"
        shown = self.ctx.accounts, self.ctx.snapshot, self.ctx.clock, self.sync.why_not_kept
        said = self.triage.progress or running or self.player.link_words
        self.progress = said or troubles_of(*shown)

    def show_position(self) -> None:
        """Where the cursor is, of how many, and how many are marked."""
        ctx, marked = self.ctx, len(self.table.marked)
        rows = position_text(
            ctx.accounts,
            ctx.snapshot,
            ctx.query,
            self.calls.counts.total,
            self.table.visible_rows,
            bool(self.sync.busy),
        )
        masked = "masked · " if ctx.veil.on else ""
        self.position = masked + (f"{marked:,} marked · " if marked else "") + rows

    def show_player(self, view: PlayerView, wave: Wave | None) -> None:
        self.player_view, self.wave = view, wave

    def show_anew(self) -> None:
        """Everything that may tell of people, as the veil says now."""
        self.facets = ()
        self.calls.counts.recount(anew=True)
        self.calls.problems.show()
        self.player.show_anew()
        self.show_states()
        self.show_calls_anew()

    def show_calls_anew(self) -> None:
        self.table.refresh_rows()
        self.panes.show_detail_beside()

    def on_resize(self) -> None:
        self.panes.lay_out()

    def watch_detail_open(self) -> None:
        self.panes.lay_out()

    # -- what the widgets say

    @on(CallTable.Highlighted)
    def _highlighted(self) -> None:
        self.player.expect_play()
        self.controllers.masks.cursor_moved()
        if self.player.has_link:
            self.show_progress()
        if not self.own_activity & Activity.STARTING:
            self.calls.rows.reach()
        self.panes.show_detail_beside()

    @on(CallTable.Scrolled)
    @on(CallTable.Marked)
    def _scrolled(self) -> None:
        self.show_position()

    @on(CallTable.NearEnd)
    def _near_end(self) -> None:
        self.sync.bring_more()

    @on(CallTable.EdgeWanted)
    def _edge_wanted(self, event: CallTable.EdgeWanted) -> None:
        self.calls.rows.reload("last" if event.last else "first")

    @on(CallTable.RangeWanted)
    def _range_wanted(self) -> None:
        self.calls.rows.read_range()

    @on(CallTable.SortRequested)
    def _sort_requested(self, event: CallTable.SortRequested) -> None:
        self.calls.sort_by(event.column_id, event.descending)

    @on(CallTable.Opened)
    async def _opened(self) -> None:
        await self.action_command("table.open")

    @on(Sidebar.Chosen)
    def _item_chosen(self, event: Sidebar.Chosen) -> None:
        self.calls.choose(event.kind, event.id)

    @on(FilterLine.Edited)
    def _query_edited(self, event: FilterLine.Edited) -> None:
        self.calls.edit(event.text)

    @on(CallDetail.RecordingChosen)
    @on(CallDetail.MomentChosen)
    @on(CallDetail.CallChosen)
    def _chosen_in_detail(self, event: Message) -> None:
        match event:
            case CallDetail.RecordingChosen(index=index):
                self.player.play_recording(index)
            case CallDetail.MomentChosen(recording=index, at_s=at_s):
                self.player.play_moment(index, at_s)
            case CallDetail.CallChosen(key=key):
                self.controllers.trail.go_to(key)

    @on(Waveform.SeekRequested)
    def _seek_requested(self, event: Waveform.SeekRequested) -> None:
        self.player.playback.seek_to(event.fraction)

    @on(KeyLine.Pressed)
    async def _hint_pressed(self, event: KeyLine.Pressed) -> None:
        if event.action:
            await self.run_action(event.action)

    @on(KeyLine.Refused)
    def _key_refused(self) -> None:
        self.controllers.exports.refuse_key()

    @on(events.DescendantFocus)
    @on(events.DescendantBlur)
    def show_hints(self) -> None:
        back = bool(self.detail_open or self.query_text)
        self.hints = key_hints(self.keymap, editing=self.is_typing, back=back)

    # -- keys that wait for the rows of what was asked before them

    def holds(self, event: events.Event) -> bool:
        return self.holder.holds(event)

    def moves(self, event: events.Event) -> bool:
        return self.holder.moves(event)

    def say_waiting(self, keys: int) -> None:
        self.holder.say_waiting(keys)

    def give_up(self, event: events.Key, drop: Callable[[], int]) -> GivenUp:
        return self.holder.give_up(event, drop)

    @property
    def moves_cursor(self) -> bool:
        """Whether keys that act on calls wait: where the cursor will be is not known yet."""
        rows = self.calls.rows
        reads = self.triage.is_writing or rows.activity & (Activity.READING | Activity.OUTDATED)
        leaves = bool(reads) and self.triage.may_leave(self.table.current_key)
        return (
            self.triage.is_undoing or leaves or self.controllers.exports.asks or rows.moves_cursor
        )

    def on_key_line_closed(self) -> None:
        """As a dialog, it takes the key with it that closed it."""
        if isinstance(self.app, OrderedApp):
            self.app.note_closed()

    on_prompt_line_closed = on_key_line_closed

    # -- commands

    @property
    def is_typing(self) -> bool:
        """Whether a query, or the answer to a question, is being typed."""
        prompting = self._prompt is not None and self._prompt.editing
        return prompting or self.is_editing()

    def is_editing(self) -> bool:
        return self.filter_line.editing

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """No command while a text is typed or a second key waited for; back only where it goes."""
        if action == "copy_it":  # an answer, maybe while the next question waits already
            return True
        if self.is_mounted and (self.is_typing or self.key_line.choices):
            return False
        if action == "in_table" or parameters == ("table.open",):
            return isinstance(self.focused, CallTable)
        shown = self.detail_open or self.query_text or self.calls.notice.is_recent
        return parameters != ("back",) or bool(shown)

    async def action_command(self, id: str) -> None:
        """What a command of the list does."""
        _, name, arguments = actions.parse(COMMANDS_BY_ID[id].action)
        await invoke(self._actions[name], *arguments)

    async def action_in_table(self, action: str) -> None:
        """What a key of the table does."""
        await self.table.run_action(action)

    def action_copy_it(self, what: str) -> None:
        """What the second key of a copy does."""
        self.controllers.exports.copy(what)

    def ask_line(
        self, label: str, answered: Callable[[str], None], words: Sequence[str], text: str = ""
    ) -> None:
        back: Widget = self.detail if self.detail_open else self.table
        if self._prompt is not None:
            self._prompt.ask(label, answered, back, words, text)

    def accounts_changed(self) -> None:
        self.ctx.accounts = [*self.services.accounts.list()]
        self.calls.rows.reload()
        self.sync.accounts_changed()
