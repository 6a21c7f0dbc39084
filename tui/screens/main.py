"""The main screen: sidebar, query line, call table, detail, player and status line.

It owns the state (query, order, current call, what is being synced) and answers the widgets'
messages. It reads the archive and never the network: syncs run beside it and write there.
"""

from __future__ import annotations

import asyncio
import gc
from array import array
from collections.abc import Mapping
from typing import ClassVar

from textual import events, on
from textual._time import get_time
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.reactive import var

from providers.model import Call
from tui.call_links import Link
from tui.config.accounts import Account
from tui.config.settings import Settings, put
from tui.config.views import views
from tui.playback.views import Playing
from tui.query.dates import DAY_S
from tui.query.parser import Query, Term
from tui.screens import state
from tui.screens.asking import AskingScreen
from tui.screens.keeping import KeepingScreen
from tui.screens.keymap import bindings
from tui.screens.masking import MaskingScreen
from tui.screens.querying import QueryingScreen
from tui.screens.row_window import RowWindow
from tui.screens.waiting import WaitingScreen
from tui.services import Services
from tui.triage_section import triage_section
from tui.vendor_thread import VendorThread
from widgets.call_detail import CallDetail
from widgets.call_document import Extra
from widgets.call_table import CallTable
from widgets.columns import DEFAULT_COLUMNS, Clock
from widgets.empty_state import EmptyState
from widgets.filter_line import FilterLine
from widgets.key_line import KeyLine
from widgets.masking import VeiledRows
from widgets.player_line import PlayerLine
from widgets.sidebar import Sidebar, ViewItem
from widgets.status_line import StatusLine, rows_text
from widgets.waveform import Waveform

PAGE = 100
LOOK_S = 1.0
"""How often the archive is asked whether anybody wrote to it."""
PAINT_S = 0.03
RECORDED = Term("recording", "rec")
WIDE = 170
NORMAL = 100


