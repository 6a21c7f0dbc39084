"""What people decided, kept once more as text beside the archive.

One JSON object a line, 0600, each with its checksum: the events of the table ``event`` in their
order, and the names of purged calls, which must not come back. The file follows the archive:
after each decision, and wherever `follow` is called, it gets what it lacks, so that a kill
between the two loses nothing. All that writes it holds the archive's write lock, so that no two
do at once. A new archive beside such a file takes it up; so does a repair.

It holds each event once, as the archive does, and of those at most `MOST` bytes: then those that
were undone go, and the oldest.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

from providers.errors import reason
from tui.archive.errors import ArchiveError
from tui.archive.sqlite.damage import disk_errors
from tui.archive.sqlite.triage_log import TriageLog
from tui.archive.sqlite.triage_rows import EVENT_FIELDS, event_of
from tui.archive.triage_events import CallName, Event, standing
from tui.config.paths import atomic_write, open_file

log = logging.getLogger(__name__)

MOST = 64 << 20
"""Bytes of the file. A decision takes some 200."""
KEPT_OF_MOST = 0.75
"""Part of that which is left when the oldest go, so that they do not at each decision."""
_TAIL = 64 << 10
"""Bytes that surely hold the last line: a note has at most 4,000 characters."""
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
_SUM = ',"sum":"'


class Kept(NamedTuple):
    """What a backup holds: events in their order, each once, and the names of purged calls."""

    events: list[Event]
    purged: set[CallName]
    damaged: int = 0
    """Lines that are not as they were written."""


def place_of(archive: Path) -> Path:
    """Where the backup of an archive is: ``archive.decisions.jsonl``."""
    return archive.with_suffix(".decisions.jsonl")


def earlier_of(archive: Path) -> Path:
    """Where that of another archive is kept that was there before: ``….1.jsonl``."""
    return archive.with_suffix(".decisions.1.jsonl")


# -- lines


def _line(entry: Mapping[str, Any]) -> bytes:
    text = json.dumps(entry, separators=(",", ":"))  # ASCII: no line has an end in it
    return f'{text[:-1]}{_SUM}{zlib.crc32(text.encode()):08x}"}}\n'.encode()


def _entry(line: bytes) -> dict[str, Any] | None:
    """The entry of a line; None: it is not as it was written."""
    start, _, sum_ = line.decode("ascii", "replace").rstrip("\n").rpartition(_SUM)
    text = f"{start}}}"
    if sum_ != f'{zlib.crc32(text.encode("ascii", "replace")):08x}"}}':
        return None
    found = json.loads(text)
    return found if isinstance(found, dict) else None


def _line_of(event: Event) -> bytes:
    return _line({**event._asdict(), "at": round(event.at * 1000)})


def _line_of_purged(name: CallName) -> bytes:
    return _line({"purged": name[1], "account": name[0]})


def read(archive: Path) -> Kept:
    """All that the backup holds, and that of another archive before it; lines that are not as they
    were written are left out and counted. Raises OSError.
    """
    earlier, kept = map(_read, (earlier_of(archive), place_of(archive)))
    events = {identity(event): event for event in (*earlier.events, *kept.events)}
    damaged = earlier.damaged + kept.damaged
    return Kept(sorted(events.values(), key=in_order), earlier.purged | kept.purged, damaged)


def identity(event: Event) -> tuple[Any, ...]:
    """What two copies of an event have in common."""
    return (
        round(event.at * 1000),
        event.batch,
        event.account.lower(),
        event.id,
        event.kind,
        event.seq,
    )


def in_order(event: Event) -> tuple[int, float]:
    return event.seq, event.at


def _read(place: Path) -> Kept:
    kept, damaged = Kept([], set()), 0
    for line in _lines(place):
        entry = _entry(line)
        if entry and "purged" in entry:
            kept.purged.add((entry["account"], entry["purged"]))
        elif event := entry and _event(entry):
            kept.events.append(event)
        else:
            damaged += bool(line.strip())
    return kept._replace(damaged=damaged)


def _lines(place: Path) -> Iterator[bytes]:
    try:
        with os.fdopen(open_file(place), "rb") as lines:
            yield from lines
    except FileNotFoundError:
        return


def _event(entry: Mapping[str, Any]) -> Event | None:
    row = [entry.get(name) for name in EVENT_FIELDS]
    row[-1] = json.dumps(row[-1])
    return event_of(row)


# -- writing; all of it inside a write transaction of the archive


def follow(db: sqlite3.Connection, archive: Path) -> int:
    """Bring the archive's events that the backup lacks into it; how many. Raises OSError."""
    place = place_of(archive)
    last = _last(place)
    if last and not _is_of(db, last):
        os.replace(place, earlier_of(archive))
        last = None
    if last is None:
        lines = [_line_of_purged(name) for name in db.execute("SELECT account, id FROM purged")]
        _append(place, lines)
    since = last.seq if last else 0
    rows = db.execute(
        f"SELECT {', '.join(EVENT_FIELDS)} FROM event WHERE seq > ? ORDER BY seq", (since,)
    )
    lines = [_line_of(event) for event in map(event_of, rows) if event]
    _append(place, lines)
    if lines and place.stat().st_size > MOST:
        _shorten(place)
    return len(lines)


