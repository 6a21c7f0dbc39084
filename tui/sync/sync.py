"""Vendor pages -> archive: resumable, cancellable, with callbacks. Knows no screen.

A walk has a period that is fixed when it begins, so that new calls cannot shift its pages.
Each page and the walk's new cursor are kept in one transaction: an interrupted sync goes on
where it stopped. A walk at whose end calls are missing is walked again from its start.

Without a period, a sync first brings what came since the last one, then goes on with what is
unfinished; the first sync of an account brings everything that the vendor has. Calls change for
a while after their end, so it looks back a little each time (`RECENT_S`), a day each hour, and a
week each day.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from typing import Protocol

from providers.advance import STANDS, Advance, named
from providers.base import DiscoversIds, Login, Provider
from providers.concurrency import gather_bounded
from providers.counts import counted
from providers.errors import AuthError, ProviderError, RateLimited
from providers.fields import to_count
from providers.limits import cuts
from providers.model import Call, CallQuery, Outcome, Page
from tui.archive.interface import CallArchive
from tui.archive.merging import Fenced, keep, keep_page
from tui.archive.records import AGAIN, Coverage, SyncPeriod
from tui.query.dates import BEGINNING, DAY_S, HOUR_S
from tui.removal.deleted_at_vendor import ask_again, surely_gone
from tui.sync.recheck import AGAIN_S, FINAL_S, pause_s, recordings_due
from tui.sync.report import Report, remember

RECENT_S = HOUR_S
"""So far back a sync always looks: recordings and wrap-ups come in the minutes after a call."""
RUNNING_S = 2 * HOUR_S
"""And so far for a call that had not ended."""
WEEK_S = 7 * DAY_S
DAY_EVERY_S, WEEK_EVERY_S = HOUR_S, DAY_S
NEW_AFTER_S = 1.0
DISCOVER_STEP = 50
LONGEST_ID = 19
"""Digits of an id that is a number; a longer one is a vendor's text like any other."""


class Watcher(Protocol):
    """Who wants to know how a sync goes."""

    def page(self, account: str, fetched: int, total: int | None) -> None:
        """A page was kept."""


@dataclass(frozen=True, slots=True)
class SyncRequest:
    """What to sync. Without `since` and `until`: what is unfinished, then what is new."""

    since: datetime | None = None
    until: datetime | None = None
    asked: str = ""
    """The period as it was typed, so that the same wish resumes an interrupted walk."""
    pages: int | None = None
    """Stop the walk through older calls after this many pages; the rest waits for the next
    sync. What is new since the last one always comes whole."""
    recordings: bool = False
    """Also ask for the list of recordings of every call that has some, and look a week back."""
    discover: int = 0
    """Walk on from the highest known id until this many ids in a row are unknown."""
    more: bool = False
    """Only go on with what is unfinished."""
    everything: bool = False
    """Bring every call that the vendor has, also where an earlier sync began with a period."""
    patient: bool = True
    """Ask again for ids that were unknown a while ago, and for calls that have settled."""
    automatic: bool = False
    """Nobody asked for it: what failed a moment ago is left alone for a while."""


