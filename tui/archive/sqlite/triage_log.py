"""Triage: what people decided about calls, as a log of events that is only ever added to.

The present state of a call is what its standing events come to (`project`); the table
``triage`` and a few columns of ``call`` hold that, and can be made again from the log at any
time. Both are keyed by account and the vendor's id of the call, so that no sync or import
touches them. An undo is an event too: the events of the batch that it names stand no more.

Kinds of events, and what their bodies hold:

    state    state, one of STATES; until (Unix seconds) for snoozed
    note     text
    comment  text, at_s (seconds into the recording), recording (its index)
    tag      tag        untag   tag        undo   batch
    hold     reason     release            (a call on hold is removed by nothing)
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import islice
from typing import Any, NamedTuple

from tui.archive import codec
from tui.archive.sqlite.damage import reading
from tui.archive.sqlite.search.name_lookup import spellings
from tui.archive.sqlite.search.search_index import SearchIndex, joined_words
from tui.archive.sqlite.triage_rows import EVENT_FIELDS, Event, read_event, row_of
from tui.query.parser import STATES, fold

STEP = 500
"""Calls of a batch that are written in one transaction, so that no other writer waits long."""
MAX_TEXT = 4000
MAX_TAG = 60

CallName = tuple[str, str]
"""Account, and the vendor's id of the call."""


class Change(NamedTuple):
    """One thing decided: a kind of event, and its body."""

    kind: str
    body: Mapping[str, Any]


class Triage(NamedTuple):
    """What a call's events come to. Times are Unix seconds; `by` and `at` are the last event's."""

    state: str = "new"
    note: str | None = None
    tags: tuple[str, ...] = ()
    by: str | None = None
    at: float | None = None
    snoozed_until: float | None = None
    held: str | None = None
    """Why the call is on hold, empty where nobody said; None: it is not."""

    def printed(self) -> dict[str, Any]:
        """As ``--json`` prints it."""
        return {
            "state": self.state,
            "note": self.note,
            "tags": list(self.tags),
            "by": self.by,
            "at": codec.moment_text(self.at),
        }


UNTOUCHED = Triage()


class Undone(NamedTuple):
    """What an undo took back: the calls of the batch, and its changes, each once."""

    calls: tuple[CallName, ...]
    changes: tuple[Change, ...]


# -- what people may decide


def state(name: str, until: float | None = None) -> Change:
    """Raises ValueError for a state that there is not, and for a snooze without an end."""
    if name not in STATES:
        raise ValueError(f"{name!r} is not a state; there are {', '.join(STATES)}")
    if (name == "snoozed") != (until is not None):
        raise ValueError("a call is snoozed until some time; other states have no end")
    return Change("state", {"state": name, **({"until": until} if until is not None else {})})


def note(text: str) -> Change:
    """Raises ValueError for an empty text and for one over 4,000 characters."""
    return Change("note", {"text": _text(text, "a note", MAX_TEXT)})


def comment(text: str, at_s: float, recording: int = 0) -> Change:
    """A comment `at_s` seconds into a recording. Raises ValueError as `note`."""
    said = _text(text, "a comment", MAX_TEXT)
    return Change("comment", {"text": said, "at_s": round(at_s, 1), "recording": recording})


def timed(text: str) -> tuple[str, float] | None:
    """``3:12 refund`` as its words and the seconds into a recording; None without a time."""
    match = _TIMED.fullmatch(text)
    if match is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in match.groups()[:3])
    return match[4], hours * 3600 + minutes * 60 + seconds


_TIMED = re.compile(r"\s*(?:(\d{1,2}):)?(\d{1,3}):([0-5]\d)\s+(\S.*)", re.S | re.A)
UNTIMED = "begin with the time in the recording, for example 3:12 refund"


def tag(name: str) -> Change:
    """Raises ValueError for what cannot be a tag."""
    return Change("tag", {"tag": _tag(name)})


def untag(name: str) -> Change:
    """Raises ValueError for what cannot be a tag."""
    return Change("untag", {"tag": _tag(name)})


def hold(reason: str = "") -> Change:
    """Keep the call whatever happens. Raises ValueError for a reason over 4,000 characters."""
    return Change("hold", {"reason": _text(reason, "a reason", MAX_TEXT) if reason.strip() else ""})


RELEASE = Change("release", {})
"""The call is on hold no more."""


