"""What the screen asks the vendors: syncs, the further pages, single calls anew, recordings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from providers import registry
from providers.counts import counted
from providers.errors import ProviderError
from providers.model import Call
from tui.archive.errors import ArchiveError, ArchiveReadOnly
from tui.archive.interface import CallArchive
from tui.config.accounts import Account
from tui.exit_codes import archive_error
from tui.screens.context import ScreenContext
from tui.screens.snapshot import has_more, shown_accounts
from tui.screens.syncs import Syncs
from tui.sync.account_states import until_words
from tui.sync.recheck import AGAIN_S, is_due

if TYPE_CHECKING:
    from tui.sync.refresh import Refreshed
    from tui.sync.report import Report

FIRST_PAGES = 3
"""Pages of an account's first walk that a start brings; the rest comes as the cursor nears it."""
DISCOVER_MISSES = 20


class SyncController:
    """Belongs to the screen's loop. It calls `on_change` when other accounts are being asked or
    more has come, `on_written` when there may be news in the archive, and `on_call` when that may
    be of the opened call.
    """

    def __init__(
        self,
        ctx: ScreenContext,
        on_change: Callable[[], None],
        on_written: Callable[[], None],
        on_call: Callable[[], None],
    ) -> None:
        self._ctx = ctx
        self._on_written, self._on_call = on_written, on_call
        self._syncs = Syncs(ctx.services, ctx.network, on_change, self._sync_ended)
        self._has_started = False
        self._told: dict[str, list[str]] = {}
        """What was said of each account whose vendor does not give all of its calls."""
        self.wants_more = False
        """The cursor is near the end, and what is further could not be asked for yet."""
        self._asked = ""
        """The call whose list of recordings the vendor is being asked for."""
        self._refused_to_say = ""
        """The call for which that failed: it is not asked again until another was opened."""

    @property
    def busy(self) -> frozenset[str]:
        """Names of the accounts that are being asked, or will be right after the first paint."""
        if self._has_started:
            return self._syncs.busy
        return frozenset(account.name for account in self._ctx.accounts)

    @property
    def progress(self) -> str:
        """``liner 1,500 of 12,345 · desk 50 so far``; empty when nothing runs."""
        return self._syncs.progress

    @property
    def why_not_kept(self) -> ArchiveReadOnly | None:
        """Why nothing that comes could be kept; None: it can."""
        archive = self._ctx.archive
        return archive.read_only if archive else None

    # -- syncs

    def start(self) -> None:
        """The first syncs of this screen."""
        self._has_started = True
        self.sync()

    def sync(self, automatic: bool = True) -> None:
        """Ask every vendor for what is new."""
        if not self.why_not_kept:
            accounts = self._ctx.accounts
            self._syncs.start(accounts, pages=FIRST_PAGES, patient=False, automatic=automatic)

    def accounts_changed(self) -> None:
        """Stop asking for accounts that are no more, and ask for those that are new."""
        self._syncs.keep(self._ctx.accounts)
        self.sync()

    def refresh(self) -> None:
        """The same for somebody who asked for it."""
        if self._can_sync(self._ctx.accounts):
            self.sync(automatic=False)

    def load_all(self) -> None:
        """Bring every call of the shown accounts."""
        shown = shown_accounts(self._ctx.accounts, self._ctx.query)
        if shown:
            self._syncs.start(shown, behind=True, everything=True)
        else:
            self._can_sync(shown)

    def discover(self) -> None:
        """Look for calls above the highest known id, where a vendor gives calls by id only."""
        given = [one for one in self._ctx.accounts if not lists_calls(one)]
        if not given and self._ctx.accounts:
            self._ctx.say("no account has calls by id", "warning")
        elif self._can_sync(given):
            self._syncs.start(given, discover=DISCOVER_MISSES, patient=False)

    def _can_sync(self, accounts: Sequence[Account]) -> bool:
        """Whether any of them is not being synced; says why not."""
        say, key = self._ctx.say, self._ctx.key
        if not accounts:
            say(f"no account to ask; {key('accounts')} adds one", "warning")
        elif why := self.why_not_kept:
            say(str(why), "warning")
        elif all(account.name in self._syncs.busy for account in accounts):
            say(f"already asking; {key('cancel')} stops")
        else:
            return True
        return False

    def cancel(self) -> int:
        """Stop all; what came is kept. The number that was stopped."""
        return self._syncs.cancel()

    async def close(self) -> None:
        """Stop all, and tell nobody any more."""
        await self._syncs.close()

    def _sync_ended(self, report: Report) -> None:
        now, zone = self._ctx.clock
        if report.unkept:
            self._say_news(report, archive_error(report.unkept).message, "error")
        elif report.error:
            until = until_words(report.again_at, now, zone)
            what = f"{report.state} {until}" if until else f"{report.error}. {report.error.hint}"
            self._say_news(report, what, "error")
        elif report.problems:
            if self._told.get(report.account) == report.problems:
                self._on_written()  # it was said, and stands in the account's state
                return
            what = f"{report.failed:,} failed, first: {report.problems[0]}"
            self._say_news(report, what, "warning")
        elif report.saved.new:
            self._say_news(report, counted(report.saved.new, "new call"))
        self._told[report.account] = report.problems if report.shortfall else []
        self._on_written()

    def _say_news(self, report: Report, what: str, level: str = "info") -> None:
        """Accounts end one after the other: what one could not do stays before what another did."""
        self._ctx.say(f"{report.account}: {what}", level, news=True)

    # -- the further pages

    def bring_more(self) -> None:
        """One more of each vendor's pages, as long as there are some and nothing is in the way."""
        ctx = self._ctx
        snapshot, now = ctx.snapshot, ctx.services.now().timestamp()
        shown = shown_accounts(ctx.accounts, ctx.query)
        waiting = [account for account in shown if has_more(snapshot, account.name, now)]
        busy = any(account.name in self.busy for account in waiting)
        self.wants_more = busy or not snapshot.part.ends
        if not self.wants_more and waiting and not self.why_not_kept:
            self._syncs.start(waiting, pages=1, patient=False, more=True, automatic=True)

    # -- single calls

    def refresh_calls(self, keys: Sequence[int]) -> None:
        """Ask anew for the calls with these rows' keys."""
        self._ctx.work(partial(self._refresh_calls, keys), "renew")

    async def _refresh_calls(self, keys: Sequence[int]) -> None:
        say = self._ctx.say
        named = await self._ctx.reads.ask(lambda archive: archive.names_of(keys)) or []
        accounts = {name: self._ctx.account(name) for name, _ in named}
        if not named:
            return
        say(f"asking for {counted(len(named), 'call')} ...")
        done: list[Refreshed] = []
        for name, account in accounts.items():
            ids = [id_ for of, id_ in named if of == name]
            if account is None:
                say(f"{name}: there is no such account any more", "warning")
                continue
            try:
                done += await self._ctx.network.run(self._refreshing(account, ids))
            except (ArchiveError, OSError) as error:
                say(archive_error(error).message, "error")
        self._on_written()
        self._on_call()
        if done:
            self._say_refreshed(done)

    def _refreshing(
        self, account: Account, ids: list[str]
    ) -> Callable[[CallArchive], Coroutine[Any, Any, list[Refreshed]]]:
        async def work(archive: CallArchive) -> list[Refreshed]:
            from tui.sync.refresh import refresh_calls

            return await refresh_calls(self._ctx.services, account, archive, ids)

        return work

    def _say_refreshed(self, done: Sequence[Refreshed]) -> None:
        """What came of each, or how often what did."""
        failed = any(one.error for one in done)
        if len(done) == 1:
            text = done[0].line(*self._ctx.clock)
        else:
            counts = Counter(one.words for one in done).most_common(3)
            said = ", ".join(f"{count:,} {words}" for words, count in counts)
            text = f"{counted(len(done), 'call')} asked for: {said}"
        self._ctx.say(text, "error" if failed else "info")

    # -- the opened call's recordings

    def asks_recordings(self, account: str, call_id: str) -> bool:
        """Whether the vendor is being asked for the call's list of recordings."""
        return self._asked == f"{account}:{call_id}"

    def ask_recordings(self, account_name: str, call: Call) -> None:
        """Ask for the opened call's list of recordings, once, where the vendor has it apart."""
        account, wanted = self._ctx.account(account_name), f"{account_name}:{call.id}"
        if account is None or not self._may_have_more(account, call):
            return
        if wanted not in (self._asked, self._refused_to_say):
            self._asked = wanted
            learning = partial(self._learn_recordings, account, call.id)
            self._ctx.work(learning, "recordings", exclusive=True)

    def _may_have_more(self, account: Account, call: Call) -> bool:
        archive, now = self._ctx.archive, self._ctx.services.now()
        due = archive is not None and is_due(archive, account.name, call, now, AGAIN_S)
        return due and recordings_apart(account)

    async def _learn_recordings(self, account: Account, call_id: str) -> None:
        from tui.sync.jobs import learn_recordings

        services, asked = self._ctx.services, self._asked
        try:
            await self._ctx.network.run(
                lambda archive: learn_recordings(services, account, archive, call_id)
            )
        except ProviderError as error:
            self._refused_to_say = asked
            self._ctx.say(f"{account.name}: {error}", "error")
        finally:
            if self._asked == asked:
                self._asked = ""
        self._on_written()
        self._on_call()


def lists_calls(account: Account) -> bool:
    """Whether its vendor lists calls, or gives them by id only."""
    try:
        return registry.load(account.provider).capabilities.lists_calls
    except ProviderError:
        return True


def recordings_apart(account: Account) -> bool:
    """Whether its vendor gives a call's recordings apart from the call."""
    try:
        return registry.load(account.provider).capabilities.separate_recordings
    except ProviderError:
        return False
