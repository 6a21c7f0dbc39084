"""The main screen as its user has it: what is typed, what is seen, and when it rests.

Nothing else in the tests looks behind the screen; what is private to it is reached from here alone.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widget import Widget

from providers.model import CallRow
from tests.ui.page_player import PagePlayer
from tui.app import RingbackApp
from tui.archive.records import SyncPeriod
from tui.call_links import Link
from tui.screens.activity import Activity
from tui.screens.main import MainScreen
from tui.screens.row_window import RowWindow
from tui.services import Services
from widgets.call_detail import CallDetail
from widgets.call_table import CallTable
from widgets.key_line import KeyLine
from widgets.ordered_app import OrderedApp
from widgets.player_line import PlayerLine
from widgets.sidebar import Sidebar
from widgets.status_line import StatusLine

NAMES = {
    "/": "slash",
    "\r": "enter",
    "\x1b": "escape",
    "\x02": "pagedown",
    "\x04": "ctrl+d",
    "\x11": "ctrl+q",
    "\x13": "ctrl+s",
    "\x18": "ctrl+x",
    " ": "space",
    ">": "greater_than_sign",
    "<": "less_than_sign",
    ":": "colon",
    "?": "question_mark",
    "#": "number_sign",
    "-": "minus",
}
"""What Textual calls keys, but for those that are called as they are typed."""
WAIT_S = 15.0
"""So long a test waits for what it expects, whatever else the machine does."""
LOOK_S = 0.01
BESIDE = frozenset(("play", "dialog"))
"""Groups of workers that wait for a recording's end, or for an answer."""


