"""What goes in and out of an archive beside calls, as plain values. Times are Unix seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from providers.call_fields import CALL_FIELDS
from providers.model import Call, CallRow
from tui.query.parser import Term

CallKey = int
"""The archive's own number of a call, the same as long as it is there."""
UNTRIAGED = Term("mark", "untriaged")
"""Calls that nobody decided about, and that still wait."""


class SortOrder(NamedTuple):
    """By which of `SORT_COLUMNS` rows are ordered. Calls that tie, or lack the value, stand newest
    first at the end.
    """

    column: str = "time"
    descending: bool = True


NEWEST_FIRST = SortOrder()
SORT_COLUMNS = frozenset(field.id for field in CALL_FIELDS if field.sort)
"""Ids of the table's columns that any archive sorts by."""
NEWEST_CALLS = 200
"""Calls that are read for counts that shall be there at once."""


class Facets(NamedTuple):
    """Counts of calls by kind (as the query line names it) and value, the most frequent first."""

    counts: Mapping[str, Mapping[str, int]]
    complete: bool = True
    """False: there are more calls than were read, so every count may be higher."""


def removed_row(key: CallKey) -> CallRow:
    """The row in the place of a call that was removed meanwhile: blank."""
    return _BLANK._replace(key=key)


def unreadable_row(key: CallKey) -> CallRow:
    """The row in the place of one that cannot be read."""
    return _BLANK._replace(key=key, contact="(damaged)")


def is_unreadable(row: CallRow) -> bool:
    """Whether a row stands for one that cannot be read."""
    return row == unreadable_row(row.key)


_BLANK = CallRow._make(
    [0, "", "", "", *[None] * 2, "", *[None] * 14, 0, 0, *CallRow._field_defaults.values()]
)


class CallFacts(NamedTuple):
    """What of a call is counted. Times are Unix seconds, lengths seconds; None: it is not told."""

    account: str
    started_at: float | None
    direction: str | None
    outcome: str
    agents: tuple[str, ...]
    group: str | None
    """As the table's column has it: the ring group, the queue, or the department."""
    wait_s: float | None
    talk_s: float | None
    sla_met: bool | None
    is_lost: bool
    """Whether somebody called and did not get through: missed, abandoned, or voicemail."""
    closed_at: float | None
    """When the answered call with the same number began that closed it."""
    state: str
    decided_by: str | None
    """Who decided last about it."""
    decided_at: float | None


@dataclass(frozen=True, slots=True)
class Saved:
    """How many calls of a page were new, changed, and as they were."""

    new: int = 0
    changed: int = 0
    same: int = 0

    def __add__(self, other: Saved) -> Saved:
        return Saved(self.new + other.new, self.changed + other.changed, self.same + other.same)


class Removed(NamedTuple):
    """What a purge took out of the archive."""

    calls: int
    rows: int
    """Rows of all tables, the calls' own among them."""
    names: int
    """Entries of the vendors' dictionaries that held the number."""


AGAIN = "again"
"""How `SyncPeriod.asked` begins where it looks again."""


class SyncPeriod(NamedTuple):
    """A vendor's calls of a fixed period, page by page, to be resumed at `cursor`."""

    account: str
    asked: str
    since: float
    until: float
    number: int = 0
    cursor: str | None = None
    total: int | None = None
    fetched: int = 0
    finished: bool = False
    shortfall: str = ""
    """Which calls were missing at its end, in words; it is gone through again from its start."""
    tries: int = 0
    """How often in a row that was so."""
    again_at: float = 0.0
    """Before this moment no refresh asks again of its own accord."""

    @property
    def settings(self) -> str:
        """The digest of the settings that it is for: `asked` ends with it."""
        return self.asked.rpartition("|")[2]

    @property
    def looks_again(self) -> bool:
        """Whether it only looks for changes in a period that was gone through before."""
        return self.asked.startswith(AGAIN)

    @property
    def length_s(self) -> float:
        return self.until - self.since


class Coverage(NamedTuple):
    """The period that was asked for without a gap, and the ends of the last periods of at least a
    day and a week that were finished.
    """

    since: float
    until: float
    day_at: float = 0.0
    week_at: float = 0.0


class AccountState(NamedTuple):
    """How an account's last sync ended: a word, a sentence, and when."""

    state: str
    message: str
    at: float
    again_at: float | None = None
    """When a vendor that limits requests may be asked again, where it said so."""
    tries: int = 0
    """How often in a row it refused."""


class Due(NamedTuple):
    """How many calls are older than calls are kept, and how many of them are on hold."""

    calls: int
    """Without those on hold."""
    held: int


HEARD_SHARE = 0.9
"""A recording was heard once this part of it was played, or its end was reached."""
LEFT_MIN_S = 3.0
"""Nearer to its start or its end than this, a recording was not left in the middle."""


class Heard(NamedTuple):
    """What is known of one recording. `heard_at` and `trouble_at` are Unix seconds; `trouble` is a
    key of `providers.errors.RECORDING_REASONS`.
    """

    position_s: float = 0.0
    length_s: float | None = None
    heard_at: float | None = None
    trouble: str | None = None
    trouble_at: float | None = None

    @property
    def left_s(self) -> float:
        """Where listening goes on: where it was left, or 0."""
        near_end = self.length_s is not None and self.position_s > self.length_s - LEFT_MIN_S
        return 0.0 if near_end or self.position_s < LEFT_MIN_S else self.position_s


def recording_key(call: Call, index: int) -> str:
    """What names a recording of a call: its id, or its place where it has none."""
    id_ = call.recordings[index].id if index < len(call.recordings) else None
    return id_ or f"#{index}"


class Fault(NamedTuple):
    """What is not as it was written. Not `grave`: no call and no decision is affected, and what
    is kept is kept.
    """

    text: str
    grave: bool = True


class Checked(NamedTuple):
    """What was found, and whether all was looked at."""

    faults: list[Fault]
    complete: bool
    missing: int
    """Decisions that the backup has and the archive has not."""
    not_backed_up: int
    """Decisions that the backup lacks."""
    damaged_lines: int = 0
    """Lines of the backup that are not as they were written."""
