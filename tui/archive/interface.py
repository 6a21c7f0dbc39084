"""What screens, syncs and commands ask of an archive of calls, whatever keeps it.

`tui.archive.sqlite.Archive` is the one that there is; `tests/contract/archive.py` is what any
other has to pass. All of it raises `tui.archive.errors.ArchiveError` and nothing else; any method
may be slow. What several statements of one method read is of one moment. Times are Unix seconds.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from providers.base import Names
from providers.model import Call, CallRow
from tui.archive.errors import ArchiveReadOnly
from tui.archive.records import (
    NEWEST_CALLS,
    NEWEST_FIRST,
    AccountState,
    CallFacts,
    CallKey,
    Checked,
    Coverage,
    Due,
    Facets,
    Heard,
    Removed,
    Saved,
    SortOrder,
    SyncPeriod,
)
from tui.archive.triage_events import CallName, Change, Event, Triage, Undone
from tui.query.parser import EVERYTHING, Problem, Query

T = TypeVar("T")
Reconcile = Callable[[Call, Call], Call]
"""Older and newer form of one call -> what to keep."""
NOTHING_MORE: Mapping[str, Collection[str]] = {}


# -- what is read


class RowSource(Protocol):
    """Rows of a list of keys. What a window gives has as many rows as it has keys."""

    begins: bool
    """Whether nothing stands before them."""
    ends: bool
    """Whether nothing stands behind them."""

    def __len__(self) -> int: ...

    def window(self, start: int, stop: int) -> Sequence[CallRow]:
        """The rows from `start` up to `stop`."""

    def keys_between(self, start: int, stop: int) -> Sequence[CallKey]:
        """The keys of the rows from `start` up to `stop`."""

    def index_of(self, key: CallKey) -> int | None:
        """Where a call stands, or None when it is not among the rows."""


class CallReader(Protocol):
    """Calls out. A key or name that is not here is left out, unless `CallNotFound` is named."""

    def keys(
        self,
        query: Query = EVERYTHING,
        sort: SortOrder = NEWEST_FIRST,
        *,
        limit: int | None = None,
        after: CallKey | None = None,
        before: CallKey | None = None,
        from_end: bool = False,
        inclusive: bool = False,
    ) -> array[int]:
        """The keys of the calls that match, in order; with a `limit` the first ones, sooner.

        Only those that stand `after` a call and `before` another, or there (`inclusive`); these
        need not match. `from_end` gives the last ones, from the end up. Raises `CallNotFound`.
        """

    def rows(self, keys: array[int], begins: bool = True, ends: bool = True) -> RowSource:
        """The rows of these keys, in their order, read a window at a time; see `removed_row` and
        `unreadable_row`.
        """

    def count(self, query: Query = EVERYTHING, at_most: int | None = None) -> int:
        """How many calls match; counting ends above `at_most`: ``at_most + 1`` means more."""

    def count_before(self, key: CallKey, query: Query, sort: SortOrder) -> int:
        """How many of the calls that match stand before one. Raises `CallNotFound`."""

    def is_after(self, key: CallKey, other: CallKey, sort: SortOrder) -> bool:
        """Whether a call stands after another in an order. Raises `CallNotFound`."""

    def matching(self, keys: Collection[CallKey], query: Query) -> set[CallKey]:
        """Those of at most 30,000 keys whose calls match; soon, whatever the query."""

    def call(self, key: CallKey) -> tuple[str, Call] | None:
        """A call and its account."""

    def call_by_id(self, account: str, id_: str) -> Call | None: ...

    def key_of(self, account: str, id_: str) -> CallKey | None: ...

    def names_of(self, keys: Iterable[CallKey]) -> list[CallName]:
        """Account and id of calls, in the order of the keys."""

    def facts(self, keys: Sequence[CallKey]) -> Iterator[CallFacts]:
        """What of calls is counted, in any order. Raises `ArchiveDamaged`."""

    def related(self, key: CallKey, limit: int) -> list[tuple[CallRow, str]]:
        """Rows of the calls that belong to one, newest first, each with how it does."""

    def export(
        self, keys: Iterable[CallKey], unread: list[str] | None = None
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Account and JSON of calls, triage included, in the order of `keys`; `unread` gets the
        names of those that cannot be read. Raises `ArchiveDamaged` where it is not given.
        """

    def counts_by_account(self) -> dict[str, int]: ...

    def calls_of(self, account: str) -> int:
        """How many calls an account has."""

    def facets(self, query: Query = EVERYTHING, newest: int | None = NEWEST_CALLS) -> Facets:
        """Counts of the calls that match, or of so many of the newest of them."""

    def suggest(self, field: str, prefix: str, limit: int = 20) -> list[str]:
        """Names that stand in calls, for a word before a colon and what is typed behind it; none
        for a word that is no field.
        """

    def unknown_names(
        self, query: Query, also: Mapping[str, Collection[str]] = NOTHING_MORE
    ) -> tuple[Problem, ...]:
        """What of the names in a query no call has; `also` there are these, by field."""

    def spelling_suggestions(self, query: Query) -> tuple[Problem, ...]:
        """What the words of a query that found nothing may have been meant as."""

    def has_field(self, word: str) -> bool:
        """Whether calls have a field of that name of their vendor's own."""

    def change_token(self) -> object:
        """Another one than before: somebody else wrote, so that a screen looks again."""

    def cancel(self) -> None:
        """End a query that runs here in another thread: it raises `QueryCancelled`."""

    def cancel_when(self, cancelled: Callable[[], bool]) -> None:
        """The same as soon as this is so, of a query that begins later too."""


