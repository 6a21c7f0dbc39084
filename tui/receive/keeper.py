"""What was received, brought into the archive in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

from providers.base import ReadsSaved
from providers.errors import ProviderError
from tui.archive.errors import ArchiveError
from tui.archive.interface import CallArchive
from tui.config.accounts import Account
from tui.receive.inbox import Inbox, Received
from tui.services import Services
from tui.sync.jobs import import_saved, sync_account
from tui.sync.report import Report
from tui.sync.sync import SyncRequest

AGAIN_S = 5.0
"""After what could not be kept; it stays in the inbox meanwhile."""
Say = Callable[[str], None]


class Keeper:
    """Takes bodies out of an inbox until `end`. `say` is told what came, in its thread."""

    def __init__(self, services: Services, inbox: Inbox, say: Say) -> None:
        self._services, self._inbox, self._say = services, inbox, say
        self._wake = threading.Event()
        self._ended = False
        self._told = ""
        """What hinders, as it was said last."""
        self._thread = threading.Thread(target=self._run, name="keeper")

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """There is something to keep."""
        self._wake.set()

    def end(self) -> None:
        """Stop after the body that is being kept; the others wait for the next start."""
        self._ended = True
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended:
            self._wake.clear()
            kept = self._keep_all()
            self._wake.wait(None if kept else AGAIN_S)

    def _keep_all(self) -> bool:
        """Whether nothing waits any more."""
        pending = [*self._inbox.pending()]
        if not pending:
            return True
        try:
            with self._services.open_archive() as archive:
                asked: set[str] = set()
                for one in pending:
                    if self._ended:
                        return True
                    self._keep(archive, one, asked)
        except (ArchiveError, OSError, ProviderError) as error:
            self._tell_trouble(f"nothing can be kept: {error}")
            return False
        self._told = ""
        return not any(self._inbox.pending())

    def _keep(self, archive: CallArchive, one: Received, asked: set[str]) -> None:
        """Bring one body into the archive; `asked`: accounts whose vendors were asked just now."""
        account = next((a for a in self._services.accounts.list() if a.name == one.account), None)
        if account is None:
            self._say(f"{one.account}: there is no such account any more; what came is set aside")
            self._inbox.set_aside(one)
            return
        provider = self._services.offline_provider(account, archive)
        if not isinstance(provider, ReadsSaved):
            if account.name not in asked:
                asked.add(account.name)
                self._ask(archive, account)
            self._inbox.remove(one)
            return
        report = import_saved(self._services, account, archive, self._inbox.read(one))
        if report.fetched:
            self._inbox.remove(one)
        else:
            self._inbox.set_aside(one)
        self._tell(report)

    def _ask(self, archive: CallArchive, account: Account) -> None:
        """Ask the vendor for what is new: its event says no more than that there is something."""
        request = SyncRequest(automatic=True)
        report = asyncio.run(sync_account(self._services, account, archive, request))
        if report.unkept:
            raise report.unkept
        self._tell(report)

    def _tell(self, report: Report) -> None:
        saved = report.saved
        if saved.new or saved.changed:
            self._say(f"{report.account}: {saved.new:,} new, {saved.changed:,} changed")
        for problem in report.problems[:1]:
            self._say(f"{report.account}: {problem}")
        if report.error:
            self._say(f"{report.account}: {report.error}")

    def _tell_trouble(self, text: str) -> None:
        if text != self._told:
            self._told = text
            self._say(f"{text}; what came waits, and is tried again")
