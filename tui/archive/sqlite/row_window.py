"""Windows of rows over an ordered list of keys, as the call table reads them."""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, get_args, get_type_hints

from providers.model import CallRow
from tui.archive import codec
from tui.archive.errors import ArchiveDamaged, reading
from tui.archive.records import removed_row, unreadable_row
from tui.archive.sqlite.details import body_text
from tui.archive.sqlite.listening_history import with_heard
from tui.archive.sqlite.triage_log import triage_of
from tui.archive.triage_events import awake

_BESIDE = ("heard", "trouble")
"""Fields that no line of the table ``call`` has, the last ones: they are looked up beside it."""
_OTHERWISE = {
    "started_at": "call.started_at / 1000.0",
    "snoozed_until": "call.snoozed_until / 1000.0",
    "closed_by": "closer.account || ':' || closer.id",
    "closed_at": "closer.started_at / 1000.0",
}
_PENDING = (
    "iif(call.recordings = 0 AND call.has_recording AND"
    " (SELECT IFNULL(extra ->> 'recordings_known', 1) FROM detail WHERE detail.key = call.key),"
    " 'pending', NULL)"
)
"""The trouble of a call that was recorded, as its vendor says, and whose list has no file yet."""
_COLUMNS = ", ".join(
    [_OTHERWISE.get(name, f"call.{name}") for name in CallRow._fields if name not in _BESIDE]
    + [_PENDING]
)


_AS_KEPT = {float: (float, int), bool: (int,)}
_KINDS = [
    tuple(kind for one in get_args(told) or (told,) for kind in _AS_KEPT.get(one, (one,)))
    for told in get_type_hints(CallRow).values()
]
"""What each field of a line may be, as SQLite gives it."""


class RowList:
    """The keys of some rows that match, one after the other; rows are read when a window asks.

    Ordered keys cost 8 bytes a call, make any of these positions reachable at once, and keep
    what is on the screen still while new calls arrive in the archive.
    """

    def __init__(
        self, connection: sqlite3.Connection, keys: array[int], begins: bool, ends: bool
    ) -> None:
        self._connection = connection
        self.keys = keys
        self.begins, self.ends = begins, ends

    def __len__(self) -> int:
        return len(self.keys)

    def window(self, start: int, stop: int) -> Sequence[CallRow]:
        """The rows from `start` up to `stop`; a call removed meanwhile leaves its line blank."""
        wanted = self.keys[max(0, start) : stop]
        try:
            found = self._rows(wanted)
        except ArchiveDamaged:  # the others can be read
            found = {}
            for one in wanted:
                with suppress(ArchiveDamaged):
                    found |= self._rows(array("q", (one,)))
            return [found.get(key) or unreadable_row(key) for key in wanted]
        return [found.get(key) or removed_row(key) for key in wanted]

    def _rows(self, keys: array[int]) -> dict[int, CallRow]:
        marks = ",".join("?" * len(keys))
        rows = self._connection.execute(
            f"SELECT {_COLUMNS} FROM call LEFT JOIN call AS closer"
            f" ON closer.key = call.closed_by WHERE call.key IN ({marks})",
            keys.tolist(),
        )
        return {row.key: row for row in with_heard(self._connection, map(_row, rows))}

    def keys_between(self, start: int, stop: int) -> Sequence[int]:
        """The keys of the rows from `start` up to `stop`."""
        return self.keys[max(0, start) : stop]

    def index_of(self, key: int) -> int | None:
        """Where a call stands, or None when it is not in this list."""
        try:
            return self.keys.index(key)
        except ValueError:
            return None


def export(
    db: sqlite3.Connection, keys: Iterable[int], unread: list[str] | None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """As `Archive.export`."""
    for key in keys:
        try:
            found = _body(db, key)
        except ArchiveDamaged:
            if unread is None:
                raise
            unread.append(_name(db, key))
        else:
            if found:
                yield found


def _body(db: sqlite3.Connection, key: int) -> tuple[str, dict[str, Any]] | None:
    """None: the call was removed meanwhile."""
    row = db.execute(
        "SELECT call.account, body, triage.state, triage.note, triage.tags, by, at,"
        " triage.snoozed_until, triage.held FROM call LEFT JOIN detail USING (key)"
        " LEFT JOIN triage"
        " ON triage.account = call.account AND triage.id = call.id WHERE call.key = ?",
        (key,),
    ).fetchone()
    if not row:
        return None
    account, body, *decided = row
    with reading("a call"):
        triage = {"triage": triage_of(decided).printed()} if decided[0] else {}
        return account, {**codec.completed(json.loads(body_text(body) or "")), **triage}


def _name(db: sqlite3.Connection, key: int) -> str:
    try:
        row = db.execute("SELECT account, id FROM call WHERE key = ?", (key,)).fetchone()
    except ArchiveDamaged:
        row = None
    return ":".join(map(str, row or ("?", "?")))


def _row(values: tuple[object, ...]) -> CallRow:
    """Raises `ArchiveDamaged` where a value is of another kind than was written."""
    row = CallRow._make((*values[:-1], None, values[-1]))
    if not all(map(isinstance, row, _KINDS)):
        raise ArchiveDamaged("a line cannot be read")
    flag = row.has_recording
    return row._replace(
        has_recording=None if flag is None else bool(flag),
        state=awake(row.state, row.snoozed_until),
        held=bool(row.held),
    )
