"""Details that an older Ringback kept, packed in small steps beside the screen."""

from __future__ import annotations

import sqlite3

from tui.archive.errors import READING
from tui.archive.sqlite.details import details_of, row_of


def waiting(db: sqlite3.Connection) -> int:
    """The highest key whose details may wait to be packed; 0: none do."""
    row = db.execute("SELECT upto FROM unpacked").fetchone()
    return int(row[0]) if row else 0


def repack(db: sqlite3.Connection, limit: int) -> int:
    """Pack the details of up to `limit` calls, the newest first; what `waiting` is then.

    What cannot be read stays as it is. Runs inside a transaction.
    """
    upto = waiting(db)
    rows = db.execute(
        "SELECT key, body, extra, raw FROM detail WHERE key <= ? ORDER BY key DESC LIMIT ?",
        (upto, limit),
    ).fetchall()
    for key, body, extra, raw in rows:
        try:
            packed = row_of(details_of(body, extra, raw))
        except READING:
            continue
        db.execute("UPDATE detail SET body = ?, extra = ?, raw = ? WHERE key = ?", (*packed, key))
    left = rows[-1][0] - 1 if len(rows) == limit else 0
    db.execute("UPDATE unpacked SET upto = ?", (left,))
    return int(left)
