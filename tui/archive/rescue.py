"""Reading round the damage: every row of a damaged database that SQLite can still reach.

A table is read from its first row on until SQLite meets a page that it cannot read, then from its
last row back, and what lies between is halved again and again. Where a row's number is not known
the indexes tell it, which are pages of their own.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tui.archive.damage import lenient
from tui.archive.schema import columns, expected

MOST_FAILURES = 50_000
"""So many readings of a table may fail before the rest of it is given up: some seconds."""
_UNKNOWN = 1 << 20
"""The highest number of a row where nothing tells it."""
_HEADER = b"SQLite format 3\0"
_AS_MADE = {
    18: b"\x02\x02\0\x40\x20\x20",  # a write-ahead log, no spare bytes, the usual fractions
    28: bytes(12),  # how long the file is, says the file; no free page is looked for
    44: b"\0\0\0\4",
    52: b"\0\0\0\0\0\0\0\1",  # no vacuum of its own, UTF-8
    64: bytes(4),
}
"""What stands at some places of an archive's header, or may."""
_PAGE_SIZES = {1 << power for power in range(9, 16)}

Row = tuple[Any, ...]


def open_damaged(path: Path, *, with_log: bool = True) -> sqlite3.Connection:
    """A copy of a damaged archive, for reading; without its write-ahead log too. Raises
    `sqlite3.DatabaseError`: not even its list of tables can be read.
    """
    way = "mode=ro" if with_log else "mode=ro&immutable=1"
    db = sqlite3.connect(f"{path.absolute().as_uri()}?{way}", uri=True, isolation_level=None)
    try:
        db.text_factory = lenient
        db.execute("PRAGMA writable_schema = ON")  # what of the schema is odd is passed over
        db.execute("PRAGMA cell_size_check = ON")
        db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except BaseException:
        db.close()
        raise
    return db


def mend_header(path: Path) -> None:
    """Write the first bytes of a copy as they are in every archive. Raises OSError."""
    with path.open("r+b") as file:
        size = int.from_bytes(file.read(18)[16:], "big")
        written = {0: _HEADER, **_AS_MADE}
        if size not in _PAGE_SIZES:
            written[16] = (4096).to_bytes(2, "big")
        for at, data in written.items():
            file.seek(at)
            file.write(data)


class Damaged:
    """The rows of one damaged database."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._failures = 0
        self.torn: set[str] = set()
        """Tables of which some part could not be read."""
        try:
            self.columns = columns(db)
        except sqlite3.DatabaseError:
            self.columns = dict(expected())

    def numbered(self, table: str, names: Sequence[str], highest: int = 0) -> Iterator[Row]:
        """The rows of a table whose rows have numbers, in no order: the number, then these
        columns; None for one that the table has not.
        """
        if table not in self.columns:
            return
        self._failures = 0
        chosen = ["rowid", *(name if name in self.columns[table] else "NULL" for name in names)]
        sql = f"SELECT {', '.join(chosen)} FROM {table} WHERE rowid BETWEEN ? AND ? ORDER BY rowid"
        yield from self._between(table, sql, 0, max(highest, self._highest(table)))

    def _between(self, table: str, sql: str, low: int, high: int) -> Iterator[Row]:
        """Rows of these numbers: from the first on, from the last back, and in halves; the
        largest parts first, so that what lies between two damaged pages is met soon.
        """
        parts = deque([(low, high)])
        while parts and self._failures < MOST_FAILURES:
            low, high = parts.popleft()
            last, top = low - 1, high + 1
            try:
                for row in self._db.execute(sql, (low, high)):
                    last = max(last, row[0])
                    yield row
                continue
            except sqlite3.DatabaseError:
                self._failed(table)
            if last + 1 >= high:
                continue
            try:
                for row in self._db.execute(f"{sql} DESC", (last + 1, high)):
                    top = min(top, row[0])
                    yield row
                continue
            except sqlite3.DatabaseError:
                self._failed(table)
            middle = (last + top) // 2
            parts += [(a, b) for a, b in ((last + 1, middle), (middle + 1, top - 1)) if a <= b]

    def _failed(self, table: str) -> None:
        self._failures += 1
        self.torn.add(table)

    def _highest(self, table: str) -> int:
        """The highest number of a row, from wherever it can be read."""
        found = [0]
        for index in ("", *self._indexes(table)):
            with suppress(sqlite3.DatabaseError):
                by = f" INDEXED BY {index}" if index else ""
                found.append(
                    self._db.execute(f"SELECT max(rowid) FROM {table}{by}").fetchone()[0] or 0
                )
        with suppress(sqlite3.DatabaseError):
            sql = "SELECT seq FROM sqlite_sequence WHERE name = ?"
            found += [row[0] for row in self._db.execute(sql, (table,))]
        known = max(one for one in found if isinstance(one, int))
        return known or (_UNKNOWN if table in self.torn or self._is_torn(table) else 0)

    def _is_torn(self, table: str) -> bool:
        try:
            self._db.execute(f"SELECT max(rowid) FROM {table}").fetchone()
        except sqlite3.DatabaseError:
            return True
        return False

    def _indexes(self, table: str) -> list[str]:
        sql = "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = ?"
        with suppress(sqlite3.DatabaseError):
            return [f'"{name}"' for (name,) in self._db.execute(sql, (table,)).fetchall()]
        return []

    def through_index(self, index: str, table: str, names: Sequence[str]) -> Iterator[Row]:
        """What an index knows of rows, those whose own page is damaged among them: their number,
        then these columns, all of which are in the index.
        """
        chosen = ", ".join(["rowid", *names])
        for turn in ("", " DESC"):
            order = ", ".join(f"{name}{turn}" for name in names)
            try:
                yield from self._db.execute(
                    f"SELECT {chosen} FROM {table} INDEXED BY {index} ORDER BY {order}"
                )
                return
            except sqlite3.DatabaseError:
                self.torn.add(index)

    def keyed(
        self,
        table: str,
        key: Sequence[str],
        names: Sequence[str],
        calls: Iterable[tuple[str, str]] = (),
    ) -> Iterator[Row]:
        """The rows of a table that is ordered by a key, some perhaps twice. `calls`: account and
        id, where the key begins with them: whatever lies between is looked for by name.
        """
        if table not in self.columns:
            return
        chosen = [name if name in self.columns[table] else "NULL" for name in names]
        sql = f"SELECT {', '.join(chosen)} FROM {table}"
        for turn in ("", " DESC"):
            order = ", ".join(f"{name}{turn}" for name in key)
            try:
                yield from self._db.execute(f"{sql} ORDER BY {order}")
                return
            except sqlite3.DatabaseError:
                self.torn.add(table)
        for name in calls:
            with suppress(sqlite3.DatabaseError):
                yield from self._db.execute(f"{sql} WHERE {key[0]} = ? AND {key[1]} = ?", name)


def whole(rows: Iterable[Row], texts: Collection[int]) -> Iterator[Row]:
    """Those rows that have a text at these places."""
    return (row for row in rows if all(isinstance(row[at], str) for at in texts))