class MainScreen(WaitingScreen, QueryingScreen, AskingScreen, MaskingScreen, KeepingScreen):
    """See the module."""

    BINDINGS: ClassVar[list[BindingType]] = bindings()
    AUTO_FOCUS = "#table"

    beside: var[bool] = var(True)
    """Whether a wide screen shows the detail beside the table."""
    sidebar_wanted: var[bool | None] = var(None)
    """As the user chose; None: by the width."""

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
        super().__init__(services, network, keymap)
        self.veil.on = masked or settings.app.masked
        self.settings = settings
        self.set_reactive(MainScreen.query_text, first_query)
        self._link = link

    def compose(self) -> ComposeResult:
        with Horizontal(id="body"):
            yield Sidebar(id="sidebar")
            with Vertical(id="list"):
                yield FilterLine(id="query")
                yield CallTable(id="table")
                yield EmptyState(id="empty")
            yield CallDetail(id="detail")
        yield Waveform(id="waveform")
        yield PlayerLine(id="player")
        yield StatusLine(id="status")
        yield KeyLine(id="keys")

    # -- start

    def on_mount(self) -> None:
        self._archive = self.services.open_archive()
        if why := self._archive.read_only:
            self.notify(str(why), severity="warning", timeout=30, markup=False)
        self.accounts = [*self.services.accounts.list()]
        table = self.query_one(CallTable)
        table.columns = self.settings.table.columns or DEFAULT_COLUMNS
        self._own_sort = state.sort_of(self.settings.table.sort)
        self.sort = table.sort = self._order_of_view() or self._own_sort
        self.query_one(Sidebar).views = tuple(
            ViewItem(view.name, view.title, view.key or "") for view in views(self.settings)
        )
        self._parse()
        self.query_one(FilterLine).show(self.query_text)
        self._mark_sidebar()
        self._version = self._archive.change_token()
        now, trouble = state.first(self._archive, self.accounts, self._order)
        self._show(now, keep=False)
        if trouble:
            self.call_after_refresh(self._say_unread, trouble)
        self._lay_out()
        if self._link:
            self._open_link(self._link)
        self.set_interval(LOOK_S, self._look)
        self.set_interval(LOOK_S, self._look_for_speakers)
        if self.settings.app.refresh_s:
            self.set_interval(self.settings.app.refresh_s, self._refresh)
        # a moment later: what follows would hold up the thread that writes the first paint
        self.call_after_refresh(self.set_timer, PAINT_S, self._after_first_paint)

    def _open_link(self, link: Link) -> None:
        assert self._archive is not None
        key = self._archive.key_of(link.account, link.id)
        if key is None:
            self._flash(f"{link.name} is not in the archive", "warning")
            return
        self._go_to_call(key)
        self._show_progress()

    def _after_first_paint(self) -> None:
        if not gc.isenabled():  # the start put it off; what is there by now stays to the end
            gc.collect()
            gc.freeze()
            gc.enable()
        self._add_prompt()
        self._reload()
        self._started = True
        self._refresh()
        tidying = asyncio.to_thread(self.playback.tidy)
        self.run_worker(tidying, group="tidy", exit_on_error=False)
        indexing = asyncio.to_thread(state.bring_up_to_date, self.services, lambda: self._has_ended)
        self.run_worker(indexing, group="index", exit_on_error=False)
        self._sweep()
        self.set_interval(DAY_S, self._sweep)
        self._show_states()

    async def on_unmount(self) -> None:
        self._has_ended = True
        self._end_reading()
        await self.syncs.close()  # the last steps need not wait for its writing
        self._write_rest()
        await self.playback.close()
        if self._archive:
            self._archive.close()

    @property
    def clock(self) -> Clock:
        return Clock(self.services.now(), self.services.zone)

    # -- the archive

    def _show(self, snapshot: state.Snapshot, keep: bool) -> None:
        assert self._archive is not None
        self._snapshot = snapshot
        self._note_shown()
        table = self.query_one(CallTable)
        table.clock = self.clock
        if self._filling and table.cursor == 0 and not self.detail_open:
            keep = False  # the first calls that come need not be the newest
            self._before_filling = (get_time(), table.current_key)
        part = snapshot.part
        rows = self._archive.rows(part.keys, part.begins, part.ends)
        table.set_rows(VeiledRows(rows, self.veil), keep=keep, row=part.row)
        if not (self._stale or self._writing):
            self._leaving = frozenset()
        self._shown()
        self._show_states()
        if self.detail_shown:
            self._show_detail()
        self._filling = self._filling and (bool(self._busy) or self._stale)
        if self._more_wanted and table.near_end:
            self._bring_more()

    def _show_states(self) -> None:
        """Sidebar, status line, and what stands in an empty table's place."""
        if self._snapshot.titles:
            self.query_one(Sidebar).accounts = state.account_items(
                self.accounts, self._snapshot, self._busy, self.clock, self.veil
            )
        self._show_position()
        self._show_progress()
        empty = not len(self._snapshot.part.keys)
        notice = self.query_one(EmptyState)
        if empty:
            notice.kind, sentence = state.notice(
                self.accounts, self._snapshot, self._query, self._busy, self._why_not_kept
            )
            notice.sentence = self.veil.text(sentence)
            notice.keys = state.notice_keys(notice.kind, self.keymap)
        notice.display = empty
        # the header stays, and with it the focus
        self.query_one(CallTable).set_class(empty, "-empty")

    def _show_progress(self) -> None:
        """What is being kept, what runs, and with which key that ends; else where a link plays, or
        which account has a trouble.
        """
        going_on = (self.exporting, self.downloading, self.syncs.progress)
        running = " · ".join(filter(None, going_on))
        if running:
            running += f" ({self._key('cancel')} stops)"
        why = self._why_not_kept
        troubles = state.troubles(self.accounts, self._snapshot, self.clock, why)
        self.query_one(StatusLine).progress = self.keeping or running or self._place() or troubles

    def _show_position(self) -> None:
        table = self.query_one(CallTable)
        part, known = self._snapshot.part, self._known_total
        loaded = part.seen if known is None else known
        total, complete = state.total_of(self.accounts, self._snapshot, self._query, loaded)
        complete = complete and (loaded > 0 or not self._busy)
        first, last = table.visible_rows
        shown = None if part.above is None else (part.above + first + 1, part.above + last + 1)
        rows = rows_text(shown, loaded, total, PAGE, complete, counted=known is not None)
        marked = f"{len(table.marked):,} marked · " if table.marked else ""
        masked = "masked · " if self.veil.on else ""
        self.query_one(StatusLine).left = masked + marked + rows

    # -- the table

    def _go_to_call(self, key: int, query: str | None = None, opened: bool = True) -> None:
        assert self._archive is not None
        table = self.query_one(CallTable)
        if query is not None and query != self.query_text:
            self._put_query(query)
        elif not table.move_to_key(key) and not self._archive.matching([key], self._query):
            self._put_query("")
        if table.current_key != key:
            # it is shown at once; the others come round it
            alone = RowWindow(array("q", [key]), begins=False, ends=False, above=None)
            self._show(self._snapshot._replace(part=alone), keep=False)
            self._reload()
        self.detail_open = opened
        self.set_focus(self.query_one(CallDetail) if opened else table)

    @on(CallTable.Highlighted)
    def _highlighted(self) -> None:
        self._expect_play()
        self._mask_again()
        if self._link:
            self._show_progress()
        if self._started:
            self._reach()
        if self.detail_shown:
            self._show_detail()

    @on(CallTable.Opened)
    def action_open(self) -> None:
        if self.query_one(CallTable).current_key is None:
            self._flash("no call to open", "warning")
            return
        self.detail_open = True
        self.set_focus(self.query_one(CallDetail))

    async def action_in_table(self, action: str) -> None:
        """What a key of the table does."""
        await self.query_one(CallTable).run_action(action)

    @on(CallTable.Scrolled)
    def _scrolled(self) -> None:
        self._show_position()

    def action_columns(self) -> None:
        from widgets.column_chooser import ColumnChooser

        table = self.query_one(CallTable)

        def answered(chosen: tuple[str, ...] | None) -> None:
            if chosen:
                table.columns = chosen
                keeping = asyncio.to_thread(_keep_columns, self.services, chosen)
                self.run_worker(keeping, group="columns", exit_on_error=False)

        self.app.push_screen(ColumnChooser(table.columns), answered)

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
        found = self._archive.call(key) if key is not None else None
        playing = self.playback.playing
        detail = self.query_one(CallDetail)
        if found is None:
            detail.show(None, "", self.clock)
            return
        account, call = found
        here = playing and (playing.account, playing.call.id) == (account, call.id)
        if self.detail_open and self._may_have_more(account, call):
            self._ask_recordings(account, call.id)
        asking = self._asked == f"{account}:{call.id}"
        related, more = self._related(key) if key is not None else ((), False)
        index = playing.index if playing and here else None
        extra = Extra(
            triage_section(self._archive, account, call, self.clock, self.veil.hides(key)),
            playing=index,
            asking=asking,
            heard=state.heard_words(self._archive, account, call, self.clock, index),
            related=related,
            more_related=more,
            related_key=self._key("related"),
        )
        detail.show(self.veil.call(key, call), account, self.clock, extra)

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
        table_side, detail = self.query_one("#list"), self.query_one(CallDetail)
        self.query_one(Sidebar).display = sidebar
        table_side.display = wide or not shown
        detail.display = shown
        for pane in (table_side, detail):
            pane.set_class(shown and wide, "-beside")
        if shown:
            self._show_detail()
        self._show_hints()
        if self.focused is None or not self.focused.focusable:
            self.set_focus(detail if self.detail_open else self.query_one(CallTable))

    # -- what the player's keys ask for

    def _current(self) -> tuple[Account, Call] | None:
        assert self._archive is not None
        key = self.query_one(CallTable).current_key
        found = self._archive.call(key) if key is not None else None
        account = self._account(found[0]) if found else None
        if found is None or account is None:
            self._flash("no call is chosen", "warning")
            return None
        return account, found[1]

    async def _call_after(self, playing: Playing) -> tuple[Account, Call] | None:
        assert self._archive is not None
        here, part = self._archive.key_of(playing.account, playing.call.id), self._snapshot.part
        if here is None or not self._archive.matching([here], self._query):
            return None
        held = here in part.keys
        key = state.next_recorded(self._archive, part.keys, here) if held else None
        if key is None and not (held and part.ends):
            order = Query((*self._query.terms, RECORDED)), self.sort
            after = part.keys[-1] if held else here
            keys = await self._ask_archive(lambda a: a.keys(*order, limit=1, after=after))
            key = keys[0] if keys else None
        found = self._archive.call(key) if key is not None else None
        account = self._account(found[0]) if found else None
        if key is None or found is None or account is None:
            return None
        if self.query_one(CallTable).current_key == here:
            self._show_call(key)
        return account, found[1]

    # -- panes and other screens

    def action_toggle_sidebar(self) -> None:
        self.sidebar_wanted = not self.query_one(Sidebar).display
        if not self.sidebar_wanted and self.query_one(Sidebar).has_focus:
            self.set_focus(self.query_one(CallTable))
        self._recount(anew=True)

    def action_toggle_detail(self) -> None:
        if self._is_wide:
            self.beside, self.detail_open = not self.detail_shown, False
        else:
            self.detail_open = not self.detail_open
        self.set_focus(self.query_one(CallDetail if self.detail_open else CallTable))

    def action_next_pane(self) -> None:
        self.focus_next()

    def action_previous_pane(self) -> None:
        self.focus_previous()

    @on(events.DescendantFocus)
    @on(events.DescendantBlur)
    def _show_hints(self) -> None:
        self.query_one(KeyLine).hints = state.key_hints(
            self.keymap,
            editing=self._typing,
            back=bool(self.detail_open or self.query_text),
        )

    @on(KeyLine.Pressed)
    async def _hint_pressed(self, event: KeyLine.Pressed) -> None:
        if event.action:
            await self.run_action(event.action)

    @property
    def _typing(self) -> bool:
        """Whether a query, or the answer to a question, is being typed."""
        prompting = self._prompt is not None and self._prompt.editing
        return prompting or self.query_one(FilterLine).editing

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """No command while a text is typed or a second key waited for; back only where it goes."""
        if action == "copy_it":  # an answer, maybe while the next question waits already
            return True
        if self.is_mounted and (self._typing or self.query_one(KeyLine).choices):
            return False
        if action in ("open", "in_table"):
            return isinstance(self.focused, CallTable)
        return action != "back" or bool(self.detail_open or self.query_text or self._jumps)

    def _close_detail(self) -> None:
        if self.detail_open:
            self.detail_open = False
            self.set_focus(self.query_one(CallTable))

    def action_back(self) -> None:
        """One step back: rows that are being read, a jump to a related call, the detail, then the
        query.
        """
        if self._jumps:
            if self._end_jump():
                self._flash("stopped; the rows are those of before")
            return
        if self._back_on_trail():
            return
        if self.detail_open:
            self._close_detail()
        else:
            self._go_to("", back=True)

    def action_leave(self) -> None:
        if self.detail_open or self.query_text:
            self.action_back()
        else:
            self.app.exit()

    def action_help(self) -> None:
        from tui.screens.help import HelpScreen

        self.app.push_screen(HelpScreen(self.keymap))

    def action_accounts(self) -> None:
        from tui.screens.accounts import AccountsScreen

        self.app.push_screen(AccountsScreen(self.services, self.network), self._accounts_left)

    def _accounts_left(self, changed: bool | None) -> None:
        if changed:
            self.accounts = [*self.services.accounts.list()]
            self._reload()
            self._refresh()


def _keep_columns(services: Services, columns: tuple[str, ...]) -> None:
    put(services.paths, "table", "columns", list(columns))
