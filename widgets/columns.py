"""The columns of the call table, which header, rows, chooser and sorting read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo
from typing import NamedTuple

from providers.call_fields import COLUMN_FIELDS, CallField, Shown
from providers.model import CallRow
from providers.sanitize import safe_text
from widgets.cells import Align, fit

GAP = 1
"""Blank cells between two columns."""
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Clock(NamedTuple):
    """What "now" and "here" are, so that a test can freeze both. `now` is aware."""

    now: datetime
    zone: tzinfo

    @property
    def day(self) -> tuple[object, ...]:
        """What of it the rows' text depends on."""
        return self.zone, self.now.astimezone(self.zone).date()

    def local(self, moment: datetime | float | None) -> datetime | None:
        """A moment (aware, or Unix seconds) in the reader's zone; None when there is none."""
        if moment is None:
            return None
        try:
            if isinstance(moment, datetime):
                return moment.astimezone(self.zone)
            return datetime.fromtimestamp(moment, self.zone)
        except (ValueError, OverflowError, OSError):
            return None


class Column(NamedTuple):
    """One column. Widths are in cells; the lowest `priority` is the last to be dropped."""

    id: str
    title: str
    width: int
    min_width: int
    priority: int
    value: Callable[[CallRow, Clock], str]
    description: str
    align: Align = "left"
    sort: bool = True
    flexible: bool = False
    """Takes its share of what the others leave."""
    short: Callable[[CallRow, Clock], str] | None = None
    """What stands there instead of `value` where the column has less than its wished width."""


OUTCOME_WORDS = {"in_progress": "ongoing", "unknown": "?"}
"""Outcomes that are written otherwise than they are named."""
DIRECTION_WORDS = {"inbound": "in", "outbound": "out", "internal": "int"}
STATE_WORDS = {"new": "", "follow-up": "follow", "snoozed": "snooze"}
"""States that are written otherwise than they are named."""
OUTCOME_TONES = {
    "missed": "bad",
    "abandoned": "bad",
    "failed": "bad",
    "voicemail": "warn",
    "busy": "warn",
    "declined": "warn",
    "in_progress": "good",
}
"""Outcomes that stand out in the table; the word says it too."""


def time_text(moment: datetime | float | None, clock: Clock) -> str:
    """Today ``14:05:33``, this year ``Nov 02 14:05``, else ``2025-11-02``; `?` when unreadable."""
    local = clock.local(moment)
    if local is None:
        return "" if moment is None else "?"
    now = clock.now.astimezone(clock.zone)
    if local.date() == now.date():
        return f"{local:%H:%M:%S}"
    if local.year == now.year:
        return f"{MONTHS[local.month - 1]} {local:%d %H:%M}"
    return f"{local.year:04}-{local:%m-%d}"