# -- what a sync writes


class CallWriter(Protocol):
    """Calls in, and calls out for good."""

    @property
    def read_only(self) -> ArchiveReadOnly | None:
        """Why nothing can be kept; None: it can."""

    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing. Waits some seconds for another writer; raises `ArchiveBusy` then, and
        `ArchiveReadOnly`.
        """

    def write_if_possible(self, work: Callable[[], T]) -> T | None:
        """A transaction for what serves as well without being kept; None where nothing can be."""

    def save(
        self, account: str, calls: Iterable[Call], reconcile: Reconcile | None = None
    ) -> Saved:
        """Keep calls; one that is already there goes through `reconcile` first. Inside the caller's
        `transaction`.
        """

    def remove_account(self, account: str) -> int:
        """Forget everything of an account, its triage too, but calls on hold; how many calls."""

    def remove(
        self, keys: Sequence[CallKey], number: str | None = None, barred: bool = True
    ) -> Removed:
        """Remove calls for good but those on hold, a number also from the dictionaries. `barred`: a
        sync does not bring them back.
        """

    def purge(self, keys: Sequence[CallKey], number: str | None = None) -> tuple[Removed, bool]:
        """`remove`, and no trace of it is left on the disk if the second value says so."""


class SyncState(Protocol):
    """What a sync needs to know and leaves behind. What writes runs inside the caller's
    `transaction`, unless it says otherwise.
    """

    def names(self, account: str) -> Names:
        """What is known of the names behind a vendor's ids."""

    def save_names(self, account: str, names: Names) -> None:
        """Keep what this run learned."""

    def unfinished_periods(self, account: str) -> list[SyncPeriod]:
        """The latest first."""

    def begin_period(self, period: SyncPeriod, instead: Iterable[SyncPeriod] = ()) -> SyncPeriod:
        """Keep a period, which is covered from now on, in the place of others; it with its number.
        In a transaction of its own.
        """

    def advance_period(self, period: SyncPeriod) -> None:
        """Move its cursor; with the page's calls. One that is finished goes."""

    def drop_period(self, period: SyncPeriod) -> None: ...

    def merge_unfinished(self, period: SyncPeriod) -> SyncPeriod:
        """One period of those that meet and lack calls, so that they do not pile up: a new one
        becomes a part of an earlier. Before `advance_period`.
        """

    def forget_settings(self, period: SyncPeriod) -> None:
        """Drop a period that is for other settings than there are now, and what they covered."""

    def coverage(self, account: str, settings: str) -> Coverage | None:
        """What was asked for with these settings; None: nothing yet."""

    def settled_ids(
        self, account: str, before: float, unknown_since: float, others: Iterable[int] = ()
    ) -> Container[str]:
        """Ids that a vendor need not be asked for: of calls that began before a moment and have
        ended, those that it did not know since another, those purged, and `others`.
        """

    def ids_between(self, account: str, since: float, until: float | None = None) -> list[str]:
        """Ids of the calls that began in a period, newest first."""

    def ids_without_recordings(
        self, account: str, recently: float, since: float | None, until: float | None
    ) -> list[str]:
        """Ids of calls of a period, and of those without a time, that may have recordings, newest
        first: those whose list is not known, and all that began after `recently`, for whose list
        may have grown.
        """

    def recordings_asked_at(self, account: str, id_: str) -> float | None:
        """When the vendor last said which recordings a call has; None: never."""

    def note_recordings_asked(self, account: str, ids: Iterable[str], at: float) -> None: ...

    def running_since(self, account: str, after: float) -> float | None:
        """When the first call began that has not ended and began after a moment."""

    def highest_id(self, account: str) -> int | None:
        """The highest numeric call id of an account."""

    def remember_unknown(self, account: str, ids: Iterable[str], at: float) -> None:
        """The vendor has no calls with these ids."""

    def exclude(self, account: str, ids: Iterable[str]) -> None:
        """Ask for calls no more, and keep them never."""

    def account_states(self) -> dict[str, AccountState]: ...

    def save_account_state(self, account: str, state: AccountState) -> None: ...

    def set_region(self, account: str, region: str) -> None:
        """In which country an account's numbers are (empty: it is not known)."""


