"""The events of the log of decisions as rows; triage_log.py says what they mean."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from tui.archive import codec
from tui.archive.errors import ArchiveDamaged
from tui.archive.sqlite.damage import reading


class Event(NamedTuple):
    """A line of the log; `at` is Unix seconds."""

    seq: int
    at: float
    by: str
    batch: str
    account: str
    id: str
    kind: str
    body: Mapping[str, Any]


EVENT_FIELDS = Event._fields
_BODIES: Mapping[str, Mapping[str, type | tuple[type, ...]]] = {
    "state": {"state": str},
    "note": {"text": str},
    "comment": {"text": str, "at_s": (int, float), "recording": int},
    "tag": {"tag": str},
    "untag": {"tag": str},
    "undo": {"batch": str},
}
"""What the body of each kind of event surely has; a later Ringback may know other kinds."""


def read_event(row: Sequence[Any]) -> Event:
    """Raises `ArchiveDamaged`."""
    with reading("a decision"):
        event = Event._make(row)
        body = dict(json.loads(row[-1]))
        texts = (event.by, event.batch, event.account, event.id, event.kind)
        wanted = _BODIES.get(event.kind, {})
        if not all(isinstance(text, str) for text in texts) or not all(
            isinstance(body[name], kind) for name, kind in wanted.items()
        ):
            raise ValueError(event.kind)
        return event._replace(seq=int(event.seq), at=event.at / 1000, body=body)


def event_of(row: Sequence[Any]) -> Event | None:
    """A row of the table ``event``; None: it is not as somebody wrote it."""
    try:
        return read_event(row)
    except ArchiveDamaged:
        return None


def row_of(event: Event) -> tuple[Any, ...]:
    """An event as its table has it, without its number."""
    return (round(event.at * 1000), *event[2:-1], codec.dumps(dict(event.body)))
