"""Calls that go for good: out of every table, and out of the file itself."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence

from tui.archive.errors import ArchiveDamaged, ArchiveError
from tui.archive.records import Removed
from tui.query.phone_numbers import digits

TAIL = 7
"""The last digits of a number are the same in all its forms."""
NATIONAL = 9
"""More last digits would tell +49 30 1234567 from 030 1234567."""
SHORTEST = 3
"""A number of fewer digits is nobody's."""
KeyOf = Callable[[str, str | None], str]
"""Account, and a number as a vendor writes it -> what its forms have in common; see `Callbacks`."""

_BARRED = (
    "INSERT OR IGNORE INTO purged SELECT account, id FROM call WHERE key IN (SELECT key FROM gone)"
)
"""What a sync must not bring back."""
_GONE = (
    "DELETE FROM vanished WHERE (account, id) IN"
    " (SELECT account, id FROM call JOIN gone USING (key))",
    # its detail, threads and whatever else refers to a call goes with it
    "DELETE FROM call WHERE key IN (SELECT key FROM gone)",
)
"""What removes the calls of the table ``gone``, in order."""


def keys_of_number(db: sqlite3.Connection, key_of: KeyOf, number: str) -> list[int]:
    """Keys of the calls with a number on the other side, in whichever form it is written.

    The number may stand in "from" or "to" alone; the company's own line is nobody's number.
    """
    tail = digits(number)[-TAIL:]
    if len(tail) < SHORTEST:
        return []
    rows = db.execute(
        "SELECT key, account, number, body ->> 'from', body ->> 'to',"
        " body ->> '$.company_number.number' FROM (SELECT key, account, number,"
        " body_text(body) AS body FROM call JOIN detail USING (key) WHERE digits LIKE ?)"
        " ORDER BY key",
        (f"%{tail}%",),
    )
    found = []
    for key, account, contact, *ends, line in rows:
        wanted, ours = key_of(account, number), key_of(account, line)
        others = [end for end in (key_of(account, end) for end in ends) if end != ours]
        if any(_same(wanted, one) for one in (key_of(account, contact), *others)):
            found.append(key)
    return found


def _same(one: str, other: str) -> bool:
    """Whether two keys are of one number; where the country of one is not known, its last digits
    decide: rather too much than too little goes.
    """
    if not one or one == other:
        return bool(one)  # a withheld number is nobody's
    known = one.startswith("+") and other.startswith("+")
    return not known and one[-NATIONAL:] == other[-NATIONAL:]


def keys_before(db: sqlite3.Connection, before: float) -> list[int]:
    """Keys of the calls that began before a moment (Unix seconds); those without a time stay."""
    rows = db.execute(
        "SELECT key FROM call WHERE started_at < ? ORDER BY key", (round(before * 1000),)
    )
    return [key for (key,) in rows]


def undated(db: sqlite3.Connection) -> int:
    """How many calls have no time."""
    return int(db.execute("SELECT count(*) FROM call WHERE started_at IS NULL").fetchone()[0])


def mentions(db: sqlite3.Connection, number: str) -> int:
    """How many calls hold a number anywhere: as a line of the company, in a note, in a name."""
    tail = digits(number)[-TAIL:]
    if len(tail) < SHORTEST:
        return 0
    # words stand apart, so a number in a note may stand in pieces
    written = "digits LIKE :tail OR replace(words || our_words, ' ', '') LIKE :tail"
    row = db.execute(f"SELECT count(*) FROM call WHERE {written}", {"tail": f"%{tail}%"}).fetchone()
    return int(row[0])


def remove(
    db: sqlite3.Connection, keys: Sequence[int], number: str | None = None, barred: bool = True
) -> Removed:
    """Take calls out of every table, within the caller's transaction; `rewrite` comes after it.

    `number`: also out of the vendors' dictionaries, which a sync asks for again. `barred`: a sync
    does not bring the calls back.
    """
    before = db.total_changes
    db.execute("CREATE TEMP TABLE IF NOT EXISTS gone (key INTEGER PRIMARY KEY)")
    db.execute("DELETE FROM gone")
    db.executemany("INSERT INTO gone VALUES (?)", ((key,) for key in keys))
    helpers = db.total_changes - before
    for sql in (*([_BARRED] if barred else []), *_GONE):
        db.execute(sql)
    calls = db.execute("SELECT count(*) FROM gone").fetchone()[0]
    names_of_gone = calls if barred else 0
    rows = db.total_changes - before - helpers - names_of_gone
    names = _forget_names(db, number) if number else 0
    db.execute("DELETE FROM gone")
    return Removed(calls, rows, names)


def _forget_names(db: sqlite3.Connection, number: str) -> int:
    tail = digits(number)[-TAIL:]
    found = [
        (account, kind, id_)
        for account, kind, id_, fields in db.execute("SELECT account, kind, id, fields FROM name")
        if len(tail) >= SHORTEST and tail in digits(fields)
    ]
    db.executemany("DELETE FROM name WHERE account = ? AND kind = ? AND id = ?", found)
    return len(found)


def rewrite(db: sqlite3.Connection, wait_s: float) -> bool:
    """Write the file anew without what was removed, and empty the write-ahead log.

    False when another Ringback was reading all the time: then its log still holds old pages.
    """
    for (table,) in db.execute(_FULL_TEXT).fetchall():
        db.execute(f"INSERT INTO {table} ({table}) VALUES ('optimize')")
    deadline = time.monotonic() + wait_s
    while True:
        try:
            db.execute("VACUUM")
            busy, _, _ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if not busy:
                return True
        except ArchiveDamaged:
            raise
        except ArchiveError:  # another Ringback is at it, or the disk has no room for a second one
            pass
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)


_FULL_TEXT = (
    "SELECT name FROM sqlite_master WHERE type = 'table'"
    " AND sql LIKE 'CREATE VIRTUAL TABLE%USING fts5%'"
)
"""An index of words keeps those of a removed row until its parts are merged."""