# -- how long calls stay


class RetentionStore(Protocol):
    """Which calls stay: on hold, due to go, and no more at their vendors."""

    def keys_of_number(self, number: str) -> list[CallKey]:
        """Calls with this number on the other side, however it is written."""

    def keys_before(self, before: float) -> list[CallKey]:
        """Calls that began before a moment."""

    def undated(self) -> int:
        """How many calls have no time."""

    def mentions(self, number: str) -> int:
        """How many calls hold this number anywhere, in a note among others."""

    def held(self, keys: Iterable[CallKey] | None = None) -> frozenset[CallKey]:
        """All calls on hold, or those among `keys`."""

    def held_of(self, account: str) -> int:
        """How many calls of an account are on hold."""

    def due(self, before: float) -> Due:
        """How many calls began before a moment."""

    def keys_due(self, before: float, limit: int) -> list[CallKey]:
        """The oldest calls that began before a moment and are not on hold."""

    def told_days(self) -> int:
        """For how many days calls are kept, as the user was told; 0: for ever."""

    def tell_days(self, days: int) -> None: ...

    def forget_words(self) -> None:
        """A part of the clearing up after calls that have gone."""

    def note_vanished(self, account: str, id_: str, at: float, apart_s: float) -> bool:
        """The vendor said that it has no such call; whether it said so before, at least `apart_s`
        earlier.
        """

    def came_again(self, account: str, ids: Iterable[str]) -> None:
        """The vendor gave these calls. Inside the caller's `transaction`."""

    def newest_ids(self, account: str, limit: int) -> list[str]: ...

    def suspects(self, account: str, before: float, limit: int) -> list[str]:
        """Ids of calls of which their vendor said once, before a moment, that it has none."""

    def is_suspect(self, account: str, id_: str) -> bool: ...

    def vanished(self) -> list[CallKey]:
        """Calls that are here and surely no more at their vendors."""

    def vanished_at(self, account: str, id_: str) -> float | None:
        """When a vendor last said that it has a call no more; None: that is not sure."""


# -- what people and their machines add


