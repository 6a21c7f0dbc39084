"""What happened here to recordings: how far they were heard, and why they could not be.

Syncs do not touch this table; its lines go with their call.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from types import NoneType

from providers.model import CallRow
from tui.archive.errors import ArchiveDamaged
from tui.archive.records import Heard

_NUMBER = (float, int)
_KINDS = (
    _NUMBER,
    (*_NUMBER, NoneType),
    (*_NUMBER, NoneType),
    (str, NoneType),
    (*_NUMBER, NoneType),
)
"""What each field of `Heard` may be, as SQLite gives it."""

UNREADABLE_HEARD = " OR ".join(
    ["typeof(position_s) NOT IN ('real', 'integer')", "typeof(trouble) NOT IN ('text', 'null')"]
    + [f"typeof({name}) IN ('text', 'blob')" for name in ("length_s", "heard_at", "trouble_at")]
)
"""The same of a row of the table."""


def _line(values: Iterable[object]) -> Heard:
    """Raises `ArchiveDamaged` where a value is of another kind than was written."""
    line = Heard._make(values)
    if not all(map(isinstance, line, _KINDS)):
        raise ArchiveDamaged("what was heard of a recording cannot be read")
    return line


class ListeningTable:
    """Reads and writes the table on one connection; each writing is a transaction of its own.

    What is written of a call that is not in the archive is dropped. Raises `ArchiveReadOnly`.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        transaction: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._db, self._transaction = connection, transaction

    def wait_at_most(self, seconds: float) -> None:
        """For another Ringback's transaction, from now on; then `ArchiveBusy`."""
        self._db.execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")

    def of_call(self, account: str, call_id: str) -> dict[str, Heard]:
        """The lines of one call, by `recording_key`. Raises `ArchiveDamaged`."""
        rows = self._db.execute(
            "SELECT recording, position_s, length_s, heard_at, trouble, trouble_at FROM heard"
            " WHERE account = ? AND call_id = ?",
            (account, call_id),
        )
        return {recording: _line(rest) for recording, *rest in rows}

    def note(
        self,
        account: str,
        call_id: str,
        recording: str,
        position_s: float,
        length_s: float | None,
        heard_at: float | None,
    ) -> None:
        """It played up to here. A trouble is forgotten; the moment it was heard first stays."""
        with self._transaction():
            self._db.execute(
                "INSERT INTO heard (account, call_id, recording, position_s, length_s, heard_at)"
                " SELECT account, id, ?, ?, ?, ? FROM call WHERE account = ? AND id = ?"
                " ON CONFLICT DO UPDATE SET position_s = excluded.position_s,"
                " length_s = coalesce(excluded.length_s, length_s),"
                " heard_at = coalesce(heard_at, excluded.heard_at),"
                " trouble = NULL, trouble_at = NULL",
                (recording, position_s, length_s, heard_at, account, call_id),
            )
            if not recording.startswith("#"):
                # a trouble from before the vendor told the recordings' ids
                self._db.execute(
                    "DELETE FROM heard WHERE account = ? AND call_id = ?"
                    " AND recording GLOB '#*' AND trouble IS NOT NULL",
                    (account, call_id),
                )

    def note_trouble(
        self, account: str, call_id: str, recording: str, reason: str, at: float
    ) -> None:
        """It could not be had; how far it was heard before stays."""
        with self._transaction():
            self._db.execute(
                "INSERT INTO heard (account, call_id, recording, trouble, trouble_at)"
                " SELECT account, id, ?, ?, ? FROM call WHERE account = ? AND id = ?"
                " ON CONFLICT DO UPDATE SET trouble = excluded.trouble,"
                " trouble_at = excluded.trouble_at",
                (recording, reason, at, account, call_id),
            )


def with_heard(connection: sqlite3.Connection, rows: Iterable[CallRow]) -> list[CallRow]:
    """The rows of a window with what is known of their recordings: one look-up for all."""
    kept = list(rows)
    marks = ",".join("?" * len(kept))
    found: dict[int, list[Heard]] = {}
    for key, *rest in connection.execute(
        "SELECT key, position_s, heard.length_s, heard_at, trouble, trouble_at"
        " FROM call CROSS JOIN heard ON heard.account = call.account AND call_id = id"
        f" WHERE key IN ({marks})",
        [row.key for row in kept],
    ):
        found.setdefault(key, []).append(_line(rest))
    return [_marked(row, found[row.key]) if row.key in found else row for row in kept]


def _marked(row: CallRow, lines: list[Heard]) -> CallRow:
    """Heard: all of the call's recordings were; part: some, or one not to its end."""
    heard = sum(line.heard_at is not None for line in lines)
    begun = heard or any(line.left_s for line in lines)
    word = "heard" if heard and heard >= row.recordings else "part" if begun else None
    trouble = next((line.trouble for line in lines if line.trouble), row.trouble)
    return row._replace(heard=word, trouble=trouble)
