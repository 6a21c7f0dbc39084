"""Calls that the archive has not yet, a page of them at a time: one statement reads or writes
what is the same for all, where one a call would cost more than the writing itself.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Collection, Iterable, Iterator, Sequence

from providers.model import Call
from tui.archive.sqlite.call_columns import Kept, to_details, to_row
from tui.archive.sqlite.callbacks import Callbacks
from tui.archive.sqlite.details import row_of
from tui.archive.sqlite.related_calls import threads
from tui.archive.sqlite.search.search_index import Changes, SearchIndex, entry
from tui.archive.sqlite.triage_log import TriageLog

AT_ONCE = 500
"""Calls of one batch, each of which is one value of a statement."""


def batches(calls: Iterable[Call]) -> Iterator[list[Call]]:
    """Calls in their order, those of one batch each with an id of its own: the second of two
    with the same one changes the first.
    """
    batch: dict[str, Call] = {}
    for call in calls:
        if str(call.id) in batch or len(batch) == AT_ONCE:
            yield [*batch.values()]
            batch = {}
        batch[str(call.id)] = call
    if batch:
        yield [*batch.values()]


def known(
    db: sqlite3.Connection, account: str, calls: Collection[Call]
) -> dict[str, tuple[int, Kept]]:
    """Key and details of those calls that are here, by their ids."""
    rows = db.execute(
        "SELECT id, key, body, extra, raw FROM call JOIN detail USING (key)"
        f" WHERE account = ? AND id IN ({_marks(calls)})",
        [account, *(call.id for call in calls)],
    )
    return {id_: (key, (body, extra, raw)) for id_, key, body, extra, raw in rows}


def insert(
    db: sqlite3.Connection,
    index: SearchIndex,
    callbacks: Callbacks,
    triage: TriageLog,
    account: str,
    calls: Sequence[Call],
    changes: Changes,
) -> int:
    """Keep calls that are not here, but those that were purged; how many were kept. Runs inside
    the caller's transaction.
    """
    purged = _ids(db, "purged", account, calls)
    calls = [call for call in calls if str(call.id) not in purged]
    if not calls:
        return 0
    lines = [to_row(account, call) | callbacks.columns(account, call) for call in calls]
    places = index.free_positions([line["started_at"] for line in lines])
    first = db.execute("SELECT IFNULL(max(key), 0) + 1 FROM call").fetchone()[0]
    rows = [
        {"key": key, **line, **place}
        for key, (line, place) in enumerate(zip(lines, places, strict=True), first)
    ]
    db.executemany(
        f"INSERT INTO call ({', '.join(rows[0])}) VALUES ({_marks(rows[0])})",
        [(*row.values(),) for row in rows],
    )
    keyed, now = [*enumerate(calls, first)], int(time.time())
    db.executemany(
        "INSERT INTO detail VALUES (?, ?, ?, ?, ?)",
        [(key, *row_of(to_details(call)), now) for key, call in keyed],
    )
    db.execute("DELETE FROM thread WHERE key BETWEEN ? AND ?", (first, rows[-1]["key"]))
    db.executemany(
        "INSERT INTO thread VALUES (?, ?, ?)",
        [(account, name, key) for key, call in keyed for name in threads(call)],
    )
    for row in rows:
        callbacks.came(row["key"], row)
    for id_ in _ids(db, "triage", account, calls):
        triage.restore((account, id_))
    for row in index.rows([row["key"] for row in rows]):
        changes.add(entry(row))
    return len(calls)


def _ids(db: sqlite3.Connection, table: str, account: str, calls: Collection[Call]) -> set[str]:
    """The ids of those calls that a table names."""
    rows = db.execute(
        f"SELECT id FROM {table} WHERE account = ? AND id IN ({_marks(calls)})",
        [account, *(call.id for call in calls)],
    )
    return {id_ for (id_,) in rows}


def _marks(values: Collection[object]) -> str:
    return ", ".join("?" * len(values))
