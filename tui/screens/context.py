"""What the main screen and its controllers share: services, what is shown, words, workers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Protocol, TypeVar

from textual import events
from textual.screen import Screen
from textual.timer import Timer

from providers.model import Call
from tui import audit_log
from tui.archive.errors import ArchiveDamaged
from tui.archive.interface import CallArchive
from tui.archive.records import NEWEST_FIRST, SortOrder
from tui.commands import first_key
from tui.config.accounts import Account
from tui.query.parser import EVERYTHING, Query
from tui.screens.archive_reads import ArchiveReads
from tui.screens.keymap import command_of
from tui.screens.row_window import Order, RowWindow
from tui.screens.snapshot import NOTHING, Snapshot
from tui.services import Services
from tui.vendor_thread import VendorThread
from widgets.columns import Clock
from widgets.masking import Veil
from widgets.ordered_app import OrderedApp

T = TypeVar("T")


SAY_S = 0.3
"""What takes longer is said."""


class Cursor(Protocol):
    """Where the user is among the rows: the table's own state."""

    marked: frozenset[int]
    """Keys of the rows that are marked."""
    owes: int
    """Rows that the cursor was moved on beyond those given."""
    range_waits: bool
    """Whether a range is being marked that begins at a row that is not given."""

    @property
    def cursor(self) -> int:
        """The cursor's row, from 0."""

    @property
    def current_key(self) -> int | None:
        """The key of the call under the cursor."""

    @property
    def range_start(self) -> int | None:
        """The key of the call that the range begins at that is being marked."""

    def end_range(self) -> None:
        """Whatever is marked by now stays so."""

    def move_to(self, index: int) -> None:
        """Put the cursor on this row, the nearest where there is no such."""

    def move_to_key(self, key: int) -> bool:
        """Put the cursor on this call; False when it is not among the rows."""

    def refresh_rows(self) -> None:
        """Read the rows again, whose number and order did not change."""


class Say(Protocol):
    """Tells the user; `level` is info, warning or error, `news` what nobody asked for."""

    def __call__(self, text: str, level: str = "info", *, news: bool = False) -> None: ...


class ScreenContext:
    """Belongs to the screen's loop. Controllers read what is shown here, and write none of it but
    what is theirs.
    """

    def __init__(
        self,
        screen: Screen[None],
        cursor: Cursor,
        services: Services,
        network: VendorThread,
        keymap: Mapping[str, str],
        say: Say,
        said: Callable[[], str],
    ) -> None:
        self._screen, self.cursor = screen, cursor
        self.services, self.network, self.keymap, self.say = services, network, keymap, say
        self._said = said
        """What stands in the status line."""
        self.reads = ArchiveReads(services)
        self.archive: CallArchive | None = None
        """The screen's own connection, from the mount on."""
        self.accounts: list[Account] = []
        self.veil = Veil()
        """What is masked of the calls that are shown."""
        self.query_text = ""
        """The query line: what the table shows, and the views and accounts set."""
        self.query: Query = EVERYTHING
        """The same, as far as it was understood."""
        self.snapshot: Snapshot = NOTHING
        self.sort: SortOrder = NEWEST_FIRST
        """The order of the rows: a column, and whether it descends."""
        self.has_ended = False
        """Whether work in other threads is to end; Textual's `is_mounted` stays true to the end."""

    @property
    def clock(self) -> Clock:
        """Now and here."""
        return Clock(self.services.now(), self.services.zone)

    @property
    def order(self) -> Order:
        """Which rows there are, and in which order."""
        return Order(self.query, self.sort)

    @property
    def asked(self) -> tuple[str, SortOrder]:
        """Query and order as they were asked for; other ones are other rows."""
        return self.query_text, self.sort

    def replace_part(self, part: RowWindow) -> None:
        """Other rows are held, or more is known of them."""
        self.snapshot = self.snapshot._replace(part=part)

    def account(self, name: str) -> Account | None:
        return next((account for account in self.accounts if account.name == name), None)

    def current_call(self) -> tuple[Account, Call] | None:
        """The call under the cursor; None, after saying why, when there is none. Raises
        `ArchiveDamaged`.
        """
        key = self.cursor.current_key
        found = self.archive.call(key) if self.archive and key is not None else None
        account = self.account(found[0]) if found else None
        if found is None or account is None:
            self.say("no call is chosen", "warning")
            return None
        return account, found[1]

    def key(self, id: str) -> str:
        """The key of a command, as the user has mapped it."""
        return first_key(id, self.keymap)

    def say_unread(self, error: Exception) -> None:
        if str(error) not in self._said():  # what was not kept tells more
            damaged = isinstance(error, ArchiveDamaged)
            self.say(str(error) if damaged else f"the archive cannot be read: {error}", "error")

    # -- beside the screen

    def record(self, act: str, **what: Any) -> None:
        """Write to the audit log; a disk that hangs must not hold the screen up."""
        self.work(
            partial(asyncio.to_thread, audit_log.record, self.services.paths, act, **what), "audit"
        )

    async def copy(self, text: str) -> str:
        """Copy to the clipboard; by which way."""
        from tui.export.clipboard import copy

        app = self._screen.app

        def by_terminal(text: str) -> None:
            app.call_from_thread(app.copy_to_clipboard, text)

        return await asyncio.to_thread(copy, text, self.services.environ, by_terminal)

    def after(self, seconds: float, do: Callable[[], object]) -> Timer:
        """Do it on the screen's loop when so much time has gone by."""
        return self._screen.set_timer(seconds, do)

    def later(self, do: Callable[[], object]) -> None:
        """Do it when what has come by now has been done."""
        self._screen.call_later(do)

    def drop_typed(self) -> None:
        """Of what was typed behind something that failed, do nothing but quit, and say so."""

        def quits(event: events.Event) -> bool:
            return isinstance(event, events.Key) and command_of(event.key, self.keymap) == "quit"

        app = self._screen.app
        if isinstance(app, OrderedApp) and (keys := app.drop_typed(quits)):
            self.say(f"{dropped_text(keys)}: what they waited for failed", "warning")

    # -- questions

    def ask(self, dialog: Screen[T], answered: Callable[[T | None], None]) -> None:
        """Show a dialog now, so that what is typed right behind goes there."""
        self._screen.app.push_screen(dialog, answered)

    def show(self, dialog: Screen[Any]) -> None:
        """Show a dialog that answers nothing."""
        self._screen.app.push_screen(dialog)

    def confirm(self, title: str, text: str, then: Callable[[], None], **labels: str) -> None:
        """Ask, and do it after a yes. `labels`: `yes` and `no`."""
        from widgets.confirm import Confirm

        def answered(yes: bool | None) -> None:
            if yes:
                then()

        self.ask(Confirm(title, text, **labels), answered)

    # -- workers: what fails in one is told by the screen

    def work(
        self, work: Callable[[], Awaitable[object]], group: str, *, exclusive: bool = False
    ) -> None:
        """Run it beside the screen; `exclusive` ends what else runs in this group."""
        self._screen.run_worker(work, group=group, exclusive=exclusive, exit_on_error=False)

    def is_working(self, group: str) -> bool:
        """Whether a worker of a group is at work."""
        return any(one.group == group and not one.is_finished for one in self._screen.workers)

    def cancel(self, *groups: str) -> int:
        """End the workers of these groups; how many there were."""
        workers = [one for one in self._screen.workers if one.group in groups]
        for one in workers:
            one.cancel()
        return len(workers)


def dropped_text(keys: int) -> str:
    """``3 keys dropped``."""
    return f"{keys} key{'s' if keys != 1 else ''} dropped"
