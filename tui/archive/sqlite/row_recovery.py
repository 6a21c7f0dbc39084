"""Reading round the damage: every row of a damaged database that SQLite can still reach.

A table is read from its first row on until SQLite meets a page that it cannot read, then from its
last row back, and what lies between is halved again and again. Where a row's number is not known
the indexes tell it, which are pages of their own.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Collection, Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tui.archive.sqlite.damage import lenient
from tui.archive.sqlite.migrations import columns, expected

MOST_FAILURES = 50_000
"""So many readings of a table may fail before the rest of it is given up: some seconds."""
_UNKNOWN = 1 << 20
"""The highest number of a row where nothing tells it."""
GUESSES = 2_000
"""So many readings may fail there."""
_ONE_BY_ONE = 1 << 22
"""Up to this number rows that no reading met are looked for one by one."""
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
        self._read_all = True
        self.torn: set[str] = set()
        """Tables of which some part could not be read."""
        try:
            self.columns = columns(db)
        except sqlite3.DatabaseError:
            self.columns = dict(expected())

    def numbered(self, table: str, names: Sequence[str], highest: int = 0) -> Iterator[Row]:
        """The rows of a table whose rows have numbers, in no order: the number, then these
        columns; None for one that the table has not. The largest parts between damaged pages are
        read first.
        """
        if table not in self.columns:
            return
        self._failures = 0
        select = f"SELECT {', '.join(['rowid', *self._chosen(table, names)])} FROM {table}"
        known = max(highest, self._highest(table))
        torn = not known and self._is_torn(table)
        top, most = (_UNKNOWN, GUESSES) if torn else (known, MOST_FAILURES)
        met = bytearray(min(top, _ONE_BY_ONE) + 1)
        for row in self._by_parts(table, select, top, most):
            if 0 <= row[0] < len(met):
                met[row[0]] = True
            yield row
        # a page that stands in another's place ends a reading without a word
        for number in range(len(met)):
            if not met[number] and self._failures < most:
                try:
                    row = self._db.execute(f"{select} WHERE rowid = ?", (number,)).fetchone()
                except sqlite3.DatabaseError:
                    self._failed(table)
                else:
                    if row:
                        self.torn.add(table)
                        yield row

    def _by_parts(self, table: str, select: str, top: int, most: int) -> Iterator[Row]:
        """Rows up to the number `top`, read round the damage until `most` readings have failed."""
        parts = deque([(0, top)])
        while parts and self._failures < most:
            low, high = parts.popleft()
            for turn in ("", " DESC"):
                sql = f"{select} WHERE rowid BETWEEN ? AND ? ORDER BY rowid{turn} LIMIT ?"
                for row in self._up_to_damage(table, sql, low, high):
                    if turn:
                        high = min(high, row[0] - 1)
                    else:
                        low = max(low, row[0] + 1)
                    yield row
                if self._read_all or low >= high:
                    break
            if low <= high and not self._read_all:
                middle = (low + high) // 2
                halves = ((low, middle), (middle + 1, high)) if low < high else ()
                parts += [(first, last) for first, last in halves if first <= last]

    def _up_to_damage(self, table: str, sql: str, low: int, high: int) -> Iterator[Row]:
        """Rows up to the first that cannot be read. Python asks for the next row before it gives
        one; so the last one is asked for alone.
        """
        last: int | None = None
        down = " DESC" in sql
        self._read_all = True
        try:
            for row in self._db.execute(sql, (low, high, high - low + 1)):
                last = row[0]
                yield row
            return
        except sqlite3.DatabaseError:
            self._read_all = False
            self._failed(table)
        if last is not None:
            low, high = (low, last - 1) if down else (last + 1, high)
        with suppress(sqlite3.DatabaseError):
            yield from self._db.execute(sql, (low, high, 1))

    def _chosen(self, table: str, names: Sequence[str]) -> list[str]:
        return [name if name in self.columns[table] else "NULL" for name in names]

    def _failed(self, table: str) -> None:
        self._failures += 1
        self.torn.add(table)

    def _highest(self, table: str) -> int:
        """The highest number of a row, from wherever it can be read; 0: from nowhere."""
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
        return max(one for one in found if isinstance(one, int))

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
        """What an index knows of rows, those whose own page is damaged among them: its columns,
        then their number.
        """
        source = f"{table} INDEXED BY {index}"
        yield from self._ordered(index, source, [*names, "rowid"], [*names, "rowid"])

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
        whole = yield from self._ordered(table, table, self._chosen(table, names), key)
        if not whole:
            sql = f"SELECT {', '.join(self._chosen(table, names))} FROM {table}"
            for name in calls:
                with suppress(sqlite3.DatabaseError):
                    yield from self._db.execute(f"{sql} WHERE {key[0]} = ? AND {key[1]} = ?", name)

    def _ordered(
        self, what: str, source: str, chosen: Sequence[str], key: Sequence[str]
    ) -> Generator[Row, None, bool]:
        """Rows in the order of a key, from both ends up to the damage; whether there is none."""
        select = f"SELECT {', '.join([*key, *chosen])} FROM {source}"
        for turn, sign in (("", ">"), (" DESC", "<")):
            order = f"ORDER BY {', '.join(f'{name}{turn}' for name in key)}"
            last: Row = ()
            try:
                for row in self._db.execute(f"{select} {order}"):
                    last = row[: len(key)]
                    yield row[len(key) :]
                return True
            except sqlite3.DatabaseError:
                self.torn.add(what)
            # as in `_up_to_damage`
            behind = f"WHERE ({', '.join(key)}) {sign} ({', '.join('?' * len(key))})"
            with suppress(sqlite3.DatabaseError):
                sql = f"{select} {behind if last else ''} {order} LIMIT 1"
                for row in self._db.execute(sql, last):
                    yield row[len(key) :]
        return False


def whole(rows: Iterable[Row], texts: Collection[int]) -> Iterator[Row]:
    """Those rows that have a text at these places."""
    return (row for row in rows if all(isinstance(row[at], str) for at in texts))