def _tag(name: str) -> str:
    tag = _text(" ".join(name.split()), "a tag", MAX_TAG)
    if "," in tag:
        raise ValueError("a tag has no comma; give each tag by itself")
    return tag


def _text(text: str, what: str, limit: int) -> str:
    text = codec.storable(text).strip()
    if not text:
        raise ValueError(f"{what} is some text")
    if len(text) > limit:
        raise ValueError(f"{what} has at most {limit:,} characters")
    return text


# -- what events come to


def standing(events: Iterable[Event]) -> list[Event]:
    """The events of one call that were not undone, in order."""
    events = list(events)
    undone = {event.body["batch"] for event in events if event.kind == "undo"}
    return [event for event in events if event.kind != "undo" and event.batch not in undone]


def project(events: Iterable[Event]) -> Triage:
    """What the events of one call come to."""
    now = UNTOUCHED
    for event in standing(events):
        if event.kind in _EFFECTS:  # a later Ringback may know others
            changed = _EFFECTS[event.kind](now, event.body)
            now = changed._replace(by=event.by, at=event.at)
    return now


_EFFECTS: dict[str, Callable[[Triage, Mapping[str, Any]], Triage]] = {
    "state": lambda t, body: t._replace(state=body["state"], snoozed_until=body.get("until")),
    "note": lambda t, body: t._replace(note=body["text"]),
    "comment": lambda t, body: t,
    "tag": lambda t, body: t._replace(tags=(*without(t.tags, body["tag"]), body["tag"])),
    "untag": lambda t, body: t._replace(tags=without(t.tags, body["tag"])),
    "hold": lambda t, body: t._replace(held=body.get("reason") or ""),
    "release": lambda t, body: t._replace(held=None),
}


def without(tags: tuple[str, ...], tag: str) -> tuple[str, ...]:
    """The tags without one, whatever its case and accents."""
    return tuple(other for other in tags if fold(other) != fold(tag))


def described(changes: Iterable[Change], shown: Callable[[str], str] = str) -> str:
    """``done, tag spam`` in the order of the changes; `shown`: what may be seen of a tag."""
    words = (
        body["state"] if kind == "state" else f"{kind} {shown(body.get('tag', ''))}".strip()
        for kind, body in changes
    )
    return ", ".join(dict.fromkeys(words))


# -- the log in the archive

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

    def act(
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
        events = [event for name in calls for event in standing(self.events(*name))]
        last = max(events, key=lambda event: event.seq, default=None)
        return self._undo(last.batch, by, at) if last else None

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
        # earlier notes too: the detail shows them
        said = (e.body["text"] for e in standing(events) if "text" in e.body)
        words = [*now.tags, *said]
        self._db.execute(
            "UPDATE call SET state = ?, snoozed_until = ?, triaged_at = ?, our_tags = ?,"
            " our_words = ?, held = ? WHERE account = ? AND id = ?",
            (
                now.state,
                _ms(now.snoozed_until),
                _ms(now.at),
                ", ".join(now.tags) or None,
                joined_words(words),
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
        here = {row_of(event): event for event in map(read_event, known)}
        new = {row_of(event): event for event in events if row_of(event) not in here}
        numbers = Counter(event.seq for event in (*here.values(), *new.values()))
        rows = [(event.seq, *row_of(event)) for event in new.values()]
        if numbers and max(numbers.values()) > 1:  # two archives went on from the same event
            every = sorted((here | new).values(), key=lambda event: (event.at, event.seq))
            rows = [(seq, *row_of(event)) for seq, event in enumerate(every, 1)]
            self._db.execute("DELETE FROM event")
        self._db.executemany("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        self._keep(dict.fromkeys((event.account, event.id) for event in new.values()))
        return len(new)

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
        one, values = ("", [account]) if id_ is None else (" AND id = ?2", [account, id_])
        held = "SELECT id FROM triage WHERE account = ?1 AND held IS NOT NULL"
        sql = f"WHERE account = ?1{one} AND id NOT IN ({held})"
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
        here = (e.body for e in standing(self.events(account, id_)) if e.kind == "comment")
        return tuple(body["at_s"] for body in here if body["recording"] == recording)

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


def awake(state: str, snoozed_until: float | None) -> str:
    """A snooze that is over is an open call."""
    over = state == "snoozed" and (snoozed_until or 0) <= time.time()
    return "open" if over else state


def _ms(moment: float | None) -> int | None:
    return None if moment is None else round(moment * 1000)