class CallsPage:
    """One run of the application under a pilot."""

    def __init__(self, pilot: Pilot[None]) -> None:
        assert isinstance(pilot.app, RingbackApp)
        self.pilot = pilot
        self.app: RingbackApp = pilot.app
        self.window, self.sound = PageWindow(self), PagePlayer(self)

    # -- what its user does

    async def press(self, *keys: str) -> None:
        """Press keys, by Textual's names, each when the one before has been done."""
        await self.pilot.press(*keys)

    async def type_text(self, text: str) -> None:
        """Type a text, as fast as a line may bring it."""
        self.burst(text)
        await self.pilot.pause()

    def burst(self, keys: str) -> None:
        """Type all of them before any is looked at."""
        for char in keys:
            self.app.post_message(events.Key(NAMES.get(char, char), char))

    async def click(self, target: Widget | type[Widget], x: int, y: int) -> None:
        await self.pilot.click(target, offset=(x, y))

    async def resize(self, width: int, height: int) -> None:
        await self.pilot.resize_terminal(width, height)
        await self.pilot.pause()

    def suspend(self) -> None:
        """As the shell stops the program."""
        self.app._suspend_signal()

    def resume(self) -> None:
        self.app._resume_signal()

    # -- waiting

    async def pause(self, least_s: float | None = None) -> None:
        """Wait until what was done last has been done, whatever goes on beside it."""
        await self.pilot.pause(least_s)

    async def until(self, true: Callable[[], object], wait_s: float = WAIT_S) -> None:
        """Wait for a condition; fails with what stands on the screen."""
        deadline = time.monotonic() + wait_s
        while not true():
            assert time.monotonic() < deadline, self.text
            await asyncio.sleep(LOOK_S)

    async def idle(self) -> None:
        """Wait until no key waits, no account is asked, nothing is read, counted or written, what
        came is on the screen, and esc goes back again.
        """
        await self.until(lambda: self.is_started)
        for _ in range(2):  # what one look brings about is waited for by the other
            await self.until(lambda: not self._works, 2 * WAIT_S)
            self.look()
            await self.until(
                lambda: not self._works and not self.screen.calls.notice.is_recent, 2 * WAIT_S
            )
            await self.pilot.pause()

    @property
    def is_started(self) -> bool:
        """Whether all that follows the first paint has begun."""
        return not self.screen.activity & Activity.STARTING

    @property
    def _works(self) -> bool:
        workers = (worker for worker in self.app.workers if worker.group not in BESIDE)
        waits = self.app._typed or self.app._dealer
        return bool(waits or self.syncing or any(not worker.is_finished for worker in workers))

    @property
    def syncing(self) -> frozenset[str]:
        """The accounts that are asked now."""
        return self.screen.sync._syncs.busy

    @property
    def waits_for_rows(self) -> bool:
        """Whether a key that acts on calls would wait."""
        return bool(self.screen.moves_cursor or self.app._typed)

    @property
    def is_reading(self) -> bool:
        """Whether rows are being read."""
        return bool(self.screen.activity & Activity.READING)

    @property
    def esc_stops(self) -> bool:
        """Whether esc would give up a reading, or would have a moment ago."""
        return self.screen.calls.notice.is_recent

    # -- what its user sees

    @property
    def screen(self) -> MainScreen:
        """The main screen, also beneath a dialog."""
        screen = self.app.screen_stack[0]
        assert isinstance(screen, MainScreen)
        return screen

    @property
    def top(self) -> Screen[Any]:
        """The screen that has the keys."""
        return self.app.screen

    @property
    def has_dialog(self) -> bool:
        return self.top is not self.screen

    @property
    def focused(self) -> Widget | None:
        return self.app.focused

    @property
    def panes(self) -> set[str]:
        """Which of sidebar, list and detail are shown."""
        return {
            id_ for id_ in ("sidebar", "list", "detail") if self.screen.query_one(f"#{id_}").display
        }

    @property
    def text(self) -> str:
        """All that stands on the screen."""
        strips = self.top._compositor.render_strips()[: self.app.size.height]
        return "\n".join("".join(s.text for s in line).rstrip() for line in strips)

    @property
    def table(self) -> CallTable:
        return self.screen.query_one(CallTable)

    @property
    def sidebar(self) -> Sidebar:
        return self.screen.query_one(Sidebar)

    @property
    def status_line(self) -> StatusLine:
        return self.screen.query_one(StatusLine)

    @property
    def header(self) -> str:
        """The names of the columns."""
        return text_of(self.table).splitlines()[0]

    @property
    def rows(self) -> list[str]:
        """The table's lines on the screen, without its header and the blank ones below."""
        return text_of(self.table).rstrip("\n").splitlines()[1:]

    @property
    def row(self) -> str:
        """The line of the cursor."""
        return next(row for row in self.rows if row.startswith(">"))

    @property
    def detail(self) -> str:
        return text_of(self.screen.query_one(CallDetail))

    @property
    def whole_detail(self) -> str:
        """The detail, also what is scrolled away."""
        lines = self.screen.query_one(CallDetail).lines
        return "\n".join("".join(text for text, _ in line) for line in lines)

    @property
    def detail_is_open(self) -> bool:
        return self.screen.detail_open

    @property
    def status(self) -> str:
        return text_of(self.status_line)

    @property
    def player(self) -> str:
        return text_of(self.screen.query_one(PlayerLine))

    @property
    def hints(self) -> str:
        """The last line: keys, or the choices of which one is waited for."""
        return text_of(self.screen.query_one(KeyLine))

    @property
    def awaits_choice(self) -> bool:
        """Whether a second key is waited for."""
        return bool(self.screen.query_one(KeyLine).choices)

    @property
    def is_typing(self) -> bool:
        """Whether a line of text is being typed."""
        return self.screen.is_typing

    @property
    def notices(self) -> str:
        """What pops up beside the screen, with what has gone by its time."""
        return " ".join(notice.message for notice in self.app._notifications)

    def unflash(self) -> None:
        """Take the message in the status line away, as its time does."""
        self.status_line.unflash()

    # -- calls

    @property
    def query(self) -> str:
        return self.screen.query_text

    @property
    def sort(self) -> tuple[str, bool]:
        return self.screen.sort

    @property
    def sort_without_views(self) -> tuple[str, bool]:
        """The order that comes back behind a view with one of its own."""
        return self.screen.calls._own_sort

    @property
    def count(self) -> int:
        """How many rows can be gone to."""
        return len(self.table._rows)

    def calls(self, most: int = 500) -> Sequence[CallRow]:
        """The first of them, in their order."""
        return self.table._rows.window(0, most)

    @property
    def cursor(self) -> int:
        return self.table.cursor

    @property
    def key(self) -> int | None:
        """The archive's key of the call under the cursor."""
        return self.table.current_key

    @property
    def call(self) -> CallRow | None:
        """The call under the cursor."""
        return self.table._blocks.row(self.table.cursor)

    @property
    def call_id(self) -> str:
        """The vendor's id of it; empty when there is none."""
        return self.call.id if self.call else ""

    @property
    def call_name(self) -> tuple[str, str]:
        """Account and id of it."""
        assert self.call is not None, self.text
        return self.call.account, self.call.id

    @property
    def marked(self) -> frozenset[int]:
        return self.table.marked

    def walks(self, account: str) -> Sequence[SyncPeriod]:
        """The unfinished walks of an account, as the screen knows them."""
        return self.screen.ctx.snapshot.walks[account]

    @property
    def has_read_all(self) -> bool:
        """Whether what the first paint leaves out has been read."""
        return bool(self.screen.ctx.snapshot.titles)

    # -- what happens to it by itself, at once

    def look(self) -> None:
        """As once a second: show what was written to the archive."""
        self.screen.calls.look()

    def reload(self) -> None:
        """Read the rows anew, as when a sync brought calls."""
        self.screen.calls.rows.reload()

    def begin_syncs(self, monkeypatch: pytest.MonkeyPatch, *accounts: str) -> None:
        """As while the syncs of the start run."""
        monkeypatch.setattr(type(self.screen.sync), "busy", frozenset(accounts))
        self.screen.own_activity |= Activity.FILLING

    def read_slowly(self, what: str) -> None:
        """As while something is read that takes long; empty: it has been read."""
        self.screen.calls.say_reading(what)

    def sort_by(self, column: str, descending: bool) -> None:
        """In another order, without the keys that go there."""
        self.screen.calls.sort_by(column, descending)

    def go_to_call(self, key: int) -> None:
        """To any call, as to a related one."""
        self.screen.panes.go_to_call(key)

    def close_detail(self) -> None:
        self.screen.panes.leave_detail()


