"""A new archive of what can be read of a damaged one, and of the backup of its decisions.

All is done in a folder beside the archive, on a copy; the archive itself is replaced by one
renaming at the end, and stays beside under a name with the date. Whenever this is ended, by a
kill or a full disk, the archive is the damaged one or the new one, and no row is in neither.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from tui.archive import codec
from tui.archive.errors import ArchiveBusy, ArchiveDamaged, ArchiveError, StatementRefused
from tui.archive.sqlite import decision_backup
from tui.archive.sqlite.archive import Archive
from tui.archive.sqlite.call_columns import call_of
from tui.archive.sqlite.damage import disk_errors, marked
from tui.archive.sqlite.listening_history import UNREADABLE_HEARD
from tui.archive.sqlite.migrations import columns
from tui.archive.sqlite.replacement import (
    BUSY,
    alone,
    check_room,
    log_of,
    size_of,
    swap,
    work_folder,
)
from tui.archive.sqlite.row_recovery import Damaged, Row, mend_header, open_damaged, whole
from tui.archive.sqlite.sync_state import UNREADABLE_NAME
from tui.archive.sqlite.triage_rows import EVENT_FIELDS, event_of
from tui.archive.triage_events import CallName, Event, row_of

STEP = 500
_DETAIL = ("body", "extra", "raw", "saved_at")
_TRIAGE = ("account", "id", "state", "note", "tags", "by", "at", "snoozed_until", "held")
_MADE_ANEW = (
    *("call", "detail", "thread", "event", "triage", "purged", "region", "word", "known", "number"),
    *("call_number", "unindexed", "unpacked", "bits", "token", "unsettled", "sqlite_sequence"),
)
"""Tables that are not copied row by row: calls and decisions come in by their own door, and the
index is made from them.
"""
_TOLD_AGAIN = ("told_days",)
"""What was told to the user, and is told again."""
_WALKED = ("walk", "coverage")
"""What says which calls need not be asked for again."""
_PAGE = 4096
_DAMAGED = 3
"""In fewer of its seven fields than this a damaged event differs from what it was."""


@dataclass(slots=True)
class Repaired:
    """What a repair found. Of calls, `lost` are those that an index names and no page has."""

    decisions: int = 0
    decisions_from_backup: int = 0
    """Those of them that only the backup had."""
    backup_damaged: int = 0
    """Lines of the backup that are not as they were written."""
    decisions_lost: int = 0
    calls: int = 0
    calls_lost: int = 0
    of_unknown_accounts: list[str] = field(default_factory=list)
    """Calls that are left out: the account's name is damaged."""
    others: dict[str, int] = field(default_factory=dict)
    """Rows of the other tables."""
    torn: list[str] = field(default_factory=list)
    """Tables of which some part could not be read."""
    lost_of: list[str] = field(default_factory=list)
    """The calls, as ``account:id``, of decisions that were lost: as far as is known."""
    unread: bool = False
    """Nothing of the archive could be read at all."""
    kept: str = ""
    """Where the damaged archive is now."""

    @property
    def calls_torn(self) -> bool:
        """Whether calls were lost, or may have been: a sync brings them again."""
        lost = self.calls_lost or self.of_unknown_accounts
        return self.unread or bool(lost) or bool({"call", "detail"} & {*self.torn})

    @property
    def decisions_torn(self) -> bool:
        """Whether decisions may have been lost of which nothing tells."""
        return self.unread or "event" in self.torn

    @property
    def is_partly(self) -> bool:
        """Whether something was lost, or may have been."""
        return bool(self.decisions_lost) or self.decisions_torn or self.calls_torn

    def told(self) -> dict[str, Any]:
        """As ``--json`` prints it."""
        return asdict(self)


