"""Whether an archive is whole: SQLite's pages, its tables, and what Ringback keeps twice."""

from __future__ import annotations

import os
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from providers.counts import counted
from providers.errors import reason
from tui.archive.errors import READING, ArchiveDamaged, QueryCancelled
from tui.archive.records import Checked, Fault
from tui.archive.sqlite import decision_backup
from tui.archive.sqlite.archive import Archive
from tui.archive.sqlite.call_columns import call_of
from tui.archive.sqlite.damage import is_sign, lenient, remove_mark
from tui.archive.sqlite.listening_history import UNREADABLE_HEARD
from tui.archive.sqlite.migrations import lacks
from tui.archive.sqlite.search.bitmap import CHUNK_NUMBER_BITS
from tui.archive.sqlite.search.search_index import entry
from tui.archive.sqlite.sync_state import UNREADABLE_NAME
from tui.archive.sqlite.triage_rows import EVENT_FIELDS, event_of
from tui.archive.triage_events import Event, project, row_of
from tui.config.paths import open_file

WITHIN_S = 5.0
"""How long a check that is not deep may take."""
EVERY_ROW_S = 20.0
"""How long is looked for damage behind an error that nobody expected."""
_TOLD = 5
"""Of several faults of one kind, so many are told."""
_LOG_MAGIC = (0x377F0682, 0x377F0683)


def check(archive: Archive, *, deep: bool = False, within_s: float | None = None) -> Checked:
    """Look at the pages and the tables within `WITHIN_S`; `deep`: at every row, however long it
    takes; within `within_s` if that is given.

    What is found is remembered (`tui.archive.sqlite.damage`), and forgotten when a deep check finds
    nothing. Raises `ArchiveBusy`: another Ringback holds the archive.
    """
    limit = within_s or (float("inf") if deep else WITHIN_S)
    until = time.monotonic() + limit
    faults: list[Fault] = []
    complete = True
    missing, behind, lines = 0, 0, 0
    try:
        with _ending(archive, until):
            faults += _pages(archive, deep)
            if not any(fault.grave for fault in faults):
                faults += _decisions(archive)
                missing, behind, lines = _backup(archive)
            if deep and not faults:
                with _strictly(archive):
                    faults += [*_rows(archive), *_index(archive)]
    except QueryCancelled:
        complete = False
    except ArchiveDamaged as error:
        faults.append(Fault(error.what))
    except READING as error:
        faults.append(Fault(f"a row cannot be read ({type(error).__name__})"))
    if grave := [fault.text for fault in faults if fault.grave]:
        archive._db.found(grave[0])
    elif deep and not faults:
        remove_mark(archive.path)
    return Checked(faults, complete, missing, behind, lines)


@contextmanager
def _strictly(archive: Archive) -> Iterator[None]:
    """A damaged archive is read as well as it goes; here a letter that is none is a fault."""
    before, archive._db.text_factory = archive._db.text_factory, str
    try:
        yield
    finally:
        if before is lenient:
            archive._db.text_factory = lenient


@contextmanager
def _ending(archive: Archive, until: float) -> Iterator[None]:
    archive.cancel_when(lambda: time.monotonic() > until)
    try:
        yield
    finally:
        archive._db.set_progress_handler(None, 0)


def _pages(archive: Archive, deep: bool) -> Iterator[Fault]:
    db = archive._db
    if missing := lacks(db):
        yield Fault(f"{missing} is not in it")
        return
    if fault := _log(archive.path):
        yield fault
    look = "integrity_check" if deep else "quick_check"
    for (said,) in db.execute(f"PRAGMA {look}({_TOLD})"):
        if said != "ok":
            yield Fault(" ".join(str(said).split()))
    homeless = Counter(row[0] for row in db.execute("PRAGMA foreign_key_check"))
    for table, count in homeless.items():
        yield Fault(f"of no call: {counted(count, 'row')} of {table}")


def _log(path: Path) -> Fault | None:
    """What the write-ahead log's first bytes say; SQLite passes over one that is not its own."""
    log = path.with_name(f"{path.name}-wal")
    try:
        with os.fdopen(open_file(log), "rb") as file:
            start = file.read(4)
    except FileNotFoundError:
        return None
    except OSError as error:
        return Fault(f"{log.name}: {reason(error)}")
    if start and int.from_bytes(start, "big") not in _LOG_MAGIC:
        return Fault(f"{log.name} is no write-ahead log: what was written last is not in it")
    return None


