"""The syncs that run beside the screen: at most one an account."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from providers.errors import ProviderError
from tui.archive.errors import ArchiveError
from tui.archive.interface import CallArchive
from tui.config.accounts import Account
from tui.services import Services
from tui.vendor_thread import VendorThread

if TYPE_CHECKING:
    from tui.sync.report import Report


class Syncs:
    """Belongs to the screen's loop. `on_change` is called when `busy` or `progress` changed,
    `on_end` with the report of a sync that was not cancelled.
    """

    def __init__(
        self,
        services: Services,
        network: VendorThread,
        on_change: Callable[[], None],
        on_end: Callable[[Report], None],
    ) -> None:
        self._services, self._network = services, network
        self._on_change, self._on_end = on_change, on_end
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._counts: dict[str, tuple[int, int | None]] = {}
        self._next: dict[str, tuple[Account, dict[str, Any]]] = {}
        """What begins when the account's present sync has ended."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    @property
    def busy(self) -> frozenset[str]:
        """Names of the accounts that are being synced."""
        return frozenset(self._tasks)

    @property
    def progress(self) -> str:
        """``liner 1,500 of 12,345 · desk 50 so far``; empty when nothing runs."""
        return " · ".join(self._words(name) for name in self._tasks)

    def _words(self, name: str) -> str:
        fetched, total = self._counts.get(name, (0, None))
        if not fetched:
            return f"{name}: asking"
        return f"{name} {fetched:,} of {total:,}" if total else f"{name} {fetched:,} so far"

    def keep(self, accounts: Sequence[Account]) -> None:
        """Stop those of all other accounts; what came is kept."""
        for name in self._tasks.keys() - {account.name for account in accounts}:
            self._next.pop(name, None)
            self._tasks[name].cancel()

    def start(self, accounts: Sequence[Account], behind: bool = False, **wish: Any) -> None:
        """Begin for those accounts that are not being synced already, with `behind` for the others
        as soon as that has ended; `wish` as `tui.sync.sync.SyncRequest`.
        """
        self._loop = asyncio.get_running_loop()
        for account in accounts:
            if account.name not in self._tasks:
                self._tasks[account.name] = self._loop.create_task(self._run(account, wish))
            elif behind:
                self._next[account.name] = (account, wish)
        self._on_change()

    async def _run(self, account: Account, wish: dict[str, Any]) -> None:
        try:
            report = await self._network.run(lambda archive: self._sync(account, archive, wish))
        except Exception as error:
            report = self._not_begun(account, error)
        finally:
            self._tasks.pop(account.name, None)
            self._counts.pop(account.name, None)
            if not self._closed:
                self._on_change()
        self._on_end(report)
        if following := self._next.pop(account.name, None):
            self.start([following[0]], **following[1])

    def _not_begun(self, account: Account, error: Exception) -> Report:
        """The report where the network's thread could not begin: it opens an archive of its own."""
        from tui.error_boundary import error_boundary
        from tui.sync.report import Report

        try:
            with error_boundary(self._services.paths, account.name):
                raise error
        except ProviderError as failed:
            return Report(account.name, error=failed, complete=False)
        except ArchiveError as trouble:
            return Report(account.name, unkept=trouble)

    async def _sync(self, account: Account, archive: CallArchive, wish: dict[str, Any]) -> Report:
        """In the network thread, which also loads what it needs: the screen does not wait."""
        from tui.sync.jobs import sync_account
        from tui.sync.sync import SyncRequest

        return await sync_account(self._services, account, archive, SyncRequest(**wish), self)

    def page(self, account: str, fetched: int, total: int | None) -> None:
        """As `tui.sync.sync.Watcher`; called in the network's thread."""
        if self._loop:
            self._loop.call_soon_threadsafe(self._count, account, fetched, total)

    def _count(self, account: str, fetched: int, total: int | None) -> None:
        if not self._closed:
            self._counts[account] = (fetched, total)
            self._on_change()

    def cancel(self) -> int:
        """Stop all; what came is kept. The number that was stopped."""
        self._next.clear()
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        return len(tasks)

    async def close(self) -> None:
        """Stop all, and tell nobody any more."""
        self._closed = True
        tasks = list(self._tasks.values())
        self.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