def repair(
    archive: Path,
    progress: Callable[[int], None] = lambda calls: None,
    accounts: Collection[str] = (),
) -> Repaired:
    """Put a new archive in the place of a damaged one. `progress` is told how many calls have come;
    `accounts` are those of which calls may surely be.

    Raises `ArchiveError`, e.g. `ArchiveBusy` (another Ringback has it open); then the archive is as
    before.
    """
    with disk_errors(), alone(archive) as file, work_folder(archive) as folder:
        mark = marked(archive)
        # an ended repair may have put the write-ahead log away already
        source = archive.with_name(mark.kept) if mark and mark.kept else archive
        check_room(source, folder)
        found = Repaired()
        with ExitStack() as opened:
            views = [*_views(file, log_of(source), folder, opened)] if file else []
            if views:
                _refuse_later(views[0])
            found.unread = bool(size_of(source)) and not views
            damaged = [Damaged(view) for view in views]
            _build(folder / "new.db", damaged, archive, found, progress, accounts)
        kept = swap(archive, source, folder / "new.db")
        found.kept = str(kept) if kept else ""
    return found


# -- what can be read


def _views(
    file: BinaryIO, log: Path, folder: Path, opened: ExitStack
) -> Iterator[sqlite3.Connection]:
    """The damaged archive as it can be opened: with its write-ahead log, and without it."""
    copy = folder / "damaged.db"
    with copy.open("wb") as out:
        shutil.copyfileobj(file, out, 1 << 20)
    if log.is_file() and size_of(log):
        shutil.copyfile(log, log_of(copy))
    mend_header(copy)
    some = False
    for with_log in (True, False) if log_of(copy).exists() else (False,):
        with suppress(sqlite3.DatabaseError):
            view = opened.enter_context(closing(open_damaged(copy, with_log=with_log)))
            some = some or "event" in columns(view)
            yield view
    if not some:
        with suppress(sqlite3.DatabaseError):
            _give_first_page(copy, folder)
            yield opened.enter_context(closing(open_damaged(copy, with_log=False)))


def _give_first_page(copy: Path, folder: Path) -> None:
    """Where the first page is lost, that of a new archive says where the tables are: all archives
    that the same Ringback has made begin alike. What is found there is looked at row by row.
    """
    like = folder / "like.db"
    Archive(like).close()
    with copy.open("r+b") as file:
        file.write(like.read_bytes()[:_PAGE])
    mend_header(copy)  # it says how long the new one is
    log_of(copy).unlink(missing_ok=True)


def _refuse_later(db: sqlite3.Connection) -> None:
    from tui.archive.sqlite.migrations import identify

    with suppress(ArchiveDamaged, sqlite3.DatabaseError):
        identify(db)


# -- the new archive


def _build(
    path: Path,
    views: list[Damaged],
    archive: Path,
    found: Repaired,
    progress: Callable[[int], None],
    accounts: Iterable[str],
) -> None:
    """Decisions before all; then calls, and all that is kept beside them."""
    kept = _read_backup(archive)
    with Archive(path) as new:
        purged = _keep_keyed(new, views, "purged") | kept.purged
        with new.transaction():
            new._db.executemany("INSERT OR IGNORE INTO purged VALUES (?, ?)", sorted(purged))
        _keep_keyed(new, views, "region")
        named = [*accounts, *(event.account for event in kept.events)]
        names = _names(views, named, found)
        gone = {(account.lower(), id_) for account, id_ in purged}
        _decide(new, views, kept.events, names, gone, found)
        _calls(new, views, names, found, progress)
        found.torn = sorted({table for view in views for table in view.torn} & {*columns(new._db)})
        for table in new_tables(new):
            if table in _WALKED and found.calls_torn:
                continue  # the next sync asks for everything again
            calls = sorted(set(names.values()))
            found.others[table] = len(_keep_keyed(new, views, table, calls))
        _drop_homeless(new)
        with new.transaction():  # a sync asks for them again
            new._db.execute(f"DELETE FROM name WHERE {UNREADABLE_NAME}")
            new._db.execute(f"DELETE FROM heard WHERE {UNREADABLE_HEARD}")
        if (said := new._db.execute("PRAGMA quick_check").fetchone()) != ("ok",):
            raise ArchiveError(f"the new archive is not whole: {said[0]}", "Try again.")
        found.others = {table: rows for table, rows in found.others.items() if rows}
        _empty_log(new)
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def _empty_log(new: Archive) -> None:
    """Bring all into the archive's own file, which alone is kept: what a close cannot bring there
    for want of room, SQLite does not say.
    """
    new._db.execute("PRAGMA busy_timeout = 0")
    busy, _, _ = new._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise ArchiveBusy("another program reads the new archive and its log", BUSY)


