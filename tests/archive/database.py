"""The database of an archive, looked at from outside: on a connection of the test's own."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from tui.archive.sqlite.details import details_of
from tui.archive.sqlite.migrations import MIGRATIONS, statements_of
from tui.archive.sqlite.search.conditions import FUNCTIONS


def read(path: Path, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """The rows of a query, which may call the archive's own SQL functions."""
    with closing(sqlite3.connect(path)) as db:
        for arguments, function in FUNCTIONS:
            db.create_function(function.__name__, arguments, function, deterministic=True)
        return db.execute(sql, values).fetchall()


def write(path: Path, sql: str, values: Sequence[Any] = ()) -> None:
    """Run a statement that changes an archive, in a transaction of its own."""
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(sql, values)


def unpack_details(db: sqlite3.Connection) -> None:
    """Give the details of all calls the form in which older Ringbacks kept them."""
    rows = db.execute("SELECT key, body, extra, raw FROM detail").fetchall()
    for key, *kept in rows:
        body, extra, raw = details_of(*kept)
        db.execute(
            "UPDATE detail SET body = ?, extra = ?, raw = ? WHERE key = ?",
            (body, extra, zlib.compress(raw.encode()), key),
        )
    db.execute("UPDATE unpacked SET upto = (SELECT max(key) FROM call)")


def make_older(path: Path, migrations: int) -> sqlite3.Connection:
    """An empty archive as the Ringback with so many migrations made it."""
    db = sqlite3.connect(path, isolation_level=None)
    for script in MIGRATIONS[:migrations]:
        for statement in statements_of(script):
            db.execute(statement)
    db.execute(f"PRAGMA user_version = {migrations}")
    return db


def migrations_before(statement: str) -> int:
    """How many migrations come before the one with this text."""
    return next(number for number, sql in enumerate(MIGRATIONS) if statement in sql)
