"""What the main screen shows, as plain values read from the archive in one go."""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from itertools import islice
from typing import Generic, NamedTuple, TypeVar

from providers import registry
from providers.call_fields import CALL_FIELDS
from providers.errors import RECORDING_REASONS, ProviderError
from providers.model import Call
from providers.sanitize import safe_text
from tui.archive.errors import ArchiveDamaged, ArchiveError, ArchiveReadOnly
from tui.archive.interface import CallArchive
from tui.archive.records import (
    NEWEST_FIRST,
    SORT_COLUMNS,
    AccountState,
    Facets,
    Heard,
    SortOrder,
    SyncPeriod,
    recording_key,
)
from tui.commands import first_key, main_commands
from tui.config.accounts import Account
from tui.config.settings import Settings
from tui.query.editing import completed, exactly
from tui.query.fields import IMPERSONAL, field_of
from tui.query.parser import Query, words
from tui.screens import row_window
from tui.screens.row_window import EMPTY_WINDOW, Order, RowWindow
from tui.services import Services
from tui.sync.account_states import INCOMPLETE, state_words, until_words
from widgets.columns import COLUMNS, Clock, duration_text, time_text
from widgets.key_line import KeyHint
from widgets.masking import Veil
from widgets.sidebar import AccountItem, FacetItem

T = TypeVar("T")
REST_S = 0.1
"""Between two steps of reading calls anew, in which others may write."""
WINDOW = 200
"""Rows that are read at once when one is looked for."""
STATE_NOTICES = {
    state: state
    for state in ("refused", "token missing", "token unconfirmed", "offline", "rate-limited")
}
"""Which notice stands for an account's state when there is no call to show; else ``failed``."""
NOTICE_KEYS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "no accounts": (("accounts", "add an account"), ("help", "help"), ("leave", "quit")),
    "empty": (("refresh", "ask again"), ("load-all", "bring all calls"), ("help", "help")),
    "no match": (("filter", "change the query"), ("back", "all calls")),
    "loading": (("cancel", "stop"),),
    "offline": (("refresh", "try again"), ("accounts", "change the account")),
    "rate-limited": (("refresh", "try again"),),
    "refused": (("accounts", "give the token again"), ("refresh", "try again")),
    "token missing": (("accounts", "give the token"), ("refresh", "try again")),
    "token unconfirmed": (("accounts", "confirm where it goes"), ("refresh", "try again")),
    "failed": (("refresh", "try again"), ("help", "help")),
}
"""Commands that help in each of the notices, and what they do there."""


class Snapshot(NamedTuple):
    """The archive at one moment, for one query and order."""

    part: RowWindow
    counts: Mapping[str, int]
    states: Mapping[str, AccountState]
    walks: Mapping[str, Sequence[SyncPeriod]]
    """Unfinished walks by account: there is more at the vendor."""
    titles: Mapping[str, str] = field(default_factory=dict)
    """The vendors' names as people know them; read with all rows, for it loads the vendors."""


NOTHING = Snapshot(EMPTY_WINDOW, {}, {}, {})


def first(
    archive: CallArchive, accounts: Sequence[Account], order: Order
) -> tuple[Snapshot, ArchiveDamaged | None]:
    """What the first paint shows, and what it could not read."""
    part, trouble = EMPTY_WINDOW, None
    try:
        part = row_window.first(archive, order, row_window.FIRST_ROWS)
    except ArchiveDamaged as error:
        trouble = error
    return read_snapshot(archive, accounts, part, brief=True), trouble


def read_snapshot(
    archive: CallArchive, accounts: Sequence[Account], part: RowWindow, brief: bool
) -> Snapshot:
    """Read the rest beside the rows; `brief`: only what is there in a few milliseconds. What stands
    in a damaged page is left out.
    """

    def walks() -> dict[str, Sequence[SyncPeriod]]:
        return {account.name: archive.unfinished_periods(account.name) for account in accounts}

    return Snapshot(
        part,
        {} if brief else _whole(archive.counts_by_account),
        _whole(archive.account_states),
        _whole(walks),
        {} if brief else registry.titles(),
    )


def _whole(read: Callable[[], dict[str, T]]) -> dict[str, T]:
    try:
        return read()
    except ArchiveDamaged:
        return {}


class Asking(Generic[T]):
    """A question on a connection of its own, for another thread; it can be ended from this one."""

    def __init__(self, services: Services, ask: Callable[[CallArchive], T]) -> None:
        self._services, self._ask = services, ask
        self._archive: CallArchive | None = None
        self._ended = False

    def run(self) -> T | None:
        """The answer; None when nobody waits for it any more."""
        with self._services.open_archive() as archive:
            self._archive = archive
            archive.cancel_when(lambda: self._ended)
            try:
                return None if self._ended else self._ask(archive)
            except ArchiveError:
                if self._ended:
                    return None
                raise
            finally:
                self._archive = None

    def end(self) -> None:
        """Nobody waits for it any more."""
        self._ended = True
        if archive := self._archive:
            archive.cancel()