class Sync:
    """The sync of one account; `run` may be cancelled at any await."""

    def __init__(
        self,
        account: str,
        provider: Provider,
        login: Login,
        archive: CallArchive,
        watcher: Watcher | None = None,
        clock: Callable[[], float] = time.time,
        kept_since: float | None = None,
        fenced: Fenced = nullcontext,
    ) -> None:
        """`kept_since`: calls that began before it (Unix seconds) are not kept, nor asked for.
        `fenced`: what the vendor's part does goes on in it; as `tui.error_boundary.error_boundary`.
        """
        self._account, self._provider, self._archive = account, provider, archive
        self._kept_since = kept_since or 0.0  # an odd time is no reason to lose a call
        self._names, self._watcher, self._clock = login.names, watcher, clock
        settings = repr((login.base_url, sorted(login.settings.items())))
        self._digest = sha256(settings.encode()).hexdigest()[:12]
        self._fenced = fenced
        self.report = Report(account)
        self._walked: set[int] = set()
        """Numbers of the walks of this run."""
        self._unknown: list[str] = []
        """Ids that the vendor was asked for, and has no call of."""
        self._absent: list[str] = []
        """Ids of calls that its list lacks."""

    async def run(self, wish: SyncRequest) -> Report:
        """Bring what was wished for. Errors of the vendor end in `Report.error`."""
        report = self.report
        try:
            with self._fenced():
                async with self._provider:
                    await self._bring(wish)
        except ProviderError as error:
            report.error = error
        left = self._archive.unfinished_periods(self._account)
        report.complete = not report.error and all(walk.looks_again for walk in left)
        report.shortfall = "; ".join(dict.fromkeys(w.shortfall for w in left if w.shortfall))
        remember(self._archive, report, self._clock())
        return report

    async def _bring(self, wish: SyncRequest) -> None:
        self._archive.read_by(self._account, self._provider.parser_version)
        await self._choose_ids(wish)
        for walk in self._recent(wish):
            await self._walk(walk, None)
        pages = wish.pages
        for walk in self._older(wish):
            pages = await self._walk(walk, pages)
            if pages == 0:
                break
        if wish.discover and isinstance(self._provider, DiscoversIds):
            await self._discover(self._provider, wish.discover)
        if wish.recordings:
            await self._recordings(wish)
        await self._look_for_vanished()

    # -- which periods

    def _recent(self, wish: SyncRequest) -> list[SyncPeriod]:
        """The walk over what is new, and as far back as it is time to look again."""
        known, now = self._archive.coverage(self._account, self._digest), self._clock()
        period = wish.more or wish.since or wish.until
        if period or known is None or not self._provider.capabilities.lists_calls:
            return []
        if wish.recordings:
            return [self._look_again(known.until - WEEK_S)]
        if wish.automatic and now - known.until < NEW_AFTER_S:
            return []
        since = known.until - RECENT_S
        if running := self._archive.running_since(self._account, known.until - RUNNING_S):
            since = min(since, running)
        short = any(walk.shortfall and walk.length_s >= DAY_S for walk in self._unfinished())
        if now - known.day_at >= DAY_EVERY_S and not short:
            since = known.until - DAY_S
        return [self._look_again(since)]

    def _older(self, wish: SyncRequest) -> list[SyncPeriod]:
        """The walks over what is older, once what is new has come."""
        asked, now = f"{wish.asked}|{self._digest}", self._clock()
        walks = [walk for walk in self._unfinished() if walk.number not in self._walked]
        paused = wish.automatic or wish.more
        ready = [walk for walk in walks if not (paused and now < walk.again_at)]
        if wish.more:
            return [walk for walk in ready if not walk.looks_again]
        if wish.since or wish.until:
            same = [walk for walk in ready if walk.asked == asked]
            return same or [self._begin(wish.since, wish.until, asked)]
        known = self._archive.coverage(self._account, self._digest)
        if known is None or not self._provider.capabilities.lists_calls:
            return ready or [self._begin(None, None, asked)]
        if self._week_is_due(known, walks):
            week = self._look_again(known.until - WEEK_S)
            left = {walk.number for walk in self._unfinished()}
            ready = [*(walk for walk in ready if walk.number in left), week]
        if wish.everything and known.since > max(BEGINNING.timestamp(), self._kept_since):
            ready.append(self._begin(None, None, asked))
        return ready

    def _week_is_due(self, known: Coverage, walks: list[SyncPeriod]) -> bool:
        """Whether to look a week back, and no longer walk that does so is under way."""
        under_way = any(walk.length_s >= WEEK_S for walk in walks)
        return not under_way and self._clock() - known.week_at >= WEEK_EVERY_S

    def _unfinished(self) -> list[SyncPeriod]:
        """Walks to go on with. One that began for other ids or orders cannot: it is dropped."""
        kept = []
        for walk in self._archive.unfinished_periods(self._account):
            if walk.settings == self._digest:
                kept.append(walk)
            else:
                self._archive.forget_settings(walk)
        return kept

    def _look_again(self, since: float) -> SyncPeriod:
        """A new walk, also through what earlier ones were to look at and did not get to, or not far
        beyond: where each look fails they do not pile up.
        """
        left = [
            walk
            for walk in self._unfinished()
            if walk.looks_again and not walk.shortfall and walk.until >= since
            if walk.cursor is None or walk.since >= since - RECENT_S
        ]
        since = min([since, *(walk.since for walk in left)])
        return self._begin(_moment(since), None, f"{AGAIN}|{self._digest}", left)

    def _begin(
        self,
        since: datetime | None,
        until: datetime | None,
        asked: str,
        instead: Sequence[SyncPeriod] = (),
    ) -> SyncPeriod:
        """A new walk; it never goes beyond now, for what comes later is still to be asked for."""
        now = self._clock()
        return self._archive.begin_period(
            SyncPeriod(
                self._account,
                asked,
                min(max((since or BEGINNING).timestamp(), self._kept_since), now),
                min(until.timestamp(), now) if until else now,
            ),
            instead,
        )

    async def _choose_ids(self, wish: SyncRequest) -> None:
        """Spare a vendor that gives calls by id only what cannot have changed."""
        if self._provider.capabilities.lists_calls:
            return
        now, account = self._clock(), self._account
        unknown_since = float("inf") if wish.patient else now - DAY_S
        back = FINAL_S if wish.recordings else DAY_S
        since = wish.since.timestamp() if wish.since else now - back
        settled: list[str] = []
        if not wish.since:  # else all of the period is asked for
            young = self._archive.ids_between(account, since)
            due = {*await self._due(young, wish.recordings, wish.automatic)}
            settled = [id_ for id_ in young if id_ not in due]
        others = (int(id_) for id_ in settled if id_.isdecimal() and len(id_) < LONGEST_ID)
        self._provider.skip_ids = self._archive.settled_ids(account, since, unknown_since, others)

    async def _due(self, ids: Iterable[str], eager: bool, automatic: bool = False) -> list[str]:
        """Those that are worth asking for; there may be thousands, so that others have turns."""
        due = []
        for id_ in ids:
            if self._is_due(id_, eager, automatic):
                due.append(id_)
            await asyncio.sleep(0)
        return due

    def _is_due(self, id_: str, eager: bool, automatic: bool) -> bool:
        call, now, pause = self._archive.call_by_id(self._account, id_), self._clock(), 0.0
        if call is None or call.outcome == Outcome.IN_PROGRESS:
            return call is not None
        if automatic:  # as often as a list would be read
            recent = call.started_at and now - call.started_at.timestamp() < RECENT_S
            pause = AGAIN_S if recent else DAY_EVERY_S
        asked_at = self._archive.recordings_asked_at(self._account, id_)
        return recordings_due(call, asked_at, now, eager=eager, pause_s=pause)

    # -- one walk

    async def _walk(self, walk: SyncPeriod, pages_left: int | None) -> int | None:
        self._walked.add(walk.number)
        query = CallQuery(_moment(walk.since), _moment(walk.until))
        whole, seen = walk.cursor is None, set[str]()
        if whole:  # it begins, maybe once more
            walk = walk._replace(fetched=0)
        advance = Advance()
        async for page in self._provider.pages(query, walk.cursor):
            stands = self._stands(page, advance, [*page.unknown_ids, *page.failed])
            if stands:
                page = replace(
                    page, cursor=None, shortfall=f"{counted(walk.fetched, 'call')} {STANDS}"
                )
            walk = walk._replace(
                cursor=page.cursor,
                total=walk.total if (total := to_count(page.total)) is None else total,
                fetched=walk.fetched + len(page.calls),
                finished=page.cursor is None and not page.shortfall,
                shortfall=page.shortfall or walk.shortfall,
            )
            self._keep(page, walk)
            seen |= {call.id for call in page.calls}
            if pages_left is not None:
                pages_left -= 1
                if pages_left <= 0:
                    break
            if stands:
                break
        if whole and walk.finished and walk.looks_again and walk.length_s >= DAY_S:
            known = self._archive.ids_between(self._account, walk.since, walk.until - RECENT_S)
            self._absent += [id_ for id_ in known if id_ not in seen]
        return pages_left

    def _stands(self, page: Page, advance: Advance, others: Iterable[str]) -> bool:
        """Whether a walk is to end here, for it does not advance; `others` are what the page tells
        of beside its calls.
        """
        merges = self._provider.capabilities.merges_records
        advance.take([*named(page.calls, merges), *((id_, None) for id_ in others)])
        return advance.stands and page.cursor is not None and not page.watched

    def _keep(self, page: Page, walk: SyncPeriod | None) -> None:
        report, now = self.report, self._clock()
        calls = [call for call in page.calls if not self._is_too_old(call)]
        place = partial(self._keep_place, page, walk, now)
        vendor = (self._account, self._provider)
        saved, odd = keep_page(self._archive, *vendor, calls, self._fenced, now, beside=place)
        report.saved += saved
        self._unknown += page.unknown_ids
        report.fetched += len(page.calls) - len(odd)
        report.unknown_ids += len(page.unknown_ids)
        report.tell(*page.failed, *page.unreadable, *odd, *cuts(page.calls))
        report.notes |= dict.fromkeys(page.notes)
        if page.shortfall:
            report.tell(f"the vendor gave {page.shortfall}; it is asked again next time")
        self._tell(walk.fetched if walk else report.fetched, walk.total if walk else None)

    def _keep_place(self, page: Page, walk: SyncPeriod | None, now: float) -> None:
        """How far a walk has come, and what came beside its calls. Inside of a transaction."""
        if not self._provider.capabilities.lists_calls:  # else they are not asked for
            old = [call.id for call in page.calls if self._is_too_old(call)]
            self._archive.exclude(self._account, old)
        self._archive.save_names(self._account, self._names)
        self._archive.remember_unknown(self._account, page.unknown_ids, now)
        if walk and page.shortfall:
            self._archive.advance_period(self._to_be_walked_again(walk, now))
        elif walk:
            self._archive.advance_period(walk)

    def _is_too_old(self, call: Call) -> bool:
        began = call.started_at  # of a vendor's part that may be wrong about it
        return isinstance(began, datetime) and began.timestamp() < self._kept_since

    def _to_be_walked_again(self, walk: SyncPeriod, now: float) -> SyncPeriod:
        """A walk at whose end calls were missing; later each time, unless somebody asks."""
        joined = self._archive.merge_unfinished(walk)
        if joined.number != walk.number:  # a new one: the earlier keeps its pause
            return joined
        tries = walk.tries + 1
        return joined._replace(cursor=None, tries=tries, again_at=now + pause_s(tries))

    def _tell(self, fetched: int, total: int | None) -> None:
        if self._watcher:
            self._watcher.page(self._account, fetched, total)

    async def _look_for_vanished(self) -> None:
        """Which of the calls here the vendor surely has no more."""
        provider, archive, account = self._provider, self._archive, self._account
        now = self._clock()
        said = await ask_again(provider, archive, account, self._absent, now)
        gone = [*self._unknown, *said]
        self.report.vanished = await surely_gone(provider, archive, account, gone, now)

    # -- beyond the list

    async def _discover(self, provider: DiscoversIds, stop_after: int) -> None:
        highest = self._archive.highest_id(self._account) or 0
        advance = Advance()
        async for page in provider.discover(highest, stop_after, DISCOVER_STEP):
            stands = self._stands(page, advance, page.unknown_ids)
            if stands:
                page = replace(page, shortfall=f"{counted(self.report.fetched, 'call')} {STANDS}")
            self._keep(page, None)
            if stands:
                break

    async def _wanted(self, wish: SyncRequest) -> list[str]:
        """Ids of the calls whose list of recordings is not known, or may have grown: of the
        period that was asked for, else of all that are not final.
        """
        period = [time.timestamp() if time else None for time in (wish.since, wish.until)]
        eager = bool(wish.since or wish.until)
        recently = self._clock() - FINAL_S - DAY_S  # the last look is due when it is final
        ids = self._archive.ids_without_recordings(self._account, recently, *period)
        return await self._due(ids, eager)

    async def _recordings(self, wish: SyncRequest) -> None:
        """The recordings of every call that may have some, where they are to be asked for."""
        if not self._provider.capabilities.separate_recordings:
            return
        waiting = await self._wanted(wish)
        asked = 0

        async def ask(call_id: str) -> None:
            nonlocal asked
            call = self._archive.call_by_id(self._account, call_id)
            if call is None:
                return
            try:
                with self._fenced():
                    newer = await self._provider.recordings(call)
                    with self._archive.transaction():
                        keep(self._archive, self._account, self._provider, [newer], self._clock())
            except (AuthError, RateLimited):
                raise
            except ProviderError as error:
                self.report.tell(f"recordings of call {call_id}: {error}")
                return
            self.report.tell(*cuts([newer]))
            self.report.recordings += len(newer.recordings)
            asked += 1
            self._tell(asked, len(waiting))

        await gather_bounded(ask, waiting)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
