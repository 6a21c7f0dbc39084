"""Where a call stands in an order of the table, as conditions on the calls around it."""

from __future__ import annotations

import sqlite3
from typing import Any

from tui.archive.errors import CallNotFound
from tui.archive.sqlite.search.conditions import Sql

ORDERS = {
    "time": "place",
    "direction": "direction",
    "outcome": "outcome",
    "contact": "contact COLLATE NOCASE",
    "number": "number",
    "agents": "agents COLLATE NOCASE",
    "group": "ring_group COLLATE NOCASE",
    "duration": "duration_s",
    "wait": "wait_s",
    "talk": "talk_s",
    "recording": "recordings",
    "state": "NULLIF(state, 'new')",
    "disposition": "disposition COLLATE NOCASE",
    "note": "note COLLATE NOCASE",
    "tags": "tags COLLATE NOCASE",
    "line": "company COLLATE NOCASE",
    "campaign": "campaign COLLATE NOCASE",
    "status": "status COLLATE NOCASE",
    "account": "account",
    "vendor": "provider",
    "id": "id",
}
"""Ids of the table's columns and what each sorts by."""

SortKey = tuple[Any, int]
"""What a call is sorted by, and its place in time, by which those that tie are."""


def place(db: sqlite3.Connection, column: str, key: int) -> SortKey:
    """Raises `CallNotFound`."""
    found: SortKey | None = db.execute(
        f"SELECT {ORDERS[column]}, place FROM call WHERE key = ?", (key,)
    ).fetchone()
    if found is None:
        raise CallNotFound(key)
    return found


def order_by(column: str, descending: bool, time: str = "place") -> str:
    """ORDER BY of a sort; calls that tie, or lack the value, stand newest first at the end."""
    turn = "DESC" if descending else "ASC"
    if column == "time":
        return f"ORDER BY {time} {turn}"
    return f"ORDER BY {ORDERS[column]} {turn} NULLS LAST, {time} DESC"


def upward(column: str, descending: bool, time: str) -> str:
    """ORDER BY of an order other than that of time, from its last row up."""
    turn = "ASC" if descending else "DESC"
    return f"ORDER BY {ORDERS[column]} {turn} NULLS FIRST, {time} ASC"


def behind(column: str, descending: bool, time: str, here: SortKey, inclusive: bool) -> Sql:
    """A condition on the rows behind a place; `time` is the column that has the place in time."""
    value, at = here
    if column == "time":
        return f"{time} {'<' if descending else '>'}{'=' * inclusive} ?", [at]
    tied, sorts = f"{time} <{'=' * inclusive} ?", ORDERS[column]
    if value is None:  # those without a value stand at the end, the newest first
        return f"({sorts} IS NULL AND {tied})", [at]
    beyond = f"{sorts} {'<' if descending else '>'} ? OR {sorts} IS NULL"
    return f"({beyond} OR ({sorts} = ? AND {tied}))", [value, value, at]


def above(column: str, descending: bool, time: str, here: SortKey, inclusive: bool) -> Sql:
    """A condition on the rows before a place."""
    value, at = here
    if column == "time":
        return f"{time} {'>' if descending else '<'}{'=' * inclusive} ?", [at]
    tied, sorts = f"{time} >{'=' * inclusive} ?", ORDERS[column]
    if value is None:
        return f"({sorts} IS NOT NULL OR {tied})", [at]
    return f"({sorts} {'>' if descending else '<'} ? OR ({sorts} = ? AND {tied}))", [
        value,
        value,
        at,
    ]
