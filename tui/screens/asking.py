"""A screen that asks the vendors: syncs, the further pages, single calls anew, and recordings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from textual import on, work

from providers.counts import counted
from providers.errors import ProviderError
from providers.model import Call
from tui.archive.errors import ArchiveError, ArchiveReadOnly
from tui.archive.interface import CallArchive
from tui.config.accounts import Account
from tui.exit_codes import archive_error
from tui.screens import state
from tui.screens.calls import CallsScreen
from tui.screens.syncs import Syncs
from tui.services import Services
from tui.sync.account_states import until_words
from tui.sync.recheck import AGAIN_S, is_due
from tui.vendor_thread import VendorThread
from widgets.call_table import CallTable

if TYPE_CHECKING:
    from tui.sync.refresh import Refreshed
    from tui.sync.report import Report

FIRST_PAGES = 3
"""Pages of an account's first walk that a start brings; the rest comes as the cursor nears it."""
DISCOVER_MISSES = 20
CANCELLABLE = ("play", "download", "recordings", "renew", "export", "range", "find")
"""Groups of workers that the cancel key stops."""


class AskingScreen(CallsScreen):
    """See the module."""

    _archive: CallArchive | None
    _version: object

    def __init__(
        self, services: Services, network: VendorThread, keymap: Mapping[str, str]
    ) -> None:
        super().__init__(services, network, keymap)
        self.syncs = Syncs(services, network, self._show_states, self._sync_ended)
        self._started = False
        self._filling = True
        """Until what the syncs of the start brought is on the screen."""
        self._told: dict[str, list[str]] = {}
        """What was said of each account whose vendor does not give all of its calls."""
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

    def on_mount(self) -> None:
        self.app.app_resume_signal.subscribe(self, self._goes_on)

    def _goes_on(self, _: object) -> None:
        """The program was stopped for a while: what is shown is to be of now."""
        self._version = -1
        self._look()
        if self.services.settings().app.refresh_s:
            self._refresh()

    # -- syncs

    @property
    def _why_not_kept(self) -> ArchiveReadOnly | None:
        """Why nothing that comes could be kept; None: it can."""
        return self._archive.read_only if self._archive else None

    def _refresh(self, automatic: bool = True) -> None:
        if self._why_not_kept:
            return
        self.syncs.start(self.accounts, pages=FIRST_PAGES, patient=False, automatic=automatic)

    def action_refresh(self) -> None:
        if self._can_sync(self.accounts):
            self._refresh(automatic=False)

    def action_load_all(self) -> None:
        shown = state.shown_accounts(self.accounts, self._query)
        if shown:
            self.syncs.start(shown, behind=True, everything=True)
        else:
            self._can_sync(shown)

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
            self._flash(str(why), "warning")
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
            self._flash(f"{counted(marks, 'mark')} taken away")
            return
        self._flash(f"{stopped} stopped; what came is kept" if stopped else "nothing is running")

    def _sync_ended(self, report: Report) -> None:
        if report.unkept:
            self._sync_news(report, archive_error(report.unkept).message, "error")
        elif report.error:
            until = until_words(report.again_at, self.services.now(), self.services.zone)
            what = f"{report.state} {until}" if until else f"{report.error}. {report.error.hint}"
            self._sync_news(report, what, "error")
        elif report.problems:
            if self._told.get(report.account) == report.problems:
                self._look()  # it was said, and stands in the account's state
                return
            what = f"{report.failed:,} failed, first: {report.problems[0]}"
            self._sync_news(report, what, "warning")
        elif report.saved.new:
            self._sync_news(report, counted(report.saved.new, "new call"))
        self._told[report.account] = report.problems if report.shortfall else []
        self._look()

    def _sync_news(self, report: Report, what: str, level: str = "info") -> None:
        """Accounts end one after the other: what one could not do stays before what another did."""
        self._flash(f"{report.account}: {what}", level, news=True)

    # -- the further pages

    @on(CallTable.NearEnd)
    def _near_end(self) -> None:
        self._bring_more()

    def _bring_more(self) -> None:
        """One more of each vendor's pages, as long as there are some and nothing is in the way."""
        waiting = [
            account
            for account in state.shown_accounts(self.accounts, self._query)
            if state.has_more(self._snapshot, account.name, self.services.now().timestamp())
        ]
        busy = any(account.name in self._busy for account in waiting)
        self._more_wanted = busy or not self._snapshot.part.ends
        if not self._more_wanted and waiting and not self._why_not_kept:
            self.syncs.start(waiting, pages=1, patient=False, more=True, automatic=True)

    # -- single calls

    @work(group="renew", exit_on_error=False)
    async def action_refresh_call(self) -> None:
        """Ask for the call, or for all that are marked, anew."""
        keys = self._targets()
        named = await self._ask_archive(lambda archive: archive.names_of(keys)) or []
        accounts = {name: self._account(name) for name, _ in named}
        if not named:
            return
        self._flash(f"asking for {counted(len(named), 'call')} ...")
        done: list[Refreshed] = []
        for name, account in accounts.items():
            ids = [id_ for of, id_ in named if of == name]
            if account is None:
                self._flash(f"{name}: there is no such account any more", "warning")
                continue
            try:
                done += await self.network.run(self._refreshing(account, ids))
            except (ArchiveError, OSError) as error:
                self._flash(archive_error(error).message, "error")
        self._look()
        self._show_detail()
        if done:
            self._say_refreshed(done)

    def _refreshing(
        self, account: Account, ids: list[str]
    ) -> Callable[[CallArchive], Coroutine[Any, Any, list[Refreshed]]]:
        async def work(archive: CallArchive) -> list[Refreshed]:
            from tui.sync.refresh import refresh_calls

            return await refresh_calls(self.services, account, archive, ids)

        return work

    def _say_refreshed(self, done: Sequence[Refreshed]) -> None:
        """What came of each, or how often what did."""
        failed = any(one.error for one in done)
        if len(done) == 1:
            text = done[0].line(self.services.now(), self.services.zone)
        else:
            counts = Counter(one.words for one in done).most_common(3)
            said = ", ".join(f"{count:,} {words}" for words, count in counts)
            text = f"{counted(len(done), 'call')} asked for: {said}"
        self._flash(text, "error" if failed else "info")

    def _may_have_more(self, account: str, call: Call) -> bool:
        """Whether the opened call's vendor is to be asked for recordings, which it has apart."""
        if self._archive is None:
            return False
        now = self.services.now()
        owner = self._account(account)
        due = is_due(self._archive, account, call, now, AGAIN_S)
        return due and owner is not None and state.recordings_apart(owner)

    def _ask_recordings(self, account: str, call_id: str) -> None:
        """Ask for the opened call's list of recordings, once, where the vendor has it apart."""
        wanted = f"{account}:{call_id}"
        if wanted not in (self._asked, self._refused_to_say):
            self._asked = wanted
            self._learn_recordings(account, call_id)

    @work(group="recordings", exclusive=True, exit_on_error=False)
    async def _learn_recordings(self, account_name: str, call_id: str) -> None:
        from tui.sync.jobs import learn_recordings

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
