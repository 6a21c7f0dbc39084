"""The main screen: sidebar, query line, call table, detail, player and status line.

It owns the state (query, order, current call, what is being synced) and answers the widgets'
messages. It reads the archive and never the network: syncs run beside it and write there.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.reactive import var
from textual.screen import Screen
from textual.widgets import Footer, Input

from providers import registry
from providers.errors import ProviderError, RecordingError
from providers.model import Call
from tui.accounts import Account
from tui.archive import Archive
from tui.keymap import bindings
from tui.network import NetworkThread
from tui.playback import Playback, trouble
from tui.query import EVERYTHING, Query, parse
from tui.screens import state
from tui.screens.syncs import Syncs
from tui.services import Services
from tui.settings import Settings, put
from tui.sync import Report, Wish
from tui.views import views
from widgets.call_detail import CallDetail
from widgets.call_document import Extra
from widgets.call_table import CallTable
from widgets.columns import DEFAULT_COLUMNS, Clock
from widgets.empty_state import EmptyState
from widgets.player_line import PlayerLine, PlayerView
from widgets.sidebar import ALL, Sidebar, ViewItem
from widgets.status_line import StatusLine, rows_text

PAGE = 100
FIRST_PAGES = 3
"""Pages of an account's first walk that a start brings; the rest comes as the cursor nears it."""
DISCOVER_MISSES = 20
LOOK_S = 1.0
"""How often the archive is asked whether anybody wrote to it."""
WIDE = 170
NORMAL = 100