def mend(db: sqlite3.Connection, archive: Path) -> None:
    """Write the backup again without its damaged lines, and with what the archive has of them.
    Raises OSError.
    """
    for place in (earlier_of(archive), place_of(archive)):
        kept = _read(place)
        if kept.damaged:
            events = {identity(event): event for event in kept.events}
            if place == place_of(archive):
                rows = db.execute(f"SELECT {', '.join(EVENT_FIELDS)} FROM event").fetchall()
                events |= {identity(event): event for event in map(event_of, rows) if event}
            _write(place, kept._replace(events=sorted(events.values(), key=in_order)))


def _is_of(db: sqlite3.Connection, event: Event) -> bool:
    """Whether the archive has this event: the backup is of it."""
    row = db.execute("SELECT at, batch FROM event WHERE seq = ?", (event.seq,)).fetchone()
    return row is not None and (row[0] / 1000, row[1]) == (event.at, event.batch)


def _last(place: Path) -> Event | None:
    """The last event of the backup that is as it was written."""
    try:
        with os.fdopen(open_file(place), "rb") as file:
            file.seek(max(0, place.stat().st_size - _TAIL))
            lines = file.readlines()
    except FileNotFoundError:
        return None
    for line in reversed(lines):
        entry = _entry(line)
        if entry and "seq" in entry:
            return _event(entry)
    return None


def _append(place: Path, lines: Iterable[bytes]) -> None:
    """On the disk when it returns."""
    data = b"".join(lines)
    if not data:
        return
    handle = open_file(place, _FLAGS)
    try:
        size = os.fstat(handle).st_size
        if size and not _ends_in_line(place, size):
            data = b"\n" + data  # a kill or a full disk cut the last line off
        if os.write(handle, data) != len(data):
            raise OSError("the backup of the decisions is cut off")
        os.fsync(handle)
    finally:
        os.close(handle)


def _ends_in_line(place: Path, size: int) -> bool:
    with os.fdopen(open_file(place), "rb") as file:
        file.seek(size - 1)
        return file.read(1) == b"\n"


@disk_errors()
def forget(
    archive: Path,
    names: Collection[CallName],
    *,
    purged: bool,
    kept: Collection[CallName] = (),
) -> None:
    """Take all events of calls out of the backup; a name without an id means its whole account, but
    for the calls that are `kept`.

    `purged`: remember that the calls must not come back. Raises `ArchiveUnavailable`; then they are
    all there.
    """
    gone, held = ({(account.lower(), id_) for account, id_ in some} for some in (names, kept))

    def stays(name: CallName) -> bool:
        account = name[0].lower()
        one = account, name[1]
        return one in held or (one not in gone and (account, "") not in gone)

    for place in (earlier_of(archive), place_of(archive)):
        if place.exists():
            found = _read(place)
            events = [event for event in found.events if stays((event.account, event.id))]
            left = {name for name in found.purged if stays(name)}
            _write(place, Kept(events, left | (set(names) if purged else set())))


def _shorten(place: Path) -> None:
    """Leave out what was undone, and then the oldest, until there is room again."""
    kept = _read(place)
    calls: dict[CallName, list[Event]] = {}
    for event in kept.events:
        calls.setdefault((event.account.lower(), event.id), []).append(event)
    # the last one stays whatever it is: it says how far the backup is
    stand = {event.seq: event for events in calls.values() for event in standing(events)}
    stand |= {event.seq: event for event in kept.events[-1:]}
    room, chosen = int(MOST * KEPT_OF_MOST), []
    for seq in sorted(stand, reverse=True):
        room -= len(_line_of(stand[seq]))
        if room < 0:
            break
        chosen.append(stand[seq])
    _write(place, Kept(chosen[::-1], kept.purged))


def _write(place: Path, kept: Kept) -> None:
    lines = [*map(_line_of_purged, sorted(kept.purged)), *map(_line_of, kept.events)]
    atomic_write(place, b"".join(lines).decode())


class BackedUp:
    """The part of an `Archive` that keeps its decisions a second time."""

    _db: sqlite3.Connection
    path: Path
    triage: TriageLog
    read_only: Any
    not_backed_up = ""
    """Why the last `back_up` did not work: the file, and what is wrong; empty: it did."""

    def transaction(self) -> AbstractContextManager[None]:
        """As `Archive.transaction`."""
        raise NotImplementedError

    def back_up(self) -> None:
        """Bring the backup up to date. No decision fails for want of it: `not_backed_up` tells,
        and the next one tries again.
        """
        if self.read_only:
            return
        try:
            with self.transaction():
                follow(self._db, self.path)
            self.not_backed_up = ""
        except (ArchiveError, OSError) as error:
            why = reason(error) if isinstance(error, OSError) else str(error)
            self.not_backed_up = f"{place_of(self.path)}: {why}"
            log.info("the decisions are not backed up: %s", self.not_backed_up)

    def mend_backup(self) -> int:
        """Write the backup again where lines of it are damaged; how many were."""
        with disk_errors():
            damaged = read(self.path).damaged
            if damaged:
                with self.transaction():
                    mend(self._db, self.path)
            return damaged

    def _take_up_backup(self) -> None:
        """A new archive beside the backup of an older one goes on with its decisions."""
        if not place_of(self.path).exists():
            return
        some = "SELECT 1 FROM event UNION ALL SELECT 1 FROM purged LIMIT 1"
        if self._db.execute(some).fetchone() is None:
            self.take_up_backup()

    def take_up_backup(self) -> int:
        """Bring what the backup holds and the archive lacks into it; how many events."""
        with disk_errors():
            kept = read(self.path)
        with self.transaction():
            self._db.executemany("INSERT OR IGNORE INTO purged VALUES (?, ?)", sorted(kept.purged))
            return self.triage.take_up(kept.events)
