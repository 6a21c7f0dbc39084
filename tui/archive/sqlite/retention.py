"""What an archive knows about how long calls stay: those on hold, those that are due to go, and
those that their vendors have no more.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import AbstractContextManager

from tui.archive.records import Due
from tui.archive.sqlite import purge
from tui.archive.sqlite.callbacks import Callbacks
from tui.archive.sqlite.search.search_index import NO_TIME, TIES

MERGED = 200
"""Pages of the full-text tables that are written anew when calls have gone, at most."""


class RetentionTables:
    """The part of an `Archive` that decides which calls stay. Times are Unix seconds."""

    _db: sqlite3.Connection
    callbacks: Callbacks

    def transaction(self) -> AbstractContextManager[None]:
        """As `Archive.transaction`."""
        raise NotImplementedError

    # -- which a purge is asked for

    def keys_of_number(self, number: str) -> list[int]:
        """Keys of the calls with this number on the other side, however it is written."""
        return purge.keys_of_number(self._db, self.callbacks.key_of, number)

    def keys_before(self, before: float) -> list[int]:
        """Keys of the calls that began before a moment (Unix seconds)."""
        return purge.keys_before(self._db, before)

    def undated(self) -> int:
        """How many calls have no time."""
        return purge.undated(self._db)

    def mentions(self, number: str) -> int:
        """How many calls hold this number anywhere, in a note among others."""
        return purge.mentions(self._db, number)

    # -- on hold

    def held(self, keys: Iterable[int] | None = None) -> frozenset[int]:
        """The keys of all calls on hold, or of those among `keys`."""
        held = frozenset(key for (key,) in self._db.execute("SELECT key FROM call WHERE held = 1"))
        return held if keys is None else held.intersection(keys)

    def held_of(self, account: str) -> int:
        """How many calls of an account are on hold."""
        sql = "SELECT count(*) FROM call WHERE held = 1 AND account = ?"
        return int(self._db.execute(sql, (account,)).fetchone()[0])

    # -- older than they are kept; those without a time stay

    def due(self, before: float) -> Due:
        """How many calls began before a moment."""
        sql = f"SELECT count(*) FROM call WHERE {_OLDER}"  # from an index each, without the rows
        (calls,), (held,) = (
            self._db.execute(sql + more, _older(before)).fetchone()
            for more in ("", " AND held = 1")
        )
        return Due(calls - held, held)

    def keys_due(self, before: float, limit: int) -> list[int]:
        """Keys of the oldest calls that began before a moment and are not on hold."""
        sql = f"SELECT key FROM call WHERE {_OLDER} AND held = 0 ORDER BY place LIMIT ?"
        return [key for (key,) in self._db.execute(sql, (*_older(before), limit))]

    def told_days(self) -> int:
        """For how many days calls are kept, as the user was told; 0: for ever."""
        row = self._db.execute("SELECT days FROM told_days").fetchone()
        return int(row[0]) if row else 0

    def tell_days(self, days: int) -> None:
        """Remember what the user was told."""
        with self.transaction():
            self._db.execute("DELETE FROM told_days")
            self._db.execute("INSERT INTO told_days VALUES (?)", (days,))

    def exclude(self, account: str, ids: Iterable[str]) -> None:
        """Ask for calls no more, and keep them never. Runs inside the caller's `transaction`."""
        self._db.executemany(
            "INSERT OR IGNORE INTO purged VALUES (?, ?)", [(account, id_) for id_ in ids]
        )

    def forget_words(self) -> None:
        """Write a part of the full-text tables anew, which else keep words of what has gone."""
        with self.transaction():
            for table in ("search", "fragment"):
                self._db.execute(f"INSERT INTO {table} ({table}, rank) VALUES ('merge', {MERGED})")

    # -- no more at their vendors

    def note_vanished(self, account: str, id_: str, at: float, apart_s: float) -> bool:
        """The vendor said that it has no such call; whether it has said so before, at least
        `apart_s` earlier.
        """
        with self.transaction():
            row = self._db.execute(
                "INSERT INTO vanished (account, id, first_at, last_at)"
                " VALUES (:account, :id, :at, :at)"
                " ON CONFLICT DO UPDATE SET last_at = excluded.last_at,"
                " sure = max(sure, excluded.last_at - first_at >= :apart_s) RETURNING sure",
                {"account": account, "id": id_, "at": at, "apart_s": apart_s},
            ).fetchall()
        return bool(row[0][0])

    def newest_ids(self, account: str, limit: int) -> list[str]:
        """Ids of an account's newest calls."""
        sql = "SELECT id FROM call WHERE account = ? ORDER BY place DESC LIMIT ?"
        return [id_ for (id_,) in self._db.execute(sql, (account, limit))]

    def came_again(self, account: str, ids: Iterable[str]) -> None:
        """The vendor gave these calls. Runs inside the caller's `transaction`."""
        self._db.executemany(
            "DELETE FROM vanished WHERE account = ? AND id = ?", [(account, id_) for id_ in ids]
        )

    def suspects(self, account: str, before: float, limit: int) -> list[str]:
        """Ids of calls of which their vendor said once, before a moment, that it has none."""
        rows = self._db.execute(
            "SELECT vanished.id FROM vanished JOIN call USING (account, id)"
            " WHERE account = ? AND sure = 0 AND last_at <= ? ORDER BY last_at LIMIT ?",
            (account, before, limit),
        )
        return [id_ for (id_,) in rows]

    def is_suspect(self, account: str, id_: str) -> bool:
        """Whether a vendor said of a call that it has none, and that is not sure yet."""
        sql = "SELECT 1 FROM vanished WHERE account = ? AND id = ? AND sure = 0"
        return self._db.execute(sql, (account, id_)).fetchone() is not None

    def vanished(self) -> list[int]:
        """Keys of the calls that are here and surely no more at their vendors."""
        rows = self._db.execute(
            "SELECT key FROM vanished JOIN call USING (account, id) WHERE sure = 1 ORDER BY key"
        )
        return [key for (key,) in rows]

    def vanished_at(self, account: str, id_: str) -> float | None:
        """When a vendor last said that it has a call no more; None: that is not sure."""
        row = self._db.execute(
            "SELECT last_at FROM vanished WHERE account = ? AND id = ? AND sure = 1",
            (account, id_),
        ).fetchone()
        return row[0] if row else None


_OLDER = "place >= ? AND place < ?"


def _older(before: float) -> tuple[int, int]:
    return NO_TIME // 2, round(before * 1000) * TIES