class PageWindow:
    """The part of the rows that the screen holds, and where the cursor is among all."""

    def __init__(self, page: CallsPage) -> None:
        self._page = page

    @property
    def held(self) -> RowWindow:
        """The part of the rows that the screen holds."""
        return self._page.screen.ctx.snapshot.part

    @property
    def place(self) -> int:
        """The cursor's row among all, from 0."""
        assert self.held.above is not None, self._page.text
        return self.held.above + self._page.cursor

    @property
    def keys_on_screen(self) -> dict[int, int]:
        """Keys of the rows on the screen, by where they stand among all."""
        above, (first, last) = self.held.above, self._page.table.visible_rows
        assert above is not None, self._page.text
        shown = enumerate(self._page.table._blocks.row(index) for index in range(first, last + 1))
        return {above + first + n: row.key for n, row in shown if row}

    @property
    def is_extending(self) -> bool:
        """Whether more rows are read for a cursor near the end of those that are held."""
        return bool(self._page.screen.activity & Activity.EXTENDING)


@asynccontextmanager
async def open_page(
    services: Services,
    query: str = "",
    *,
    link: Link | None = None,
    masked: bool = False,
    size: tuple[int, int] = (80, 24),
    notifications: bool = False,
) -> AsyncIterator[CallsPage]:
    """The application over `services` in a terminal of `size`, columns and rows."""
    app = RingbackApp(services, query, link, masked)
    async with app.run_test(size=size, notifications=notifications) as pilot:
        yield CallsPage(pilot)


def count_rests(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Gets an item each time that keys wait until all is done that those before brought about."""
    rests: list[object] = []
    rest = OrderedApp._rest

    async def counted(self: OrderedApp[Any]) -> None:
        rests.append(self)
        await rest(self)

    monkeypatch.setattr(OrderedApp, "_rest", counted)
    return rests


def text_of(widget: Widget) -> str:
    """What a widget of lines shows."""
    return "\n".join(widget.render_line(y).text.rstrip() for y in range(widget.size.height))
