"""What a sync needs to know and leaves behind: names, walks, unknown ids, and how it ended."""

from __future__ import annotations

import json
import sqlite3
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from providers.base import Names
from tui.archive import codec
from tui.archive.errors import ArchiveReadOnly, ArchiveUnavailable, reading
from tui.archive.records import AccountState, Coverage, SyncPeriod
from tui.archive.sqlite.search.search_index import NO_TIME, TIES
from tui.query.dates import DAY_S

T = TypeVar("T")
EVERYWHERE = (1 << 63) - 1
"""No place is beyond it."""
UNREADABLE_NAME = "CASE WHEN json_valid(fields) THEN json_type(fields) <> 'object' ELSE 1 END"
"""A condition on a row of the table ``name``: it is not as it was written."""


class IdSet:
    """Numeric ids in order, 8 bytes each, and a few others; asked with ``in``, as text."""

    def __init__(self, numbers: array[int], others: Iterable[int] = ()) -> None:
        self._numbers, self._others = numbers, frozenset(others)

    def __contains__(self, id_: object) -> bool:
        number = int(str(id_))
        place = bisect_left(self._numbers, number)
        found = place < len(self._numbers) and self._numbers[place] == number
        return found or number in self._others

    def __iter__(self) -> Iterator[int]:
        return iter(self._numbers)


