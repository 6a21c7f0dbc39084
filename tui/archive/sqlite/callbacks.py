"""Who still waits for an answer, over all accounts: numbers that meet, and what closes a call.

A missed, abandoned or voicemail call, and one whose caller asked to be called back, is closed by
the first later answered call with the same number, in any account and direction. That is kept in
``call.closed_by`` as calls come, since to work it out for a whole list would read every call.

A call of the very same moment is no later one: a call too many in the queue is a key's work, one
too few is a customer lost.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from providers.model import Call, Direction, Outcome
from tui.query.phone_numbers import number_key

MISSED = frozenset({Outcome.MISSED, Outcome.ABANDONED, Outcome.VOICEMAIL})
STEP = 500


class Callbacks:
    """Part of one archive, on that archive's connection. It is `Archive.callbacks`."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._regions: dict[str, str] | None = None

    # -- regions

    @property
    def regions(self) -> Mapping[str, str]:
        """The default region of each account (lower case) that has one."""
        if self._regions is None:
            rows = self._db.execute("SELECT account, region FROM region")
            self._regions = {account.lower(): region for account, region in rows}
        return self._regions

    def set_region(self, account: str, region: str) -> None:
        """An account's default region (empty: none). Where it is another than before, the keys
        of its calls' numbers are worked out again by `fill`. Runs inside a transaction.
        """
        self._regions = None  # another Ringback may have set it
        if self.regions.get(account.lower(), "") == region:
            return
        if region:
            self._db.execute(
                "INSERT INTO region VALUES (?, ?)"
                " ON CONFLICT (account) DO UPDATE SET region = excluded.region",
                (account, region),
            )
        else:
            self._db.execute("DELETE FROM region WHERE account = ?", (account,))
        self._db.execute("UPDATE call SET number_key = NULL WHERE account = ?", (account,))
        self._regions = None

    def fill(self, limit: int = STEP) -> int:
        """Work out the keys of up to `limit` calls that lack one (of an older archive, or after
        `set_region`); how many there were. Runs inside a transaction.
        """
        rows = self._db.execute(
            "SELECT key, account, number, outcome, direction, started_at,"
            " body_text(body) ->> 'sla_met', body_text(body) ->> 'callback_requested'"
            " FROM call JOIN detail USING (key) WHERE number_key IS NULL LIMIT ?",
            (limit,),
        ).fetchall()
        for key, account, number, outcome, direction, started_at, sla, callback in rows:
            line = {
                "number_key": self.key_of(account, number),
                "missed": is_missed(outcome, direction),
                "sla_met": sla,
                "callback_requested": callback,
                "closed_by": None,
            }
            closed = self._closed_by(key)
            assignments = ", ".join(f"{name} = ?" for name in line)
            self._db.execute(f"UPDATE call SET {assignments} WHERE key = ?", [*line.values(), key])
            for other in closed:
                self.settle(other)
            self.came(key, {**line, "outcome": outcome, "started_at": started_at})
        return len(rows)

    # -- as calls come

    def key_of(self, account: str, number: str | None) -> str:
        return number_key(number or "", account, self.regions.get(account.lower(), ""))

    def columns(self, account: str, call: Call) -> dict[str, Any]:
        """What a call's line says about who waits."""
        return {
            "number_key": self.key_of(account, call.contact.number),
            "missed": is_missed(call.outcome, call.direction),
            "sla_met": call.sla_met,
            "callback_requested": call.callback_requested,
        }

    def came(self, key: int, line: Mapping[str, Any]) -> None:
        """A new call: what it closes, and what closes it. Runs inside a transaction."""
        number, at = line["number_key"], line["started_at"]
        if not number or at is None:
            return
        if line["missed"] or line["callback_requested"]:
            self._db.execute(f"UPDATE call SET closed_by = {_CLOSER} WHERE key = ?", (key,))
        if line["outcome"] == Outcome.ANSWERED:
            # those before the answered call before this one were closed by that or an earlier one
            self._db.execute(
                f"UPDATE call SET closed_by = ? WHERE number_key = ? AND {_WAITING}"
                " AND started_at < ? AND started_at >= IFNULL((SELECT max(before.started_at)"
                " FROM call AS before WHERE before.number_key = ? AND before.outcome = 'answered'"
                " AND before.started_at < ?), 0)",
                (key, number, at, number, at),
            )

    def changed(self, key: int, before: tuple[Any, ...], line: Mapping[str, Any]) -> None:
        """A call is otherwise than it was; `before` has the values of `DECIDES`."""
        if before != tuple(line[name] for name in DECIDES):
            self._db.execute("UPDATE call SET closed_by = NULL WHERE key = ?", (key,))
            for number_key in {before[0], line["number_key"]} | self._closed_by(key):
                self.settle(number_key)

    def decides(self, key: int) -> tuple[Any, ...]:
        """The values of `DECIDES` of a call as the archive has it."""
        row: tuple[Any, ...] = self._db.execute(
            f"SELECT {', '.join(DECIDES)} FROM call WHERE key = ?", (key,)
        ).fetchone()
        return row

    def settle(self, number_key: str | None) -> None:
        """Work out anew what closes each call of a number."""
        if number_key:
            self._db.execute(
                f"UPDATE call SET closed_by = CASE WHEN {_WAITING} THEN {_CLOSER} END"
                " WHERE number_key = ?",
                (number_key,),
            )

    def settle_removed(self) -> None:
        """After calls were removed: those that they closed are open, or closed by others."""
        rows = self._db.execute(
            "SELECT DISTINCT number_key FROM call WHERE closed_by IS NOT NULL"
            " AND NOT EXISTS (SELECT 1 FROM call AS closer WHERE closer.key = call.closed_by)"
        ).fetchall()
        for (number,) in rows:
            self.settle(number)

    def closer_of(self, account: str, id_: str) -> tuple[str, float] | None:
        """The call that closed this one, as ``account:id``, and when it began (Unix seconds)."""
        row: tuple[str, float] | None = self._db.execute(
            "SELECT closer.account || ':' || closer.id, closer.started_at / 1000.0"
            " FROM call JOIN call AS closer ON closer.key = call.closed_by"
            " WHERE call.account = ? AND call.id = ?",
            (account, id_),
        ).fetchone()
        return row

    def _closed_by(self, key: int) -> set[str]:
        """The numbers of the calls that a call closes."""
        rows = self._db.execute("SELECT number_key FROM call WHERE closed_by = ?", (key,))
        return {number_key for (number_key,) in rows if number_key}


DECIDES = ("number_key", "started_at", "outcome", "missed", "callback_requested")
"""Columns that decide what a call closes and what closes it."""

_WAITING = "(missed = 1 OR IFNULL(callback_requested, 0) = 1)"
_CLOSER = (
    "(SELECT later.key FROM call AS later WHERE later.number_key = call.number_key"
    " AND later.number_key <> '' AND later.outcome = 'answered'"
    " AND later.started_at > call.started_at ORDER BY later.started_at, later.key LIMIT 1)"
)


def is_missed(outcome: str, direction: str | None) -> bool:
    """Whether somebody outside did not get through to us."""
    return outcome in MISSED and direction in (None, Direction.INBOUND)