class TriageStore(Protocol):
    """The log of decisions; see `tui.archive.triage_events`. What it wrote survives a power cut."""

    def append(
        self,
        calls: Sequence[CallName],
        changes: Sequence[Change],
        by: str,
        at: float | None = None,
    ) -> str:
        """Decide the changes for each of the calls, as one step of undo; the step's name."""

    def undo(self, by: str, at: float | None = None) -> Undone | None:
        """Take back this person's last step that still stands; None when there is none."""

    def undo_of(self, calls: Sequence[CallName], by: str, at: float | None = None) -> Undone | None:
        """Take back the last step, whoever's, that changed one of these calls."""

    def of(self, account: str, id_: str) -> Triage: ...

    def events(self, account: str, id_: str) -> list[Event]:
        """All events of a call, the oldest first; those that were undone among them."""

    def comments(self, account: str, id_: str, recording: int) -> tuple[float, ...]:
        """Seconds into one recording of a call at which a comment stands."""

    def decided(self, account: str) -> int:
        """About how many calls of an account something was decided."""

    def known_tags(self, limit: int = 200) -> list[str]:
        """Tags that were given before, the latest first."""


class ListeningStore(Protocol):
    """What happened here to recordings; of a call that is not here nothing is kept. Each writing is
    a transaction of its own.
    """

    def wait_at_most(self, seconds: float) -> None:
        """For another writer, from now on; then `ArchiveBusy`."""

    def of_call(self, account: str, call_id: str) -> dict[str, Heard]:
        """What is known of one call's recordings, by `recording_key`."""

    def note(
        self,
        account: str,
        call_id: str,
        recording: str,
        position_s: float,
        length_s: float | None,
        heard_at: float | None,
    ) -> None:
        """It played up to here. A trouble is forgotten; the moment it was heard first stays."""

    def note_trouble(
        self, account: str, call_id: str, recording: str, reason: str, at: float
    ) -> None:
        """It could not be had; how far it was heard before stays."""


# -- its upkeep


class Upkeep(Protocol):
    """What an archive does beside the work of the day, some of it at a time."""

    def check(self, *, deep: bool = False, within_s: float | None = None) -> Checked:
        """Look for damage for some seconds; `deep`: at every row, or within so many seconds."""

    def back_up(self) -> None:
        """Bring the backup of the decisions up to date; `not_backed_up` says what failed."""

    @property
    def not_backed_up(self) -> str:
        """Why the last `back_up` did not work: the file, and what is wrong; empty: it did."""

    def take_up_backup(self) -> int:
        """Bring decisions that only the backup has into the archive; how many events."""

    def mend_backup(self) -> int:
        """Write the backup again where lines of it are damaged; how many were."""

    def index_more(self, limit: int = 500) -> int:
        """Bring up to `limit` calls of an older archive up to date, the newest first: into the
        index, then the forms in which later Ringbacks keep them; 0: all are. Until then every
        query is answered, only slower.
        """

    def work_out_numbers(self) -> int:
        """Work out what the numbers of some calls have in common; 0: all are done."""

    def read_by(self, account: str, version: int) -> None:
        """Before an account's first call is kept: by which version of its vendor's reading."""

    def unread(self, account: str, version: int) -> int | None:
        """Not None: calls of an account wait to be read by this version."""

    def count_unread(self, account: str, version: int) -> int: ...

    def read_anew(
        self, account: str, vendor: str, version: int, read: Callable[[Call], Call]
    ) -> bool:
        """Give some calls of an account through `read`, the newest first; whether more wait."""


class CallArchive(CallReader, CallWriter, SyncState, RetentionStore, Upkeep, Protocol):
    """One connection to an archive, for one thread."""

    @property
    def triage(self) -> TriageStore: ...

    @property
    def listening(self) -> ListeningStore: ...

    def closer_of(self, account: str, id_: str) -> tuple[str, float] | None:
        """The call that closed this one, as ``account:id``, and when it began."""

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...