class SyncTables:
    """The part of an `Archive` that syncs write and read beside the calls."""

    _db: sqlite3.Connection

    def transaction(self) -> AbstractContextManager[None]:
        """As `Archive.transaction`."""
        raise NotImplementedError

    def write_if_possible(self, work: Callable[[], T]) -> T | None:
        """A transaction for what serves as well without being kept; None where the disk is
        full, or may only be read.
        """
        try:
            with self.transaction():
                return work()
        except (ArchiveReadOnly, ArchiveUnavailable):
            return None

    def settled_ids(
        self, account: str, before: float, unknown_since: float, others: Iterable[int] = ()
    ) -> IdSet:
        """Ids that a vendor need not be asked for: of calls that began before a moment (Unix
        seconds) and have ended, those that it did not know since another, those purged, and
        `others`.
        """
        rows = self._db.execute(
            "SELECT CAST(id AS INTEGER) AS number FROM call WHERE account = :account"
            " AND started_at < :before_ms AND outcome <> 'in_progress' AND id NOT GLOB '*[^0-9]*'"
            " UNION SELECT CAST(id AS INTEGER) FROM unknown_id"
            " WHERE account = :account AND asked_at >= :since"
            " UNION SELECT CAST(id AS INTEGER) FROM purged WHERE account = :account"
            " AND id NOT GLOB '*[^0-9]*' ORDER BY number",
            {"account": account, "before_ms": round(before * 1000), "since": unknown_since},
        )
        return IdSet(array("q", (row[0] for row in rows)), others)

    def ids_between(self, account: str, since: float, until: float | None = None) -> list[str]:
        """Ids of the calls that began in a period (Unix seconds), newest first."""
        rows = self._db.execute(
            "SELECT id FROM call WHERE account = ? AND place >= ? AND place < ?"
            " ORDER BY place DESC",
            (account, *_places(since, until)),
        )
        return [row[0] for row in rows]

    def ids_without_recordings(
        self, account: str, recently: float, since: float | None, until: float | None
    ) -> list[str]:
        """Ids of calls of a period, and of those without a time, that may have recordings, newest
        first: those whose list is not known, and all that began after `recently`, for whose list
        may have grown.
        """
        first, last = _places(since, until)
        rows = self._db.execute(
            "SELECT id FROM call JOIN detail USING (key)"
            " WHERE account = ? AND (place >= ? OR place < ?) AND place < ?"
            " AND has_recording IS NOT 0"
            " AND (started_at >= ? OR extra ->> 'recordings_known' = 0)"
            " ORDER BY place DESC",
            (account, first, NO_TIME // 2, last, round(recently * 1000)),
        )
        return [row[0] for row in rows]

    def recordings_asked_at(self, account: str, id_: str) -> float | None:
        """When the vendor last said which recordings a call has (Unix seconds); None: never."""
        row = self._db.execute(
            "SELECT IFNULL(asked_at, iif(IFNULL(extra ->> 'recordings_known', 1), saved_at, NULL))"
            " FROM call JOIN detail USING (key) WHERE account = ? AND id = ?",
            (account, id_),
        ).fetchone()
        return row[0] if row else None

    def note_recordings_asked(self, account: str, ids: Iterable[str], at: float) -> None:
        """The vendor said which recordings these calls have. Inside the caller's `transaction`."""
        self._db.executemany(
            "UPDATE call SET asked_at = ? WHERE account = ? AND id = ?",
            [(at, account, id_) for id_ in ids],
        )

    def running_since(self, account: str, after: float) -> float | None:
        """When the first call began that has not ended and began after a moment: Unix seconds."""
        row = self._db.execute(
            "SELECT min(started_at) FROM call"
            " WHERE account = ? AND place >= ? AND outcome = 'in_progress'",
            (account, _places(after, None)[0]),
        ).fetchone()
        return row[0] / 1000 if row[0] is not None else None

    def highest_id(self, account: str) -> int | None:
        """The highest numeric call id of an account."""
        row = self._db.execute(
            "SELECT max(CAST(id AS INTEGER)) FROM call"
            " WHERE account = ? AND id NOT GLOB '*[^0-9]*'",
            (account,),
        ).fetchone()
        return int(row[0]) if row[0] is not None else None

    def names(self, account: str) -> Names:
        rows = self._db.execute("SELECT kind, id, fields FROM name WHERE account = ?", (account,))
        with reading("a vendor's name"):
            return Names({(kind, id_): json.loads(fields) for kind, id_, fields in rows})

    def save_names(self, account: str, names: Names) -> None:
        """Keep what this run learned. Runs inside the caller's `transaction`."""
        self._db.executemany(
            "INSERT OR REPLACE INTO name VALUES (?, ?, ?, ?)",
            [(account, *thing, codec.dumps(names.known[thing])) for thing in sorted(names.fresh)],
        )
        names.fresh.clear()

    def unfinished_periods(self, account: str) -> list[SyncPeriod]:
        """Unfinished walks of an account, the latest period first."""
        return [
            _period(row)
            for row in self._db.execute(
                "SELECT * FROM walk WHERE account = ? AND NOT finished ORDER BY until DESC",
                (account,),
            )
        ]

    def coverage(self, account: str, settings: str) -> Coverage | None:
        """What was asked for with these settings; None: nothing yet."""
        row = self._db.execute(
            "SELECT since, until, day_at, week_at FROM coverage WHERE account = ? AND settings = ?",
            (account, settings),
        ).fetchone()
        return Coverage(*row) if row else None

    def _cover(self, period: SyncPeriod, coverage: Coverage) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO coverage VALUES (?, ?, ?, ?, ?, ?)",
            (period.account, period.settings, *coverage),
        )

    def begin_period(self, period: SyncPeriod, instead: Iterable[SyncPeriod] = ()) -> SyncPeriod:
        """Keep a period, which is brought to its end sooner or later: it is covered. It takes the
        place of others.
        """
        with self.transaction():
            for other in instead:
                self.drop_period(other)
            number = self._db.execute(
                "INSERT INTO walk (account, asked, since, until) VALUES (?, ?, ?, ?)",
                (period.account, period.asked, period.since, period.until),
            ).lastrowid
            known = self.coverage(period.account, period.settings)
            if known is None:
                self._cover(period, Coverage(period.since, period.until))
            elif period.since <= known.until and period.until >= known.since:
                since, until = min(period.since, known.since), max(period.until, known.until)
                self._cover(period, known._replace(since=since, until=until))
        return period._replace(number=number or 0)

    def advance_period(self, period: SyncPeriod) -> None:
        """Move a walk's cursor. Runs inside the transaction that keeps the page's calls."""
        if period.finished:
            self._finish(period)
            return
        self._db.execute(
            "UPDATE walk SET asked = ?, since = ?, until = ?, cursor = ?, total = ?, fetched = ?,"
            " shortfall = ?, tries = ?, again_at = ? WHERE number = ?",
            (*period[1:4], *period[5:8], *period[9:], period.number),
        )

    def _finish(self, period: SyncPeriod) -> None:
        """A period came to its end: so did those through a part of its period that lacked calls."""
        known = self.coverage(period.account, period.settings)
        if known:
            day = max(known.day_at, period.until if period.length_s >= DAY_S else 0.0)
            week = max(known.week_at, period.until if period.length_s >= 7 * DAY_S else 0.0)
            self._cover(period, known._replace(day_at=day, week_at=week))
        self._db.execute(
            "DELETE FROM walk WHERE number = ? OR (account = ? AND shortfall <> ''"
            " AND since >= ? AND until <= ?)",
            (period.number, period.account, period.since, period.until),
        )

    def merge_unfinished(self, period: SyncPeriod) -> SyncPeriod:
        """One period of those that meet and lack calls, so that they do not pile up: a new one
        becomes a part of an earlier. Inside the caller's `transaction`, before `advance_period`.
        """
        met = [
            other
            for other in self.unfinished_periods(period.account)
            if other.shortfall and other.number != period.number
            if other.since <= period.until and other.until >= period.since
        ]
        every = [period, *met]
        kept = period if period.tries else every[-1]
        for other in every:
            if other.number != kept.number:
                self.drop_period(other)
        longest = max(every, key=lambda one: one.length_s)
        return kept._replace(
            asked=longest.asked,
            since=min(one.since for one in every),
            until=max(one.until for one in every),
            shortfall=longest.shortfall,
        )

    def drop_period(self, period: SyncPeriod) -> None:
        self._db.execute("DELETE FROM walk WHERE number = ?", (period.number,))

    def forget_settings(self, period: SyncPeriod) -> None:
        """Drop a period that is for other settings than there are now, and what they covered: were
        they to come again, nobody would go on with it.
        """
        self.drop_period(period)
        self._db.execute(
            "DELETE FROM coverage WHERE account = ? AND settings = ?",
            (period.account, period.settings),
        )

    def remember_unknown(self, account: str, ids: Iterable[str], at: float) -> None:
        self._db.executemany(
            "INSERT OR REPLACE INTO unknown_id VALUES (?, ?, ?)",
            [(account, id_, at) for id_ in ids],
        )

    def save_account_state(self, account: str, state: AccountState) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO account_state VALUES (?, ?, ?, ?, ?, ?)",
            (account, *state),
        )

    def account_states(self) -> dict[str, AccountState]:
        rows = self._db.execute(
            "SELECT account, state, message, at, again_at, tries FROM account_state"
        )
        return {account: AccountState(*rest) for account, *rest in rows}


def _period(row: tuple[Any, ...]) -> SyncPeriod:
    number, account, asked, since, until, cursor, total, fetched, finished, *rest = row
    return SyncPeriod(
        account, asked, since, until, number, cursor, total, fetched, bool(finished), *rest
    )


def _places(since: float | None, until: float | None) -> tuple[int, int]:
    """The places (see search_index.py) of a period: from the first on, and before the second."""
    first = NO_TIME if since is None else round(since * 1000) * TIES
    return first, EVERYWHERE if until is None else (round(until * 1000) + 1) * TIES
