"""The events of the log of decisions as rows of the table ``event``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tui.archive.errors import ArchiveDamaged, reading
from tui.archive.triage_events import Event, check_event

EVENT_FIELDS = Event._fields


def read_event(row: Sequence[Any]) -> Event:
    """Raises `ArchiveDamaged`."""
    with reading("a decision"):
        event = Event._make(row)
        body = dict(json.loads(row[-1]))
        return check_event(event._replace(seq=int(event.seq), at=event.at / 1000, body=body))


def event_of(row: Sequence[Any]) -> Event | None:
    """A row of the table ``event``; None: it is not as somebody wrote it."""
    try:
        return read_event(row)
    except ArchiveDamaged:
        return None
