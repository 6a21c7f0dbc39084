"""The log of decisions (`tui.archive.triage_events`) in its tables.

The table ``triage`` and a few columns of ``call`` hold what a call's events come to, and can be
made again from the log at any time.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import islice
from typing import Any

from tui.archive import codec
from tui.archive.errors import reading
from tui.archive.sqlite.search.name_lookup import spellings
from tui.archive.sqlite.search.search_index import SearchIndex, joined_words
from tui.archive.sqlite.triage_rows import EVENT_FIELDS, read_event
from tui.archive.triage_events import (
    UNTOUCHED,
    CallName,
    Change,
    Event,
    Triage,
    Undone,
    awake,
    comment_times,
    last_batch,
    merge_logs,
    project,
    row_of,
    searched_texts,
)

STEP = 500
"""Calls of a batch that are written in one transaction, so that no other writer waits long."""

Transaction = Callable[[], AbstractContextManager[None]]


def _new_batch() -> str:
    """A name that no other batch has, on whatever machine it was made."""
    return os.urandom(12).hex()


class TriageLog:
    """The log of one archive, on that archive's connection. It is `Archive.triage`."""

    def __init__(
        self,
        db: sqlite3.Connection,
        transaction: Transaction,
        index: SearchIndex,
        back_up: Callable[[], None],
    ) -> None:
        self._db, self._transaction, self._index = db, transaction, index
        self._back_up = back_up

    def append(
        self,
        calls: Sequence[CallName],
        changes: Sequence[Change],
        by: str,
        at: float | None = None,
    ) -> str:
        """Write the changes for each of the calls, as one step of undo; the batch's name.

        When it returns, the events are on the disk: they survive a kill and a power cut.
        """
        batch = _new_batch()
        self._write(calls, changes, by, batch, at)
        return batch

    def undo(self, by: str, at: float | None = None) -> Undone | None:
        """Take back this person's last step that still stands; None when there is none."""
        row = self._db.execute(
            "SELECT batch FROM event WHERE by = ? AND kind <> 'undo' AND NOT EXISTS"
            " (SELECT 1 FROM event AS later WHERE later.account = event.account"
            " AND later.id = event.id AND later.kind = 'undo'"
            " AND later.body ->> 'batch' = event.batch) ORDER BY seq DESC LIMIT 1",
            (by,),
        ).fetchone()
        return self._undo(row[0], by, at) if row else None

    def undo_of(self, calls: Sequence[CallName], by: str, at: float | None = None) -> Undone | None:
        """Take back the last step, whoever's, that changed one of these calls."""
        batch = last_batch(event for name in calls for event in self.events(*name))
        return self._undo(batch, by, at) if batch else None

    def _undo(self, batch: str, by: str, at: float | None) -> Undone:
        calls = self._db.execute(
            "SELECT account, id FROM event WHERE batch = ? GROUP BY account, id ORDER BY min(seq)",
            (batch,),
        ).fetchall()
        changes = self._db.execute(
            "SELECT kind, body FROM event WHERE batch = ? GROUP BY kind, body ORDER BY min(seq)",
            (batch,),
        ).fetchall()
        self._write(calls, [Change("undo", {"batch": batch})], by, _new_batch(), at)
        return Undone(tuple(calls), tuple(Change(kind, json.loads(body)) for kind, body in changes))

    def _write(
        self,
        calls: Sequence[CallName],
        changes: Sequence[Change],
        by: str,
        batch: str,
        at: float | None,
    ) -> None:
        moment = round((time.time() if at is None else at) * 1000)
        bodies = [(change.kind, codec.dumps(dict(change.body))) for change in changes]
        rest = iter(calls)
        while step := list(islice(rest, STEP)):
            with self._lasting():
                self._db.executemany(
                    "INSERT INTO event (at, by, batch, account, id, kind, body)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?)",
                    [(moment, by, batch, *name, *body) for name in step for body in bodies],
                )
                self._keep(step)
        self._back_up()

    @contextmanager
    def _lasting(self) -> Iterator[None]:
        """A transaction that is on the disk when it ends: people cannot be asked again."""
        self._db.execute("PRAGMA synchronous = FULL")
        try:
            with self._transaction():
                yield
        finally:
            self._db.execute("PRAGMA synchronous = NORMAL")

    def _keep(self, names: Iterable[CallName]) -> None:
        """Write what the events of calls come to, where they are searched too; runs inside a
        transaction.
        """
        changes = self._index.changes()
        for name in names:
            events = self.events(*name)
            now = project(events)
            self._write_down(name, now)
            row = self._db.execute("SELECT key FROM call WHERE account = ? AND id = ?", name)
            if found := row.fetchone():  # a call that is not here has no line
                with self._index.updating(found[0], changes):
                    self._copy(name, now, events)
        changes.flush()

    def _write_down(self, name: CallName, now: Triage) -> None:
        if now.by is None:
            self._db.execute("DELETE FROM triage WHERE account = ? AND id = ?", name)
        else:
            self._db.execute(
                f"INSERT INTO triage (account, id, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (account, id) DO UPDATE SET state = excluded.state,"
                " note = excluded.note, tags = excluded.tags, by = excluded.by,"
                " at = excluded.at, snoozed_until = excluded.snoozed_until, held = excluded.held",
                (
                    *name,
                    now.state,
                    now.note,
                    codec.dumps(list(now.tags)),
                    now.by,
                    _ms(now.at),
                    _ms(now.snoozed_until),
                    now.held,
                ),
            )

    def _copy(self, name: CallName, now: Triage, events: Sequence[Event]) -> None:
        """Into the call's line, where it is filtered by."""
        self._db.execute(
            "UPDATE call SET state = ?, snoozed_until = ?, triaged_at = ?, our_tags = ?,"
            " our_words = ?, held = ? WHERE account = ? AND id = ?",
            (
                now.state,
                _ms(now.snoozed_until),
                _ms(now.at),
                ", ".join(now.tags) or None,
                joined_words(searched_texts(events)),
                now.held is not None,
                *name,
            ),
        )

    def restore(self, name: CallName) -> None:
        """Give a call that came (again) the triage it had, before it is indexed; runs inside a
        transaction.
        """
        now = self.of(*name)
        if now is not UNTOUCHED:
            self._copy(name, now, self.events(*name))

    def take_up(self, events: Iterable[Event]) -> int:
        """Bring events of a backup that are not here to their place in the log; how many. Runs
        inside a transaction.
        """
        known = self._db.execute(f"SELECT {_FIELDS} FROM event ORDER BY seq")
        merged = merge_logs(map(read_event, known), events)
        if merged.renumbered:
            self._db.execute("DELETE FROM event")
        rows = [(event.seq, *row_of(event)) for event in merged.renumbered or merged.new]
        self._db.executemany("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        self._keep(dict.fromkeys((event.account, event.id) for event in merged.new))
        return len(merged.new)

    def rebuild(self) -> None:
        """Make the state of every call again from the log."""
        with self._transaction():
            names = self._db.execute(
                "SELECT account, id FROM event UNION SELECT account, id FROM triage"
                " UNION SELECT account, id FROM call WHERE triaged_at IS NOT NULL"
            )
            self._keep(names.fetchall())

    def forget(self, account: str, id_: str | None = None) -> int:
        """Remove the events of a call, or of all calls of an account but those on hold, for good;
        how many rows.

        Runs inside the caller's transaction, which removes the calls themselves.
        """
        one = "" if id_ is None else " AND id = :id"
        held = "SELECT id FROM triage WHERE account = :account AND held IS NOT NULL"
        sql = f"WHERE account = :account{one} AND id NOT IN ({held})"
        values = {"account": account, "id": id_}
        return sum(
            self._db.execute(f"DELETE FROM {table} {sql}", values).rowcount
            for table in ("event", "triage")
        )

    # -- reading

    def of(self, account: str, id_: str) -> Triage:
        """What was decided about a call."""
        row = self._db.execute(
            f"SELECT {_COLUMNS} FROM triage WHERE account = ? AND id = ?",
            (account, id_),
        ).fetchone()
        return triage_of(row) if row else UNTOUCHED

    def events(self, account: str, id_: str) -> list[Event]:
        """All events of a call, the oldest first; those that were undone among them."""
        rows = self._db.execute(
            f"SELECT {_FIELDS} FROM event WHERE account = ? AND id = ? ORDER BY seq",
            (account, id_),
        )
        return list(map(read_event, rows))

    def comments(self, account: str, id_: str, recording: int) -> tuple[float, ...]:
        """Seconds into one recording of a call at which a comment stands."""
        return comment_times(self.events(account, id_), recording)

    def decided(self, account: str) -> int:
        """About how many calls of an account something was decided."""
        sql = "SELECT count(*) FROM triage WHERE account = ?"
        return int(self._db.execute(sql, (account,)).fetchone()[0])

    def known_tags(self, limit: int = 200) -> list[str]:
        """Tags of ours that were given before, the latest first; of spellings that differ in
        case, the one that was given most.
        """
        rows = self._db.execute(
            "SELECT body FROM event WHERE kind = 'tag' ORDER BY seq DESC LIMIT 5000"
        )
        with reading("a tag"):
            given = Counter(json.loads(body)["tag"] for (body,) in rows)
        shown = {one: group[0] for group in spellings(given) for one in group}
        return list(dict.fromkeys(shown[tag] for tag in given))[:limit]


_COLUMNS = "state, note, tags, by, at, snoozed_until, held"
"""Of the table ``triage``, as `triage_of` reads them."""
_FIELDS = ", ".join(EVENT_FIELDS)


def triage_of(row: Sequence[Any]) -> Triage:
    """A row of the table ``triage``, from its state on."""
    with reading("a decision"):
        state, note, tags, by, at, until, held = row
        seconds = None if until is None else until / 1000
        tagged = tuple(json.loads(tags))
        return Triage(awake(state, seconds), note, tagged, by, at / 1000, seconds, held)


def _ms(moment: float | None) -> int | None:
    return None if moment is None else round(moment * 1000)
