"""Calls that an older Ringback kept, brought into the index in small steps."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from tui.archive.sqlite.call_columns import call_of, to_row
from tui.archive.sqlite.search.search_index import Changes, SearchIndex, entry

Rewrite = Callable[[int, dict[str, Any], Changes], None]
"""Put another line in a call's place, in the index too."""


def fill(db: sqlite3.Connection, index: SearchIndex, rewrite: Rewrite, limit: int) -> int:
    """Up to `limit` calls that are not in the index, the newest first; then those whose lines lack
    what later Ringbacks write. More than 0: there are others. Runs inside a transaction.
    """
    upto = index.unindexed()
    which = "key <= :upto" if upto else "fields IS NULL"
    rows = db.execute(
        f"SELECT key, account, body, extra FROM call JOIN detail USING (key) WHERE {which}"
        " ORDER BY key DESC LIMIT :limit",
        {"upto": upto, "limit": limit},
    ).fetchall()
    changes = index.changes()
    for key, account, body, extra in rows:
        rewrite(key, to_row(account, call_of(body, extra, None)), changes)
        if upto:
            changes.add(entry(index.row(key)))
    changes.flush()
    left = rows[-1][0] - 1 if len(rows) == limit else 0
    if upto:
        index.set_unindexed(left)
    return left or int(index.is_incomplete())
