"""A screen that asks the vendors: syncs, the further pages, an opened call's recordings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from textual import on, work

from providers.errors import ProviderError
from tui.accounts import Account
from tui.archive import Archive, ReadOnlyArchive
from tui.network import NetworkThread
from tui.screens import state
from tui.screens.calls import CallsScreen
from tui.screens.syncs import Syncs
from tui.services import Services
from widgets.call_table import CallTable

if TYPE_CHECKING:
    from tui.sync import Report

FIRST_PAGES = 3
"""Pages of an account's first walk that a start brings; the rest comes as the cursor nears it."""
DISCOVER_MISSES = 20
CANCELLABLE = ("play", "download", "recordings", "export", "range", "find")
"""Groups of workers that the cancel key stops."""


class AskingScreen(CallsScreen):
    """See the module."""

    _archive: Archive | None

    def __init__(
        self, services: Services, network: NetworkThread, keymap: Mapping[str, str]
    ) -> None:
        super().__init__(services, network, keymap)
        self.syncs = Syncs(services, network, self._show_states, self._sync_ended)
        self._started = False
        self._filling = True
        """Until what the syncs of the start brought is on the screen."""
        self._more_wanted = False
        """The cursor is near the end, and what is further could not be asked for yet."""
        self._asked = ""
        """The call whose list of recordings the vendor is being asked for."""
        self._refused_to_say = ""
        """The call for which that failed: it is not asked again until another was opened."""

    @property
    def _busy(self) -> frozenset[str]:
        """Names of the accounts that are being asked, or will be right after the first paint."""
        if self._started:
            return self.syncs.busy
        return frozenset(account.name for account in self.accounts)

    # -- syncs

    @property
    def _why_not_kept(self) -> str:
        """Why nothing that comes could be kept; empty: it can."""
        return self._archive.read_only if self._archive else ""

    def _refresh(self) -> None:
        if self._why_not_kept:
            return
        self.syncs.start(self.accounts, pages=FIRST_PAGES, patient=False)

    def action_refresh(self) -> None:
        if self._can_sync(self.accounts):
            self._refresh()

    def action_load_all(self) -> None:
        shown = state.shown_accounts(self.accounts, self._query)
        if self._can_sync(shown):
            self.syncs.start(shown)

    def action_discover(self) -> None:
        given = [one for one in self.accounts if not state.lists_calls(one)]
        if not given and self.accounts:
            self._flash("no account has calls by id", "warning")
        elif self._can_sync(given):
            self.syncs.start(given, discover=DISCOVER_MISSES, patient=False)

    def _can_sync(self, accounts: Sequence[Account]) -> bool:
        """Whether any of them is not being synced; says why not."""
        if not accounts:
            self._flash(f"no account to ask; {self._key('accounts')} adds one", "warning")
        elif why := self._why_not_kept:
            self._flash(str(ReadOnlyArchive(why)), "warning")
        elif all(account.name in self.syncs.busy for account in accounts):
            self._flash(f"already asking; {self._key('cancel')} stops")
        else:
            return True
        return False

    def action_cancel_work(self) -> None:
        workers = [worker for worker in self.workers if worker.group in CANCELLABLE]
        for worker in workers:
            worker.cancel()
        stopped = self.syncs.cancel() + len(workers) + self._end_jump()
        if not stopped and (marks := self._clear_marks()):
            self._flash(f"{marks:,} mark{'s' if marks > 1 else ''} taken away")
            return
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

    # -- the further pages

    @on(CallTable.NearEnd)
    def _near_end(self) -> None:
        self._bring_more()

    def _bring_more(self) -> None:
        """One more of each vendor's pages, as long as there are some and nothing is in the way."""
        waiting = [
            account
            for account in state.shown_accounts(self.accounts, self._query)
            if self._snapshot.walks.get(account.name)
        ]
        busy = any(account.name in self._busy for account in waiting)
        self._more_wanted = busy or not self._snapshot.part.ends
        if not self._more_wanted and waiting and not self._why_not_kept:
            self.syncs.start(waiting, pages=1, patient=False, more=True)

    # -- recordings

    def _ask_recordings(self, account: str, call_id: str) -> None:
        """Ask for the opened call's list of recordings, once, where the vendor has it apart."""
        wanted = f"{account}:{call_id}"
        if wanted not in (self._asked, self._refused_to_say):
            self._asked = wanted
            self._learn_recordings(account, call_id)

    @work(group="recordings", exclusive=True, exit_on_error=False)
    async def _learn_recordings(self, account_name: str, call_id: str) -> None:
        from tui.jobs import learn_recordings

        account, asked = self._account(account_name), self._asked
        try:
            if account is not None:
                await self.network.run(
                    lambda archive: learn_recordings(self.services, account, archive, call_id)
                )
        except ProviderError as error:
            self._refused_to_say = asked
            self._flash(f"{account_name}: {error}", "error")
        finally:
            if self._asked == asked:
                self._asked = ""
        self._look()
        self._show_detail()
