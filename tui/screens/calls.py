"""What every part of the main screen leans on: services, accounts, keys, the status line."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import TypeVar

from textual import events
from textual.message import Message
from textual.reactive import var

from tui.archive.errors import ArchiveDamaged
from tui.archive.interface import CallArchive
from tui.commands import first_key
from tui.config.accounts import Account
from tui.query.parser import EVERYTHING, Query
from tui.screens import state
from tui.screens.keymap import command_of
from tui.screens.reporting import ReportingScreen
from tui.services import Services
from tui.vendor_thread import VendorThread
from widgets.masking import Veil
from widgets.ordered_app import OrderedApp
from widgets.status_line import StatusLine

T = TypeVar("T")


class CallsScreen(ReportingScreen[None]):
    """A screen over the accounts' calls; `AskingScreen` and `PlayingScreen` add their keys."""

    detail_open: var[bool] = var(False, bindings=True)
    """Whether the detail was opened; on a wide screen it stands beside the table."""

    def __init__(
        self, services: Services, network: VendorThread, keymap: Mapping[str, str]
    ) -> None:
        super().__init__()
        self.services, self.network, self.keymap = services, network, keymap
        self.veil = Veil()
        """What is masked of the calls that are shown."""
        self.accounts: list[Account] = []
        self._query: Query = EVERYTHING
        self._reading = self._stale = False
        """Whether rows are being read, and whether they must be read again."""
        self._snapshot = state.NOTHING
        self._has_ended = False
        """Whether work in other threads is to end; Textual's `is_mounted` stays true to the end."""

    def _account(self, name: str) -> Account | None:
        return next((account for account in self.accounts if account.name == name), None)

    def _key(self, id: str) -> str:
        """The key of a command, as the user has mapped it."""
        return first_key(id, self.keymap)

    def _flash(self, text: str, level: str = "info", *, news: bool = False) -> None:
        self.query_one(StatusLine).flash(self.veil.text(text), level, news=news)

    async def _dispatch_message(self, message: Message) -> None:
        """What meets a damaged page is said, and does not end the screen."""
        try:
            await super()._dispatch_message(message)
        except ArchiveDamaged as error:
            self._say_unread(error)

    def _say_unread(self, error: Exception) -> None:
        if str(error) not in self.query_one(StatusLine).message:  # what was not kept tells more
            damaged = isinstance(error, ArchiveDamaged)
            self._flash(str(error) if damaged else f"the archive cannot be read: {error}", "error")

    def _runs(self, group: str) -> bool:
        """Whether a worker of a group is at work."""
        return any(one.group == group and not one.is_finished for one in self.workers)

    @property
    def _rows_asked(self) -> bool:
        """Whether keys that act on calls wait: where the cursor will be is not known yet."""
        return False

    def _drop_typed(self) -> None:
        """Of what was typed behind something that failed, do nothing but quit, and say so."""

        def quits(event: events.Event) -> bool:
            return isinstance(event, events.Key) and command_of(event.key, self.keymap) == "quit"

        if isinstance(self.app, OrderedApp) and (keys := self.app.drop_typed(quits)):
            self._flash(f"{dropped_text(keys)}: what they waited for failed", "warning")

    def _clear_marks(self) -> int:
        """Take all marks away; how many there were."""
        return 0

    @abstractmethod
    async def _ask_archive(
        self, ask: Callable[[CallArchive], T], reads_rows: bool = False
    ) -> T | None:
        """The answer of the archive, in another thread; None when it was ended before."""

    def _end_jump(self) -> bool:
        """Stay instead of going on to where the rows are not read yet; whether that went on."""
        return False

    @abstractmethod
    def _targets(self) -> list[int]:
        """Keys of the marked calls, else of the one under the cursor; says so if there is none."""

    @abstractmethod
    def _say_jump(self, text: str) -> None:
        """Say what is being read, if it takes a moment; empty: that has ended."""

    @abstractmethod
    def _show_call(self, key: int) -> None:
        """Put the cursor on a call, if it is among those that match."""

    @property
    def detail_shown(self) -> bool:
        return self.detail_open

    @abstractmethod
    def _show_detail(self) -> None:
        """Show the chosen call as it is now."""

    @abstractmethod
    def _show_states(self) -> None:
        """Show what the accounts do and how they are."""

    @abstractmethod
    def _show_progress(self) -> None:
        """Show what runs."""

    @abstractmethod
    def _look(self) -> None:
        """Show what was written to the archive since the last look."""


def dropped_text(keys: int) -> str:
    """``3 keys dropped``."""
    return f"{keys} key{'s' if keys != 1 else ''} dropped"
