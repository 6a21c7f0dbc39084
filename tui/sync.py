"""Vendor pages -> archive: resumable, cancellable, with callbacks. Knows no screen.

A walk has a period that is fixed when it begins, so that new calls cannot shift its pages.
Each page and the walk's new cursor are kept in one transaction: an interrupted sync goes on
where it stopped. Without a period, a sync first finishes what is unfinished, then brings
what came since (`OVERLAP_S` earlier, because records keep changing for a while); the first
sync of an account brings everything that the vendor has.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Protocol

from providers.base import Login, Provider
from providers.errors import AuthError, ProviderError, RateLimited
from providers.fields import with_recordings
from providers.model import Call, CallQuery, Page
from tui.archive import AccountState, Archive, Saved, Walk
from tui.when import BEGINNING

OVERLAP_S = 24 * 3600
"""Vendors add recordings, summaries and dispositions after a call; this far back we look again."""
NEW_AFTER_S = 1.0
DISCOVER_STEP = 50
AT_ONCE = 4


class Watcher(Protocol):
    """Who wants to know how a sync goes."""

    def page(self, account: str, fetched: int, total: int | None) -> None:
        """A page was kept."""


@dataclass(slots=True)
class Report:
    """How the sync of one account ended."""

    account: str
    saved: Saved = field(default_factory=Saved)
    fetched: int = 0
    unknown_ids: int = 0
    recordings: int = 0
    problems: list[str] = field(default_factory=list)
    """What failed, is missing or could not be read, a line each, while the rest was kept."""
    notes: dict[str, None] = field(default_factory=dict)
    """What is worth saying, each once, and no failure."""
    error: ProviderError | None = None
    """Why it stopped early, if it did."""
    complete: bool = True
    """False when a limit of pages was reached before the end."""

    @property
    def state(self) -> str:
        return self.error.kind if self.error else "fresh"


@dataclass(frozen=True, slots=True)
class Wish:
    """What to sync. Without `since` and `until`: what is unfinished, then what is new."""

    since: datetime | None = None
    until: datetime | None = None
    asked: str = ""
    """The period as it was typed, so that the same wish resumes an interrupted walk."""
    pages: int | None = None
    """Stop the walk through older calls after this many pages; the rest waits for the next
    sync. What is new since the last one always comes whole."""
    recordings: bool = False
    """Also ask for the list of recordings of every call that has some."""
    discover: int = 0
    """Walk on from the highest known id until this many ids in a row are unknown."""
    more: bool = False
    """Only go on with what is unfinished."""
    patient: bool = True
    """Ask again for ids that were unknown a while ago, and for calls that have settled."""


class Sync:
    """The sync of one account; `run` may be cancelled at any await."""

    def __init__(
        self,
        account: str,
        provider: Provider,
        login: Login,
        archive: Archive,
        watcher: Watcher | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._account, self._provider, self._archive = account, provider, archive
        self._names, self._watcher, self._clock = login.names, watcher, clock
        settings = repr((login.base_url, sorted(login.settings.items())))
        self._digest = sha256(settings.encode()).hexdigest()[:12]
        self._report = Report(account)

    async def run(self, wish: Wish) -> Report:
        """Bring what was wished for. Errors of the vendor end in `Report.error`."""
        report = self._report
        try:
            async with self._provider:
                self._choose_ids(wish)
                recent, older = self._walks(wish)
                for walk in recent:
                    await self._walk(walk, None)
                pages = wish.pages
                for walk in older:
                    pages = await self._walk(walk, pages)
                    if pages == 0:
                        break
                report.complete = not self._archive.open_walks(self._account)
                if wish.discover:
                    await self._discover(wish.discover)
                if wish.recordings:
                    await self._recordings()
        except ProviderError as error:
            report.error = error
            report.complete = False
        _remember(self._archive, report, self._clock())
        return report

    # -- which periods

    def _walks(self, wish: Wish) -> tuple[list[Walk], list[Walk]]:
        """The walk over what is new, and those over what is older."""
        archive, now = self._archive, self._clock()
        asked = f"{wish.asked}|{self._digest}"
        unfinished = self._unfinished()
        if wish.more:
            return [], unfinished
        if wish.since or wish.until:
            same = [walk for walk in unfinished if walk.asked == asked]
            return [], same or [self._begin(wish.since, wish.until, asked)]
        covered = archive.covered_until(self._account)
        if covered is None or not self._provider.capabilities.lists_calls:
            return [], unfinished or [self._begin(None, None, asked)]
        if now - covered < NEW_AFTER_S:
            return [], unfinished
        since = datetime.fromtimestamp(covered - OVERLAP_S, UTC)
        return [self._begin(since, None, asked)], unfinished

    def _unfinished(self) -> list[Walk]:
        """Walks to go on with. One that began for other ids or orders cannot: it is dropped."""
        kept = []
        for walk in self._archive.open_walks(self._account):
            if walk.asked.endswith(self._digest):
                kept.append(walk)
            else:
                self._archive.drop_walk(walk)
        return kept

    def _begin(self, since: datetime | None, until: datetime | None, asked: str) -> Walk:
        return self._archive.begin_walk(
            Walk(
                self._account,
                asked,
                (since or BEGINNING).timestamp(),
                until.timestamp() if until else self._clock(),
            )
        )

    def _choose_ids(self, wish: Wish) -> None:
        """Spare a vendor that gives calls by id only what cannot have changed."""
        if wish.since:
            return
        recently = self._clock() - OVERLAP_S
        unknown_since = float("inf") if wish.patient else recently
        self._provider.skip_ids = self._archive.ids_to_spare(self._account, recently, unknown_since)

    # -- one walk

    async def _walk(self, walk: Walk, pages_left: int | None) -> int | None:
        query = CallQuery(
            datetime.fromtimestamp(walk.since, UTC), datetime.fromtimestamp(walk.until, UTC)
        )
        async for page in self._provider.pages(query, walk.cursor):
            walk = walk._replace(
                cursor=page.cursor,
                total=page.total if page.total is not None else walk.total,
                fetched=walk.fetched + len(page.calls),
                finished=page.cursor is None and not page.shortfall,
            )
            self._keep(page, walk)
            if pages_left is not None:
                pages_left -= 1
                if pages_left <= 0:
                    break
        return pages_left

    def _keep(self, page: Page, walk: Walk | None) -> None:
        report, archive = self._report, self._archive
        with archive.transaction():
            report.saved += archive.save(self._account, page.calls, self._reconcile)
            archive.save_names(self._account, self._names)
            archive.remember_unknown(self._account, page.unknown_ids, self._clock())
            if walk:
                archive.save_walk(walk)
        report.fetched += len(page.calls)
        report.unknown_ids += len(page.unknown_ids)
        report.problems += [*page.failed, *page.unreadable]
        report.notes |= dict.fromkeys(page.notes)
        if page.shortfall:
            report.problems.append(f"the vendor gave {page.shortfall}; it is asked again next time")
        self._tell(walk.fetched if walk else report.fetched, walk.total if walk else None)

    def _tell(self, fetched: int, total: int | None) -> None:
        if self._watcher:
            self._watcher.page(self._account, fetched, total)

    def _reconcile(self, older: Call, newer: Call) -> Call:
        return reconcile(self._provider, older, newer)

    # -- beyond the list

    async def _discover(self, stop_after: int) -> None:
        highest = self._archive.highest_id(self._account) or 0
        async for page in self._provider.discover(highest, stop_after, DISCOVER_STEP):
            self._keep(page, None)

    async def _recordings(self) -> None:
        """The recordings of every call that may have some and whose list is not known."""
        recently = self._clock() - OVERLAP_S
        waiting = self._archive.recordings_wanted(self._account, recently)
        limit = asyncio.Semaphore(AT_ONCE)
        asked = 0

        async def ask(call_id: str) -> None:
            nonlocal asked
            async with limit:
                call = self._archive.get(self._account, call_id)
                if call is None:
                    return
                try:
                    newer = await self._provider.recordings(call)
                except (AuthError, RateLimited):
                    raise
                except ProviderError as error:
                    self._report.problems.append(f"recordings of call {call_id}: {error}")
                    return
                with self._archive.transaction():
                    self._archive.save(self._account, [newer])
                self._report.recordings += len(newer.recordings)
                asked += 1
                self._tell(asked, len(waiting))

        try:
            async with asyncio.TaskGroup() as group:
                for call_id in waiting:
                    group.create_task(ask(call_id))
        except* ProviderError as errors:
            raise errors.exceptions[0] from None


def could_not_begin(archive: Archive, account: str, error: ProviderError, at: float) -> Report:
    """The report of a sync that could not begin."""
    report = Report(account, error=error, complete=False)
    _remember(archive, report, at)
    return report


def _remember(archive: Archive, report: Report, at: float) -> None:
    message = str(report.error or "")
    with archive.transaction():
        archive.save_state(report.account, AccountState(report.state, message, at))


def reconcile(provider: Provider, older: Call, newer: Call) -> Call:
    """What to keep of a call that the archive has and the vendor now gives again."""
    if older.raw != newer.raw and older.raw is not None:
        newer = provider.parse(provider.merge(older.raw, newer.raw))
    if not newer.recordings_known and older.recordings_known:
        # the list does not carry them; they were asked for one by one
        newer = with_recordings(newer, older.recordings)
    return newer