def duration_text(seconds: float | None) -> str:
    """``m:ss``, or ``h:mm:ss`` from an hour on; empty when unknown."""
    if seconds is None or not 0 <= seconds < 3_600_000:
        return "" if seconds is None else "?"
    whole = int(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


TROUBLE_WORDS = {
    "pending": "soon",
    "not_sound": "no sound",
    "too_large": "too big",
    "unreachable": "offline",
}
"""Why a recording cannot be played, where the word in the table is not that of the reason."""


def recording_mark(row: CallRow) -> str:
    """``R`` (with a count above one), ``-`` for none, ``?`` when the vendor does not say; then
    ``+`` heard, ``~`` heard in part, ``!`` cannot be played, ``.`` not there yet.
    """
    mark = {None: "", "none": "", "pending": "."}.get(row.trouble, "!")
    return _recordings(row) + (mark or {"heard": "+", "part": "~"}.get(row.heard or "", ""))


def recording_text(row: CallRow) -> str:
    """As `recording_mark`, in words: ``R2 heard``, ``refused``."""
    if row.trouble and row.trouble != "none":
        return safe_text(TROUBLE_WORDS.get(row.trouble, row.trouble), 20)
    return " ".join(filter(None, (_recordings(row), row.heard)))


def _recordings(row: CallRow) -> str:
    if row.recordings > 1:
        return f"R{row.recordings}"
    known = row.recordings or (row.has_recording and row.trouble != "none")
    if not known and row.trouble == "none":
        return "-"
    return "R" if known else "?" if row.has_recording is None else "-"


def outcome_text(outcome: str) -> str:
    return OUTCOME_WORDS.get(outcome, outcome)


def direction_text(direction: str | None) -> str:
    return DIRECTION_WORDS.get(direction or "", direction or "")


def state_text(row: CallRow) -> str:
    """What we decided, in at most six cells; ``back`` where a later call answered this one. A
    call on hold is ``held``, or has an h behind the word.
    """
    word = STATE_WORDS.get(row.state, row.state)
    if row.state == "new" and row.closed_by:
        word = "back"
    if row.held:
        return f"{word[:4]} h" if word else "held"
    return word


def closed_text(row: CallRow, clock: Clock) -> str:
    """When the call was answered later, and by which call."""
    if not row.closed_by:
        return ""
    return safe_text(f"{time_text(row.closed_at, clock)} {row.closed_by}", 200)


Value = Callable[[CallRow, Clock], str]
OWN_FORMS: dict[str, Value] = {
    "time": lambda row, clock: time_text(row.started_at, clock),
    "direction": lambda row, clock: safe_text(direction_text(row.direction)),
    "outcome": lambda row, clock: safe_text(outcome_text(row.outcome)),
    "recording": lambda row, clock: recording_text(row),
    "state": lambda row, clock: state_text(row),
    "closed": closed_text,
    "tags": lambda row, clock: safe_text(", ".join(filter(None, (row.our_tags, row.tags))), 200),
}
"""What stands in the columns that are neither a text nor seconds of the row."""
SHORT_FORMS: dict[str, Value] = {"recording": lambda row, clock: recording_mark(row)}


def _value(field: CallField, shown: Shown) -> Value:
    if shown.form == "own":
        return OWN_FORMS[field.id]
    if shown.form == "length":
        return lambda row, clock: duration_text(getattr(row, field.column))
    return lambda row, clock: safe_text(getattr(row, field.column), 200)


COLUMNS: dict[str, Column] = {
    field.id: Column(
        field.id,
        shown.title,
        shown.width,
        shown.min_width,
        shown.priority,
        _value(field, shown),
        shown.description,
        "right" if shown.form == "length" else "left",
        shown.sort,
        shown.flexible,
        SHORT_FORMS.get(field.id),
    )
    for field in COLUMN_FIELDS
    if (shown := field.shown)
}

DEFAULT_COLUMNS = (
    "time", "direction", "outcome", "contact", "number", "agents",
    "duration", "recording", "state", "disposition", "account", "note", "closed",
)  # fmt: skip

DESCENDING_FIRST = frozenset(
    field.id for field in COLUMN_FIELDS if field.shown and field.shown.descending
)
"""Columns whose largest values are wanted first when they are sorted by."""


def _contact_or_number(row: CallRow, clock: Clock) -> str:
    return safe_text(row.contact or row.number, 200)


def columns_of(ids: Sequence[str]) -> tuple[Column, ...]:
    """The columns of these ids, in order; an id that nobody knows is left out."""
    return tuple(COLUMNS[id_] for id_ in ids if id_ in COLUMNS)


def layout(columns: Sequence[Column], width: int) -> list[tuple[Column, int]]:
    """Which columns are shown in `width` cells, and how wide each is; gaps included, it fits
    exactly.

    The least important are dropped until the smallest widths fit, the most important get their
    wished width first, and what is left is shared by the flexible ones (or else the last).
    Where the number is not shown, the contact's column falls back on it.
    """
    shown = list(columns)
    while len(shown) > 1 and _needed(shown) > width:
        shown.remove(max(shown, key=lambda column: column.priority))
    if not shown or width <= 0:
        return []
    if not any(column.id == "number" for column in shown):
        shown = [
            column._replace(value=_contact_or_number) if column.id == "contact" else column
            for column in shown
        ]
    widths = {column.id: column.min_width for column in shown}
    spare = width - _needed(shown)
    for column in sorted(shown, key=lambda column: column.priority):
        more = max(0, min(column.width - column.min_width, spare))
        widths[column.id] += more
        spare -= more
    takers = [column for column in shown if column.flexible] or shown[-1:]
    share, odd = divmod(spare, len(takers))
    for position, column in enumerate(takers):
        widths[column.id] += share + (position < odd)
    return [
        (
            column._replace(value=column.short)
            if column.short and widths[column.id] < column.width
            else column,
            widths[column.id],
        )
        for column in shown
    ]


def headings(shown: Sequence[tuple[Column, int]], sorted_id: str, mark: str) -> str:
    """The columns' titles in their widths; `mark` behind the one that is sorted by."""
    return (" " * GAP).join(
        fit(
            f"{column.title[: width - 1]}{mark}" if column.id == sorted_id else column.title,
            width,
            column.align,
        )
        for column, width in shown
    )


def _needed(columns: Sequence[Column]) -> int:
    return sum(column.min_width for column in columns) + GAP * (len(columns) - 1)