def _decisions(archive: Archive) -> Iterator[Fault]:
    """The log of decisions against what it comes to."""
    db = archive._db
    rows = db.execute(f"SELECT {', '.join(EVENT_FIELDS)} FROM event ORDER BY account, id, seq")
    odd, name = 0, ("", "")
    events: list[Event] = []
    unlike: list[str] = []

    def compare() -> None:
        if events and archive.triage.of(*name) != project(events):
            unlike.append(":".join(name))

    for row in rows.fetchall():
        event = event_of(row)
        if event is None:
            odd += 1
            continue
        if (event.account.lower(), event.id) != (name[0].lower(), name[1]):
            compare()
            name, events = (event.account, event.id), []
        events.append(event)
    compare()
    if odd:
        yield Fault(f"unreadable: {counted(odd, 'decision')}")
    if unlike:
        yield Fault(
            f"the state of {counted(len(unlike), 'call')} is not what was decided: {unlike[0]}"
        )


def _backup(archive: Archive) -> tuple[int, int, int]:
    """How many decisions the archive lacks, how many its backup, and the backup's damaged lines."""
    with suppress(OSError):
        found = decision_backup.read(archive.path)
        kept = {row_of(event) for event in found.events}
        rows = archive._db.execute(f"SELECT {', '.join(EVENT_FIELDS)} FROM event")
        have = {row_of(event) for event in map(event_of, rows) if event}
        return len(kept - have), len(have - kept), found.damaged
    return 0, 0, 0


def _rows(archive: Archive) -> Iterator[Fault]:
    odd: list[str] = []
    rows = archive._db.execute(
        "SELECT account, id, body, extra, raw FROM call LEFT JOIN detail USING (key)"
    )
    for account, id_, *details in rows:
        try:
            if call_of(*details).id != id_:
                odd.append(f"{account}:{id_}")
        except ArchiveDamaged:
            odd.append(f"{account}:{id_}")
    if odd:
        yield Fault(f"unreadable: {counted(len(odd), 'call')}: {', '.join(odd[:_TOLD])}")
    sql = f"SELECT count(*) FROM name WHERE {UNREADABLE_NAME}"
    if names := archive._db.execute(sql).fetchone()[0]:
        yield Fault(f"names of vendors that cannot be read: {names:,}")
    sql = f"SELECT count(*) FROM heard WHERE {UNREADABLE_HEARD}"
    if heard := archive._db.execute(sql).fetchone()[0]:
        yield Fault(f"unreadable: how far {counted(heard, 'recording')} were heard")


def _index(archive: Archive) -> Iterator[Fault]:
    """What the index counts against the calls' lines, and whether its words hold together."""
    db, index = archive._db, archive.index
    if index.is_incomplete():
        return
    words: Counter[str] = Counter()
    known: Counter[tuple[str, str]] = Counter()
    numbers: Counter[str] = Counter()
    bits: Counter[str] = Counter()
    for (key,) in db.execute("SELECT key FROM call").fetchall():
        one = entry(index.row(key))
        words.update(set(one.words))
        known.update(one.facets)
        numbers.update(one.numbers)
        bits.update(set(one.bitmap_tokens))
    tables = (
        ("words", words, "SELECT term, calls FROM word"),
        ("names", known, "SELECT kind, value, calls FROM known"),
        ("numbers", numbers, "SELECT digits, calls FROM number"),
    )
    for what, wanted, sql in tables:
        rows = db.execute(sql).fetchall()
        if {(row[0] if len(row) == 2 else row[:-1]): row[-1] for row in rows} != dict(wanted):
            yield Fault(f"the search index does not know all {what} of the calls")
    tokens = dict(db.execute("SELECT n, token FROM token").fetchall())
    have: Counter[str] = Counter()
    for place, data in db.execute("SELECT place, bits FROM bits"):
        have[tokens.get(place >> CHUNK_NUMBER_BITS, "")] += int.from_bytes(
            data, "little"
        ).bit_count()
    if have != bits:
        yield Fault("the search index does not know what all calls have")
    yield from _full_text(archive.path)


def _full_text(path: Path) -> Iterator[Fault]:
    """Whether the full-text tables hold together. SQLite asks that by a statement that only a
    connection for writing may send; it writes nothing, and nor is the log brought into the file.
    """
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA wal_autocheckpoint = 0")
        for table in ("search", "fragment"):
            try:
                db.execute("BEGIN")
                db.execute(f"INSERT INTO {table} ({table}) VALUES ('integrity-check')")
            except sqlite3.DatabaseError as error:
                if not is_sign(error):
                    return  # the disk may only be read, or another Ringback holds the archive
                yield Fault(f"the search index {table} does not hold together")
            finally:
                if db.in_transaction:
                    db.execute("ROLLBACK")