def bring_up_to_date(services: Services, ended: Callable[[], bool]) -> None:
    """Bring calls from before the search index into it, and read those anew that an older
    version kept: some at a time, until `ended`. The backup of the decisions comes first.
    """
    from tui.sync.jobs import read_anew

    def rested() -> bool:
        time.sleep(REST_S)
        return ended()

    with services.open_archive() as archive:
        archive.back_up()
        while not ended() and archive.index_more():
            pass
        if not ended():
            read_anew(services, archive, services.accounts.list(), rested)


def account_items(
    accounts: Sequence[Account],
    snapshot: Snapshot,
    busy: frozenset[str],
    clock: Clock,
    veil: Veil,
) -> tuple[AccountItem, ...]:
    """The sidebar's accounts, grouped by vendor in the vendors' order."""
    titles = snapshot.titles
    order = list(titles)
    items = []
    for account in sorted(
        accounts, key=lambda a: order.index(a.provider) if a.provider in order else len(order)
    ):
        state = snapshot.states.get(account.name)
        word = "syncing" if account.name in busy else state.state if state else "new"
        items.append(
            AccountItem(
                account.name,
                titles.get(account.provider, account.provider),
                word if word in _STATES else "failed",
                snapshot.counts.get(account.name),
                _when(state, clock) if state and account.name not in busy else "",
                veil.text(state.message) if state else "",
            )
        )
    return tuple(items)


def _when(state: AccountState, clock: Clock) -> str:
    """When an account's last sync ended; what is missing, or until when its vendor waits."""
    if state.state == INCOMPLETE:
        return state.message.removesuffix(" calls")
    return until_words(state.again_at, *clock) or time_text(state.at, clock)


_STATES = frozenset(
    {
        *("fresh", "syncing", "token missing", "refused", "rate-limited", "offline", "failed"),
        *("new", "token unconfirmed", INCOMPLETE),
    }
)


def total_of(
    accounts: Sequence[Account], snapshot: Snapshot, query: Query, loaded: int
) -> tuple[int | None, bool]:
    """How many calls there are in all, where that is known, and whether all are here.

    A vendor's total counts all of an account's calls, so a query that narrows them has none.
    """
    shown = shown_accounts(accounts, query)
    waiting = [
        walk
        for account in shown
        for walk in snapshot.walks.get(account.name, ())
        if not walk.looks_again
    ]
    if not waiting:
        return loaded, True
    narrowed = any(term.field != "account" for term in query.terms)
    if narrowed or any(walk.total is None for walk in waiting):
        return None, False
    missing = sum(max(0, (walk.total or 0) - walk.fetched) for walk in waiting)
    return loaded + missing, False


def has_more(snapshot: Snapshot, account: str, now: float) -> bool:
    """Whether the vendor has further calls that may be asked for."""
    walks = snapshot.walks.get(account, ())
    return any(not walk.looks_again and walk.again_at <= now for walk in walks)


def shown_accounts(accounts: Sequence[Account], query: Query) -> list[Account]:
    """The accounts whose calls a query may show."""
    named = {
        term.value.lower() for term in query.terms if term.field == "account" and not term.negated
    }
    return [account for account in accounts if not named or account.name.lower() in named]


def notice(
    accounts: Sequence[Account],
    snapshot: Snapshot,
    query: Query,
    busy: frozenset[str],
    why: ArchiveReadOnly | None = None,
) -> tuple[str, str]:
    """Which empty state stands in the table's place, and a sentence that says it more exactly."""
    if isinstance(why, ArchiveDamaged):
        return "failed", f"{why}. Run: {why.cure}"
    if not accounts:
        return "no accounts", _vendors_named(snapshot.titles)
    shown = shown_accounts(accounts, query)
    if busy & {account.name for account in shown}:
        return "loading", ""
    if any(snapshot.counts.get(account.name) for account in shown):
        return "no match", ""
    for account in shown:
        state = snapshot.states.get(account.name)
        if state and state.state != "fresh":
            kind = STATE_NOTICES.get(state.state, "failed")
            return kind, f"{account.name}: {state.message}"
    return "empty", ""


def _vendors_named(titles: Mapping[str, str]) -> str:
    """A sentence with the vendors' names; empty while they are not loaded."""
    *first, last = titles.values() or ("",)
    named = f"{', '.join(first)} or {last}" if first else last
    return safe_text(f"Add a {named} account to see calls.", 200) if named else ""


