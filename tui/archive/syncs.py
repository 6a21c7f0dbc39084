"""What a sync needs to know and leaves behind: names, walks, unknown ids, and how it ended."""

from __future__ import annotations

import json
import sqlite3
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from providers.base import Names
from tui.archive import codec


class Walk(NamedTuple):
    """A walk through a vendor's calls of a fixed period (Unix seconds), resumable at `cursor`."""

    account: str
    asked: str
    since: float
    until: float
    number: int = 0
    cursor: str | None = None
    total: int | None = None
    fetched: int = 0
    finished: bool = False


class AccountState(NamedTuple):
    """How an account's last sync ended: a word, a sentence, and when (Unix seconds)."""

    state: str
    message: str
    at: float


class IdSet:
    """Numeric ids in order, 8 bytes each; asked with ``in``, as text."""

    def __init__(self, numbers: array[int]) -> None:
        self._numbers = numbers

    def __contains__(self, id_: object) -> bool:
        number = int(str(id_))
        place = bisect_left(self._numbers, number)
        return place < len(self._numbers) and self._numbers[place] == number

    def __iter__(self) -> Iterator[int]:
        return iter(self._numbers)


class SyncTables:
    """The part of an `Archive` that syncs write and read beside the calls."""

    _db: sqlite3.Connection

    def transaction(self) -> AbstractContextManager[None]:
        """As `Archive.transaction`."""
        raise NotImplementedError

    def ids_to_spare(self, account: str, before: float, unknown_since: float) -> IdSet:
        """Ids that a vendor need not be asked for: of calls that began before a moment (Unix
        seconds) and have ended, those that it did not know since another, and those purged.
        """
        rows = self._db.execute(
            "SELECT CAST(id AS INTEGER) AS number FROM call WHERE account = ?1"
            " AND started_at < ?2 AND outcome <> 'in_progress' AND id NOT GLOB '*[^0-9]*'"
            " UNION SELECT CAST(id AS INTEGER) FROM unknown_id"
            " WHERE account = ?1 AND asked_at >= ?3"
            " UNION SELECT CAST(id AS INTEGER) FROM purged WHERE account = ?1"
            " AND id NOT GLOB '*[^0-9]*' ORDER BY number",
            (account, round(before * 1000), unknown_since),
        )
        return IdSet(array("q", (row[0] for row in rows)))

    def recordings_wanted(self, account: str, recently: float) -> list[str]:
        """Ids of calls whose list of recordings is not known, or not there yet, newest first."""
        rows = self._db.execute(
            "SELECT id FROM call JOIN detail USING (key)"
            " WHERE account = ? AND has_recording IS NOT 0"
            " AND (extra ->> 'recordings_known' = 0"
            "      OR (has_recording AND recordings = 0 AND started_at > ?))"
            " ORDER BY started_at DESC",
            (account, round(recently * 1000)),
        )
        return [row[0] for row in rows]

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
        return Names({(kind, id_): json.loads(fields) for kind, id_, fields in rows})

    def save_names(self, account: str, names: Names) -> None:
        """Keep what this run learned. Runs inside the caller's `transaction`."""
        self._db.executemany(
            "INSERT OR REPLACE INTO name VALUES (?, ?, ?, ?)",
            [(account, *thing, codec.dumps(names.known[thing])) for thing in sorted(names.fresh)],
        )
        names.fresh.clear()

    def open_walks(self, account: str) -> list[Walk]:
        """Unfinished walks of an account, the latest period first."""
        return [
            _walk(row)
            for row in self._db.execute(
                "SELECT * FROM walk WHERE account = ? AND NOT finished ORDER BY until DESC",
                (account,),
            )
        ]

    def covered_until(self, account: str) -> float | None:
        """The end of the latest period that a walk of this account began (Unix seconds)."""
        row = self._db.execute("SELECT max(until) FROM walk WHERE account = ?", (account,))
        latest: float | None = row.fetchone()[0]
        return latest

    def begin_walk(self, walk: Walk) -> Walk:
        with self.transaction():
            number = self._db.execute(
                "INSERT INTO walk (account, asked, since, until) VALUES (?, ?, ?, ?)",
                (walk.account, walk.asked, walk.since, walk.until),
            ).lastrowid
        return walk._replace(number=number or 0)

    def save_walk(self, walk: Walk) -> None:
        """Move a walk's cursor. Runs inside the transaction that keeps the page's calls."""
        self._db.execute(
            "UPDATE walk SET cursor = ?, total = ?, fetched = ?, finished = ? WHERE number = ?",
            (walk.cursor, walk.total, walk.fetched, walk.finished, walk.number),
        )
        if walk.finished:
            # of the finished walks only the latest is needed: it says where the next begins
            self._db.execute(
                "DELETE FROM walk WHERE account = ?1 AND finished AND until <"
                " (SELECT max(until) FROM walk WHERE account = ?1 AND finished)",
                (walk.account,),
            )

    def drop_walk(self, walk: Walk) -> None:
        self._db.execute("DELETE FROM walk WHERE number = ?", (walk.number,))

    def remember_unknown(self, account: str, ids: Iterable[str], at: float) -> None:
        self._db.executemany(
            "INSERT OR REPLACE INTO unknown_id VALUES (?, ?, ?)",
            [(account, id_, at) for id_ in ids],
        )

    def save_state(self, account: str, state: AccountState) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO account_state VALUES (?, ?, ?, ?)",
            (account, state.state, state.message, state.at),
        )

    def states(self) -> dict[str, AccountState]:
        rows = self._db.execute("SELECT account, state, message, at FROM account_state")
        return {account: AccountState(*rest) for account, *rest in rows}


def _walk(row: tuple[Any, ...]) -> Walk:
    number, account, asked, since, until, cursor, total, fetched, finished = row
    return Walk(account, asked, since, until, number, cursor, total, fetched, bool(finished))
