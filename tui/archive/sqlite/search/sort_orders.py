"""Where a call stands in an order of the table, as conditions on the calls around it."""

from __future__ import annotations

import sqlite3
from typing import Any

from providers.call_fields import CALL_FIELDS
from tui.archive.errors import CallNotFound
from tui.archive.sqlite.search.conditions import Sql

_OTHERWISE = {"time": "place", "recording": "recordings", "state": "NULLIF(state, 'new')"}
"""What is not sorted by its own column."""
ORDERS = {
    field.id: _OTHERWISE.get(field.id, field.column) + " COLLATE NOCASE" * (field.sort == "text")
    for field in CALL_FIELDS
    if field.sort
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