def new_tables(new: Archive) -> list[str]:
    """The tables that are copied row by row, also those of the Ringbacks to come."""
    return [
        table
        for table in columns(new._db)
        if table not in (*_MADE_ANEW, *_TOLD_AGAIN) and not table.startswith(("search", "fragment"))
    ]


def _read_backup(archive: Path) -> decision_backup.Kept:
    try:
        return decision_backup.read(archive)
    except OSError:  # a disk that cannot be read there either
        return decision_backup.Kept([], set())


def _keep_keyed(
    new: Archive, views: list[Damaged], table: str, calls: Iterable[CallName] = ()
) -> set[tuple[Any, ...]]:
    """Copy a table's rows, as far as they are what that table may hold; their keys."""
    info = new._db.execute("SELECT name, pk FROM pragma_table_info(?)", (table,)).fetchall()
    names = [name for name, _ in info]
    key = [name for name, place in sorted(info, key=lambda one: one[1]) if place]
    kept: dict[tuple[Any, ...], Row] = {}
    for view in views:
        known = calls if key[1:2] in (["id"], ["call_id"]) else ()
        for row in view.keyed(table, key, names, known):
            kept.setdefault(tuple(row[names.index(name)] for name in key), row)
        if table not in view.torn:
            break
    marks = ", ".join("?" * len(names))
    with new.transaction():
        for one in list(kept):
            try:
                new._db.execute(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", kept[one])
            except StatementRefused:  # no such call, or not what may stand there
                del kept[one]
    return set(kept)


def _names(views: list[Damaged], known: Iterable[str], found: Repaired) -> dict[int, CallName]:
    """Account and id of each call by its key, from the lines and their index. Of two names the one
    with the account that more have; an account that is named but once, and not `known`, is none.
    """
    told: dict[int, list[CallName]] = defaultdict(list)
    for view in views:
        index = view.through_index("sqlite_autoindex_call_1", "call", ("account", "id"))
        for account, id_, key in whole(index, (0, 1)):
            told[key].append((account, id_))
        for key, account, id_ in whole(view.numbered("call", ("account", "id")), (1, 2)):
            told[key].append((account, id_))
        if not {"call", "sqlite_autoindex_call_1"} & view.torn:
            break
    often = Counter(account.lower() for names in told.values() for account, _ in {*names})
    twice = {names[0][0].lower() for names in told.values() if len({*names}) < len(names)}
    sure = {*map(str.lower, known), *twice, *(name for name, count in often.items() if count > 1)}
    chosen: dict[int, CallName] = {}
    for key, names in told.items():
        name = max(names, key=lambda one: (one[0].lower() in sure, often[one[0].lower()]))
        if name[0].lower() in sure:
            chosen[key] = name
        else:
            found.of_unknown_accounts.append(":".join(name))
    return chosen


def _decide(
    new: Archive,
    views: list[Damaged],
    kept: list[Event],
    names: dict[int, CallName],
    gone: set[CallName],
    found: Repaired,
) -> None:
    """The events of the archive and of its backup, and what others came to that are lost."""
    events = {decision_backup.identity(event): event for event in kept}
    twins = defaultdict(list)
    for event in kept:
        twins[event.seq].append(event)
    alone = set(events)
    for view in views:
        rows = view.numbered("event", EVENT_FIELDS[1:])
        for event in filter(None, map(event_of, rows)):
            twin = next((one for one in twins[event.seq] if _is_same(one, event)), event)
            alone.discard(decision_backup.identity(twin))
            events.setdefault(decision_backup.identity(twin), twin)
        if "event" not in view.torn:
            break
    found.decisions_from_backup = len(alone)
    latest = {
        _name(event): event for event in sorted(events.values(), key=decision_backup.in_order)
    }
    seq = max((event.seq for event in events.values()), default=0)
    for made in _projected(views, names.values(), latest, seq):
        events[decision_backup.identity(made)] = made
    mine = [event for event in events.values() if _name(event) not in gone]
    with new.transaction():
        found.decisions = new.triage.take_up(mine)
    _count_lost(views, {event.seq for event in events.values()}, found)


def _is_same(kept: Event, event: Event) -> bool:
    """Whether an event of the archive is one of the backup, of which some byte is damaged."""
    pairs = list(zip(row_of(kept), row_of(event), strict=True))
    return len([1 for one, other in pairs if one == other]) > len(pairs) - _DAMAGED


def _name(event: Event) -> CallName:
    return event.account.lower(), event.id


def _projected(
    views: list[Damaged], names: Iterable[CallName], latest: dict[CallName, Event], seq: int
) -> Iterator[Event]:
    """Events for what the table ``triage`` knows and no event tells any more."""
    calls = sorted({*names, *((event.account, event.id) for event in latest.values())})
    done: set[CallName] = set()
    for view in views:
        for row in whole(view.keyed("triage", _TRIAGE[:2], _TRIAGE, calls), (0, 1, 2, 5)):
            account, id_, state, note, tags, by, at, until, held = row
            last = latest.get((account.lower(), id_))
            if not isinstance(at, int) or (account, id_) in done or (last and last.at * 1000 >= at):
                continue
            done.add((account, id_))
            bodies: list[tuple[str, dict[str, Any]]] = []
            if state != "new":
                ends = {"until": until / 1000} if isinstance(until, int) else {}
                bodies.append(("state", {"state": state, **ends}))
            bodies += [("note", {"text": note})] if isinstance(note, str) else []
            with suppress(ValueError, TypeError):
                bodies += [("tag", {"tag": tag}) for tag in json.loads(tags)]
            bodies += [("hold", {"reason": held})] if isinstance(held, str) else []
            for kind, body in bodies:
                seq += 1
                batch = f"rescued {account}:{id_}"
                made = (seq, at, by, batch, account, id_, kind, codec.dumps(body))
                if event := event_of(made):
                    yield event
        if "triage" not in view.torn:
            break


def _count_lost(views: list[Damaged], have: set[int], found: Repaired) -> None:
    """Decisions that only an index still names."""
    lost: dict[int, str] = {}
    for view in views[:1]:
        for account, id_, seq in view.through_index("event_by_call", "event", ("account", "id")):
            if seq not in have:
                lost[seq] = f"{account}:{id_}"
    found.decisions_lost = len(lost)
    found.lost_of = list(dict.fromkeys(lost.values()))


def _calls(
    new: Archive,
    views: list[Damaged],
    names: dict[int, CallName],
    found: Repaired,
    progress: Callable[[int], None],
) -> None:
    """The calls with their details, through the door by which a sync's come too."""
    have: set[CallName] = set()
    for view in views:
        rows = view.numbered("detail", _DETAIL, max(names, default=0))
        while step := list(islice(rows, STEP)):
            with new.transaction():
                for key, *details in step:
                    name = names.get(key)
                    if name and name not in have and _save(new, name, details):
                        have.add(name)
            progress(len(have))
        if "detail" not in view.torn and len(have) == len(names):
            break
    asked = ((view, row) for view in views for row in view.numbered("call", ("asked_at",)))
    with new.transaction():
        for _, (key, at) in asked:
            if isinstance(at, float) and key in names:
                sql = "UPDATE call SET asked_at = ? WHERE account = ? AND id = ?"
                new._db.execute(sql, (at, *names[key]))
    purged = set(new._db.execute("SELECT account, id FROM purged").fetchall())
    found.calls = new.count()
    found.calls_lost = len({*names.values()} - have - purged)


def _save(new: Archive, name: CallName, details: list[Any]) -> bool:
    """Whether the call could be read; without its raw where only that cannot be."""
    body, extra, raw, saved_at = details
    for packed in (raw, None):
        with suppress(ArchiveError):
            call = call_of(body, extra, packed)
            if call.id != name[1]:
                return False
            new.save(name[0], [call])
            if isinstance(saved_at, int):
                new._db.execute(
                    "UPDATE detail SET saved_at = ? WHERE key ="
                    " (SELECT key FROM call WHERE account = ? AND id = ?)",
                    (saved_at, *name),
                )
            return True
    return False


def _drop_homeless(new: Archive) -> None:
    """Rows that refer to a call that was lost."""
    with new.transaction():
        for table, number, *_ in new._db.execute("PRAGMA foreign_key_check").fetchall():
            if number is not None:
                new._db.execute(f"DELETE FROM {table} WHERE rowid = ?", (number,))