def notice_keys(kind: str, keymap: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The keys that help in a notice, as the user has mapped them."""
    return tuple((first_key(id_, keymap), does) for id_, does in NOTICE_KEYS[kind])


def troubles(
    accounts: Sequence[Account],
    snapshot: Snapshot,
    clock: Clock,
    why: ArchiveReadOnly | None = None,
) -> str:
    """``desk: refused · eu: rate-limited until 15:10``; empty when every account's last sync went
    well. `why` nothing can be kept goes before.
    """
    if why:
        return f"{why}; {why.cure}" if why.cure else str(why)
    states = ((account.name, snapshot.states.get(account.name)) for account in accounts)
    return " · ".join(
        f"{name}: {state_words(state, *clock)}"
        for name, state in states
        if state and state.state != "fresh"
    )


def lists_calls(account: Account) -> bool:
    """Whether its vendor lists calls, or gives them by id only."""
    try:
        return registry.load(account.provider).capabilities.lists_calls
    except ProviderError:
        return True


def recordings_apart(account: Account) -> bool:
    """Whether its vendor gives a call's recordings apart from the call."""
    try:
        return registry.load(account.provider).capabilities.separate_recordings
    except ProviderError:
        return False


def sort_of(text: str) -> SortOrder:
    """``-time`` as an order; the newest first for an unknown column."""
    column = text.removeprefix("-")
    known = column in SORT_COLUMNS
    return SortOrder(column, text.startswith("-")) if known else NEWEST_FIRST


def unknown_columns(settings: Settings) -> list[str]:
    """What config.toml calls a column and is none."""
    sorts = {"table.sort": settings.table.sort}
    sorts |= {f"views.{view.name}.sort": view.sort for view in settings.views}
    said = [("table.columns", name) for name in settings.table.columns if name not in COLUMNS]
    said += [
        (at, sort)
        for at, sort in sorts.items()
        if sort and sort.removeprefix("-") not in SORT_COLUMNS
    ]
    return [f"config.toml: {at}: there is no column {name}" for at, name in said]


FACET_TITLES = {
    field.asked.word: counted.title
    for field, counted in sorted(
        ((field, field.counted) for field in CALL_FIELDS if field.counted),
        key=lambda one: one[1].order,
    )
    if field.asked
}
FACETS_SHOWN = 5
"""Of each kind, those that most calls have."""


def facet_items(facets: Facets, veil: Veil) -> tuple[FacetItem, ...]:
    """The sidebar's counts, by kind; what each adds to the query is safe to show."""
    more = "" if facets.complete else "+"
    return tuple(
        FacetItem(title, name, piece_of(kind, name), f"{calls:,}{more}")
        for kind, title in FACET_TITLES.items()
        for name, calls in islice(facets.counts[kind].items(), FACETS_SHOWN)
        if may_show(kind, name, veil)
    )


def may_show(kind: str, name: str, veil: Veil) -> bool:
    """Whether a name of this kind (a word before a colon) may stand on the screen, and in the
    query that it is put into: the names of people may not while they are masked.
    """
    field = field_of(kind)
    shown = field is not None and field.column in IMPERSONAL and veil.text(name) == name
    return not veil.on or shown


def piece_of(kind: str, name: str) -> str:
    """What finds the calls that a facet counts for a name."""
    if kind == "outcome":
        return name
    piece = exactly(kind, name)
    same = safe_text(piece, len(piece)) == piece
    return piece if same else completed(f"{kind}:", typed(name)).strip()


def typed(name: str) -> str:
    """A name as a query's line may hold it: safe to show, and with the same words."""
    safe = safe_text(name, 200)
    return safe if words(safe) == words(name) else " ".join(words(name))


def key_hints(keymap: Mapping[str, str], *, editing: bool, back: bool) -> tuple[KeyHint, ...]:
    """The last line's keys: those of the query while it is typed, else the footer's commands."""
    if editing:
        ends = (("query.keep", "Keep"), ("query.undo", "Undo"))
        return tuple(KeyHint(first_key(id_, keymap), what, "") for id_, what in ends)
    return tuple(
        # control as ^, for the line is short of room
        KeyHint(first_key(c.id, keymap).replace("ctrl+", "^"), c.title, c.action)
        for c in main_commands()
        if c.footer and (back or c.id != "back")
    )


def next_recorded(archive: CallArchive, keys: array[int], key: int) -> int | None:
    """The first of the rows below a call's that has a recording; None if none of `keys` does."""
    start, rows = keys.index(key) + 1, archive.rows(keys)
    for first in range(start, len(keys), WINDOW):
        for row in rows.window(first, first + WINDOW):
            if row.recordings or row.has_recording:
                return row.key
    return None


def heard_words(
    archive: CallArchive, account: str, call: Call, clock: Clock, playing: int | None
) -> tuple[str, ...]:
    """What happened here to each recording of a call, in words; at least one for the call.

    Where the one that plays was left is no news: the player's line says where it is.
    """
    known = archive.listening.of_call(account, call.id)
    lines = (known.get(recording_key(call, n)) for n in range(max(1, len(call.recordings))))
    return tuple(
        _heard_words(line._replace(position_s=0.0) if line and index == playing else line, clock)
        for index, line in enumerate(lines)
    )


def _heard_words(heard: Heard | None, clock: Clock) -> str:
    if heard is None:
        return ""
    words = []
    if heard.heard_at is not None:
        words.append(f"heard {time_text(heard.heard_at, clock)}")
    if heard.left_s:
        words.append(f"left at {duration_text(heard.left_s)}")
    if heard.trouble:
        why = RECORDING_REASONS.get(heard.trouble, heard.trouble)
        words.append(f"{why} (seen {time_text(heard.trouble_at, clock)})")
    return ", ".join(words)