class MainScreen(Screen[None]):
    """See the module."""

    BINDINGS: ClassVar[list[BindingType]] = bindings()
    AUTO_FOCUS = "#table"

    query_text: var[str] = var("")
    """The query line: what the table shows, and the views and accounts set."""
    sort: var[tuple[str, bool]] = var(("time", True))
    detail_open: var[bool] = var(False)
    """Whether the detail was opened; on a wide screen it stands beside the table."""
    beside: var[bool] = var(True)
    """Whether a wide screen shows the detail beside the table."""
    sidebar_wanted: var[bool | None] = var(None)
    """As the user chose; None: by the width."""

    def __init__(
        self, services: Services, settings: Settings, network: NetworkThread, first_query: str
    ) -> None:
        super().__init__()
        self.services, self.settings, self.network = services, settings, network
        self.playback = Playback(services, network, self._player_changed)
        self.syncs = Syncs(services, network, self._show_states, self._sync_ended)
        self.accounts: list[Account] = []
        self.set_reactive(MainScreen.query_text, first_query)
        self._query = EVERYTHING
        self._archive: Archive | None = None
        self._snapshot = state.NOTHING
        self._version = 0
        self._before_filter = ""

    def compose(self) -> ComposeResult:
        with Horizontal(id="body"):
            yield Sidebar(id="sidebar")
            with Vertical(id="list"):
                yield Input(
                    placeholder="name, #4567, missed, yesterday, agent:anna, dur>120 ...",
                    id="query",
                    classes="-hidden",
                    compact=True,
                )
                yield CallTable(id="table")
                yield EmptyState(id="empty", classes="-hidden")
            yield CallDetail(id="detail", classes="-hidden")
        yield PlayerLine(id="player")
        yield StatusLine(id="status")
        yield Footer(compact=True, show_command_palette=False)

    # -- start

    def on_mount(self) -> None:
        self._archive = self.services.open_archive()
        self.accounts = [*self.services.accounts.list()]
        table = self.query_one(CallTable)
        table.columns = self.settings.table.columns or DEFAULT_COLUMNS
        self.query_one(Sidebar).views = tuple(
            ViewItem(view.name, view.title, view.key or "") for view in views(self.settings)
        )
        self._parse()
        self._version = self._archive.version()
        first = state.take(self._archive, self.accounts, self._query, self.sort, state.FIRST_ROWS)
        self._show(first, keep=False)
        self._lay_out()
        self.set_interval(LOOK_S, self._look)
        if self.settings.app.refresh_s:
            self.set_interval(self.settings.app.refresh_s, self.action_refresh)
        self.call_after_refresh(self._after_first_paint)

    def _after_first_paint(self) -> None:
        self._reload()
        self.syncs.start(self.accounts, Wish(pages=FIRST_PAGES, patient=False))

    async def on_unmount(self) -> None:
        await self.playback.close()
        if self._archive:
            self._archive.close()

    @property
    def clock(self) -> Clock:
        return Clock(self.services.now(), self.services.zone)

    # -- the archive

    def _look(self) -> None:
        """Somebody wrote (a sync here, or another Ringback): show it."""
        if self._archive and (version := self._archive.version()) != self._version:
            self._version = version
            self._reload()

    @work(group="rows", exclusive=True, exit_on_error=False)
    async def _reload(self, keep: bool = True) -> None:
        """Read the order of all rows beside the screen, then show it."""
        snapshot = await asyncio.to_thread(
            state.take_apart, self.services, self.accounts, self._query, self.sort
        )
        self._show(snapshot, keep)

    def _show(self, snapshot: state.Snapshot, keep: bool) -> None:
        assert self._archive is not None
        self._snapshot = snapshot
        table = self.query_one(CallTable)
        table.clock = self.clock
        table.set_rows(self._archive.rows(snapshot.keys), keep=keep)
        self._show_states()
        if self.detail_shown:
            self._show_detail()

    def _show_states(self) -> None:
        """Sidebar, status line, and what stands in an empty table's place."""
        clock = self.clock
        self.query_one(Sidebar).accounts = state.account_items(
            self.accounts, self._snapshot, self.syncs.busy, clock
        )
        self._show_position()
        empty = not len(self._snapshot.keys)
        notice = self.query_one(EmptyState)
        if empty:
            notice.kind, notice.sentence = state.notice(
                self.accounts, self._snapshot, self._query, self.syncs.busy
            )
        notice.set_class(not empty, "-hidden")
        self.query_one(CallTable).set_class(empty, "-hidden")
        self.query_one(StatusLine).progress = self.syncs.progress

    def _show_position(self) -> None:
        table = self.query_one(CallTable)
        first, last = table.visible_rows
        loaded = len(self._snapshot.keys)
        total, complete = state.total_of(self.accounts, self._snapshot, self._query, loaded)
        complete = complete and self._snapshot.complete
        status = self.query_one(StatusLine)
        status.left = rows_text(first + 1, last + 1, loaded, total, PAGE, complete)

    # -- the query

    def _parse(self) -> None:
        query = parse(self.query_text, self.services.now(), self.services.zone)
        self._query = Query(query.terms)
        if query.problems:
            problem = query.problems[0]
            self._flash(f"at {problem.start + 1}: {problem.message}", "warning")

    def _set_query(self, text: str) -> None:
        if text != self.query_text:
            self.query_text = text
            self._parse()
            self._mark_sidebar()
            self._reload(keep=False)

    def _mark_sidebar(self) -> None:
        """Mark the view or account that the query line stands for, if it is one."""
        items = {f"account:{account.name}": ("account", account.name) for account in self.accounts}
        items |= {view.query: ("view", view.name) for view in views(self.settings)}
        self.query_one(Sidebar).selected = items.get(self.query_text.strip(), ALL)

    def action_filter(self) -> None:
        line = self.query_one("#query", Input)
        self._before_filter = self.query_text
        line.value = self.query_text
        line.remove_class("-hidden")
        line.focus()

    def _close_filter(self) -> None:
        self.query_one("#query", Input).set_class(not self.query_text, "-hidden")
        self.query_one(CallTable).focus()

    @on(Input.Changed, "#query")
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if self.query_one("#query", Input).has_focus:
            self._set_query(event.value)

    @on(Input.Submitted, "#query")
    def _accepted(self, event: Input.Submitted) -> None:
        event.stop()
        self._close_filter()

    @on(Sidebar.Chosen)
    def _chosen(self, event: Sidebar.Chosen) -> None:
        queries = {view.name: view.query for view in views(self.settings)}
        self._go_to(
            {"account": f"account:{event.id}", "view": queries.get(event.id, "")}.get(
                event.kind, ""
            )
        )

    def _go_to(self, text: str) -> None:
        """Show what a view or an account stands for."""
        line = self.query_one("#query", Input)
        line.value = text
        line.set_class(not text, "-hidden")
        self.detail_open = False
        self._set_query(text)
        if not self.query_one(Sidebar).has_focus:
            self.query_one(CallTable).focus()

    def action_view(self, number: int) -> None:
        for view in views(self.settings):
            if view.key == str(number):
                self._go_to(view.query)
                return
        self._flash(f"no view has the key {number}", "warning")

    # -- the table

    @on(CallTable.Highlighted)
    def _highlighted(self, event: CallTable.Highlighted) -> None:
        self._show_position()
        if self.detail_shown:
            self._show_detail()

    @on(CallTable.Opened)
    def _opened(self, event: CallTable.Opened) -> None:
        self.detail_open = True
        self.query_one(CallDetail).focus()

    @on(CallTable.NearEnd)
    def _near_end(self, event: CallTable.NearEnd) -> None:
        """More of the vendor's pages, as long as there are some."""
        waiting = [
            account
            for account in state.shown_accounts(self.accounts, self._query)
            if self._snapshot.walks.get(account.name)
        ]
        if self._snapshot.complete:
            self.syncs.start(waiting, Wish(pages=1, patient=False, more=True))

    @on(CallTable.SortRequested)
    def _sort_requested(self, event: CallTable.SortRequested) -> None:
        self.sort = (event.column_id, event.descending)
        self.query_one(CallTable).sort = self.sort
        self._reload(keep=False)

    @work(group="dialog", exit_on_error=False)
    async def action_columns(self) -> None:
        from widgets.column_chooser import ColumnChooser

        table = self.query_one(CallTable)
        chosen = await self.app.push_screen_wait(ColumnChooser(table.columns))
        if chosen:
            table.columns = chosen
            await asyncio.to_thread(_keep_columns, self.services, chosen)

    # -- the detail

    @property
    def detail_shown(self) -> bool:
        return self.detail_open or (self._is_wide and self.beside)

    @property
    def _is_wide(self) -> bool:
        return self.size.width >= WIDE

    def _show_detail(self) -> None:
        assert self._archive is not None
        key = self.query_one(CallTable).current_key
        found = self._archive.get_key(key) if key is not None else None
        playing = self.playback.playing
        detail = self.query_one(CallDetail)
        if found is None:
            detail.show(None, "", self.clock)
            return
        account, call = found
        here = playing and (playing.account, playing.call.id) == (account, call.id)
        extra = Extra(playing=playing.index if playing and here else None)
        detail.show(call, account, self.clock, extra)
        if self.detail_open and not call.recordings_known:
            self._ask_recordings(account, call.id)

    @work(group="recordings", exclusive=True, exit_on_error=False)
    async def _ask_recordings(self, account_name: str, call_id: str) -> None:
        """The list of recordings of the opened call, where the vendor has it apart."""
        from tui.jobs import learn_recordings

        account = self._account(account_name)
        if account is None:
            return
        try:
            await self.network.run(
                lambda archive: learn_recordings(self.services, account, archive, call_id)
            )
        except ProviderError as error:
            self._flash(f"{account_name}: {error}", "error")
        self._look()

    def _account(self, name: str) -> Account | None:
        return next((account for account in self.accounts if account.name == name), None)

    def watch_detail_open(self) -> None:
        self._lay_out()

    def watch_beside(self) -> None:
        self._lay_out()

    def watch_sidebar_wanted(self) -> None:
        self._lay_out()

    def on_resize(self) -> None:
        self._lay_out()

    def _lay_out(self) -> None:
        """Which panes stand beside each other at this width."""
        if not self.is_mounted or self._archive is None:
            return
        wide, shown = self._is_wide, self.detail_shown
        sidebar = self.sidebar_wanted
        if sidebar is None:
            sidebar = self.size.width >= NORMAL
        self.query_one(Sidebar).set_class(sidebar, "-shown")
        self.query_one("#list").set_class(shown and not wide, "-hidden")
        self.query_one("#list").set_class(shown and wide, "-beside")
        detail = self.query_one(CallDetail)
        detail.set_class(not shown, "-hidden")
        detail.set_class(shown and wide, "-beside")
        if shown:
            self._show_detail()

    # -- syncs

    def action_refresh(self) -> None:
        self.syncs.start(self.accounts, Wish(pages=FIRST_PAGES, patient=False))

    def action_load_all(self) -> None:
        self.syncs.start(state.shown_accounts(self.accounts, self._query), Wish())

    def action_discover(self) -> None:
        given = [one for one in self.accounts if not lists_calls(one)]
        if not given:
            self._flash("no account has calls by id", "warning")
        self.syncs.start(given, Wish(discover=DISCOVER_MISSES, patient=False))

    def action_cancel_work(self) -> None:
        stopped = self.syncs.cancel()
        for worker in self.workers:
            if worker.group in ("play", "download", "recordings"):
                worker.cancel()
                stopped += 1
        self._flash(f"{stopped} stopped; what came is kept" if stopped else "nothing is running")

    def _sync_ended(self, report: Report) -> None:
        if report.error:
            self._flash(f"{report.account}: {report.error}. {report.error.hint}", "error")
        elif report.problems:
            count = len(report.problems)
            self._flash(f"{report.account}: {count} failed, first: {report.problems[0]}", "warning")
        elif report.saved.new:
            self._flash(f"{report.account}: {report.saved.new:,} new calls")
        self._look()

    # -- the player

    def _current(self) -> tuple[Account, Call] | None:
        assert self._archive is not None
        key = self.query_one(CallTable).current_key
        found = self._archive.get_key(key) if key is not None else None
        account = self._account(found[0]) if found else None
        if found is None or account is None:
            self._flash("no call is chosen", "warning")
            return None
        return account, found[1]

    def action_play(self) -> None:
        current = self._current()
        playing = self.playback.playing
        here = (
            current
            and playing
            and (playing.account, playing.call.id)
            == (
                current[0].name,
                current[1].id,
            )
        )
        if here and self.playback.view.status in ("playing", "paused", "finished"):
            self.playback.toggle()
        elif current:
            self._play(*current, 0)

    @work(group="play", exclusive=True, exit_on_error=False)
    async def _play(self, account: Account, call: Call, index: int) -> None:
        await self.playback.play(account, call, index)

    @on(CallDetail.RecordingChosen)
    def _recording_chosen(self, event: CallDetail.RecordingChosen) -> None:
        if current := self._current():
            self._play(*current, event.index)

    def action_recording(self, step: int) -> None:
        playing = self.playback.playing
        account = self._account(playing.account) if playing else None
        if playing and account:
            index = playing.index + step
            if 0 <= index < len(playing.call.recordings):
                self._play(account, playing.call, index)
            else:
                self._flash("the call has no further recording", "warning")

    def _player_changed(self, view: PlayerView) -> None:
        line = self.query_one(PlayerLine)
        begins = view.status != line.state.status
        line.state = view
        if begins and self.detail_shown:
            self._show_detail()

    @on(PlayerLine.SeekRequested)
    def _seek_requested(self, event: PlayerLine.SeekRequested) -> None:
        self.playback.seek_to(event.fraction)

    def action_seek(self, seconds: float) -> None:
        self.playback.seek_by(seconds)

    def action_restart(self) -> None:
        self.playback.seek_to(0)

    def action_stop(self) -> None:
        self.workers.cancel_group(self, "play")
        self.playback.stop()

    def action_speed(self, step: float) -> None:
        self.playback.change_speed(step)

    def action_normal_speed(self) -> None:
        self.playback.change_speed(None)

    def action_volume(self, step: float) -> None:
        self.playback.change_volume(step)

    @work(group="download", exit_on_error=False)
    async def action_download(self) -> None:
        """Save the call's recordings in the current folder."""
        current = self._current()
        if current is None:
            return
        account, call = current
        self._flash("downloading ...")
        try:
            paths = await self.playback.download(account, call, Path.cwd())
        except (ProviderError, RecordingError, OSError) as error:
            self._flash(trouble(error), "error")
        else:
            self._flash(f"saved {', '.join(map(str, paths))}")

    # -- panes and other screens

    def action_toggle_sidebar(self) -> None:
        self.sidebar_wanted = not self.query_one(Sidebar).has_class("-shown")
        if not self.sidebar_wanted and self.query_one(Sidebar).has_focus:
            self.query_one(CallTable).focus()

    def action_toggle_detail(self) -> None:
        if self._is_wide:
            self.beside, self.detail_open = not self.detail_shown, False
        else:
            self.detail_open = not self.detail_open
        (self.query_one(CallDetail) if self.detail_open else self.query_one(CallTable)).focus()

    def action_next_pane(self) -> None:
        self.focus_next()

    def action_previous_pane(self) -> None:
        self.focus_previous()

    def action_back(self) -> None:
        """One step back: the filter, the detail, the query."""
        line = self.query_one("#query", Input)
        if line.has_focus:
            self._set_query(self._before_filter)
            line.value = self._before_filter
            self._close_filter()
        elif self.detail_open:
            self.detail_open = False
            self.query_one(CallTable).focus()
        elif self.query_text:
            self._go_to("")
        else:
            self.query_one(CallTable).focus()

    def action_leave(self) -> None:
        if self.detail_open or self.query_text:
            self.action_back()
        else:
            self.app.exit()

    def action_help(self) -> None:
        from tui.screens.help import HelpScreen

        self.app.push_screen(HelpScreen(self.settings.keys))

    @work(group="dialog", exit_on_error=False)
    async def action_accounts(self) -> None:
        from tui.screens.accounts import AccountsScreen

        changed = await self.app.push_screen_wait(AccountsScreen(self.services, self.network))
        if changed:
            self.accounts = [*self.services.accounts.list()]
            self._reload()
            self.action_refresh()

    def _flash(self, text: str, level: str = "info") -> None:
        self.query_one(StatusLine).flash(text, level)


def _keep_columns(services: Services, columns: tuple[str, ...]) -> None:
    put(services.paths, "table", "columns", list(columns))


def lists_calls(account: Account) -> bool:
    try:
        return registry.load(account.provider).capabilities.lists_calls
    except ProviderError:
        return True
