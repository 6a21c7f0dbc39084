"""Triage: what people decided about calls, as a log of events that is only ever added to.

The present state of a call is what its standing events come to (`project`). Events name their call
by account and the vendor's id, so that no sync or import touches them. An undo is an event too: the
events of the batch that it names stand no more. Here is all of it that needs no database.

Kinds of events, and what their bodies hold:

    state    state, one of STATES; until (Unix seconds) for snoozed
    note     text
    comment  text, at_s (seconds into the recording), recording (its index)
    tag      tag        untag   tag        undo   batch
    hold     reason     release            (a call on hold is removed by nothing)
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from tui.archive import codec
from tui.query.parser import STATES, fold

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


class Event(NamedTuple):
    """A line of the log; `at` is Unix seconds, `batch` names the step of undo that it is a part of,
    and `seq` is its number in its own archive.
    """

    seq: int
    at: float
    by: str
    batch: str
    account: str
    id: str
    kind: str
    body: Mapping[str, Any]


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


def awake(state: str, snoozed_until: float | None) -> str:
    """The state at this moment: a snooze that is over (Unix seconds) is an open call."""
    over = state == "snoozed" and (snoozed_until or 0) <= time.time()
    return "open" if over else state


def last_batch(events: Iterable[Event]) -> str | None:
    """The last step that still stands of the events of some calls; None: there is none."""
    last = max(standing(events), key=lambda event: event.seq, default=None)
    return last.batch if last else None


def comment_times(events: Iterable[Event], recording: int) -> tuple[float, ...]:
    """Seconds into one recording (its index) of a call at which a comment stands."""
    here = (event.body for event in standing(events) if event.kind == "comment")
    return tuple(body["at_s"] for body in here if body["recording"] == recording)


def searched_texts(events: Iterable[Event]) -> list[str]:
    """What the search finds a call by: its tags, and all notes and comments, earlier ones too,
    for the detail shows them.
    """
    events = list(events)
    said = (event.body["text"] for event in standing(events) if "text" in event.body)
    return [*project(events).tags, *said]


# -- events from elsewhere: a database's rows, a backup, another archive


BODIES: Mapping[str, Mapping[str, type | tuple[type, ...]]] = {
    "state": {"state": str},
    "note": {"text": str},
    "comment": {"text": str, "at_s": (int, float), "recording": int},
    "tag": {"tag": str},
    "untag": {"tag": str},
    "undo": {"batch": str},
}
"""What the body of each kind of event surely has; a later Ringback may know other kinds."""


def check_event(event: Event) -> Event:
    """The event. Raises ValueError where it is not as any Ringback wrote it."""
    texts = (event.by, event.batch, event.account, event.id, event.kind)
    body = BODIES.get(event.kind, {})
    if not all(isinstance(text, str) for text in texts) or not all(
        isinstance(event.body.get(name), kind) for name, kind in body.items()
    ):
        raise ValueError(event.kind)
    return event


def row_of(event: Event) -> tuple[Any, ...]:
    """An event without its number, as text and whole milliseconds: the same in every copy."""
    return (round(event.at * 1000), *event[2:-1], codec.dumps(dict(event.body)))


class MergedLogs(NamedTuple):
    """What a log lacks of another, and the log as it is then where its numbers must change."""

    new: tuple[Event, ...]
    renumbered: tuple[Event, ...]
    """All events of both, by time; empty where every event keeps its number."""


def merge_logs(log: Iterable[Event], other: Iterable[Event]) -> MergedLogs:
    """Bring another log's events to their places in a log. Two archives that went on from the same
    event gave one number twice: then all are numbered anew, by the time they were decided.
    """
    here = {row_of(event): event for event in log}
    new = {row_of(event): event for event in other if row_of(event) not in here}
    every = {**here, **new}.values()
    if len({event.seq for event in every}) == len(every):
        return MergedLogs(tuple(new.values()), ())
    in_time = sorted(every, key=lambda event: (event.at, event.seq))
    renumbered = (event._replace(seq=seq) for seq, event in enumerate(in_time, 1))
    return MergedLogs(tuple(new.values()), tuple(renumbered))
