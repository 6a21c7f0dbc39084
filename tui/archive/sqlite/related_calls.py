"""Calls that belong to another: with the same number anywhere, or parts of one transfer."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

from providers.model import Call

ORIGINAL = "original"
TRANSFERRED = "transferred"
SAME_CALL = "same call"
SAME_NUMBER = "same number"


class Related(NamedTuple):
    """A row's key, and how it belongs to the call that was asked about."""

    key: int
    relation: str


def threads(call: Call) -> Iterator[str]:
    """Names of what a call is a part of, within its account: a call that it was transferred
    from, and the vendor's own history (CINNOX: ``hid``).
    """
    if call.original_call_id:
        yield f"call {call.original_call_id}"
    if call.history_id:
        yield f"history {call.history_id}"


def keep_threads(db: sqlite3.Connection, account: str, key: int, call: Call) -> None:
    """Keep what a call is a part of. Runs inside the caller's transaction."""
    db.execute("DELETE FROM thread WHERE key = ?", (key,))
    db.executemany(
        "INSERT INTO thread VALUES (?, ?, ?)", [(account, name, key) for name in threads(call)]
    )


def related(db: sqlite3.Connection, key: int, limit: int) -> list[Related]:
    """Calls that belong to a row's, newest first, at most `limit`; a call stands there once."""
    row = db.execute("SELECT account, id, number_key FROM call WHERE key = ?", (key,)).fetchone()
    if row is None:
        return []
    account, id_, number = row  # a call without a number has the empty text, or none yet
    found: dict[int, str] = {}
    for relation, sql, values in (
        (ORIGINAL, _ORIGINAL, (account, key)),
        (TRANSFERRED, _IN_THREAD, (account, f"call {id_}", limit + 1)),
        (SAME_CALL, _IN_SAME_THREAD, (key, limit + 1)),
        (SAME_NUMBER, _OF_NUMBER, (number or None, limit + 1)),
    ):
        for (other,) in db.execute(sql, values):
            if other != key:
                found.setdefault(other, relation)
    marks = ",".join("?" * len(found))
    newest = db.execute(
        f"SELECT key FROM call WHERE key IN ({marks}) ORDER BY started_at DESC, key DESC LIMIT ?",
        [*found, limit],
    )
    return [Related(other, found[other]) for (other,) in newest]


_ORIGINAL = (
    "SELECT other.key FROM thread JOIN call AS other"
    " ON other.account = thread.account AND thread.thread = 'call ' || other.id"
    " WHERE thread.account = ? AND thread.key = ?"
)
_IN_THREAD = (
    "SELECT key FROM thread JOIN call USING (key) WHERE thread.account = ? AND thread = ?"
    " ORDER BY started_at DESC LIMIT ?"
)
_IN_SAME_THREAD = (
    "SELECT other.key FROM thread AS mine JOIN thread AS other USING (account, thread)"
    " JOIN call ON call.key = other.key"
    " WHERE mine.key = ? ORDER BY started_at DESC LIMIT ?"
)
_OF_NUMBER = "SELECT key FROM call WHERE number_key = ? ORDER BY started_at DESC, key DESC LIMIT ?"
