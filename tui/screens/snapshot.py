"""What the main screen shows of the archive, read in one go."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import NamedTuple, TypeVar

from providers import registry
from tui.archive.errors import ArchiveDamaged
from tui.archive.interface import CallArchive
from tui.archive.records import AccountState, SyncPeriod
from tui.config.accounts import Account
from tui.query.parser import Query
from tui.screens import row_window
from tui.screens.row_window import EMPTY_WINDOW, Order, RowWindow

T = TypeVar("T")


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


def first_snapshot(
    archive: CallArchive, accounts: Sequence[Account], order: Order
) -> tuple[Snapshot, ArchiveDamaged | None]:
    """What the first paint shows, and what it could not read."""
    part, trouble = EMPTY_WINDOW, None
    try:
        part = row_window.first(archive, order, row_window.FIRST_ROWS)
    except ArchiveDamaged as error:
        trouble = error
    return read_snapshot(archive, accounts, part, partial=True), trouble


def read_snapshot(
    archive: CallArchive, accounts: Sequence[Account], part: RowWindow, partial: bool
) -> Snapshot:
    """Read the rest beside the rows; `partial`: only what is there in a few milliseconds. What
    stands in a damaged page is left out.
    """

    def walks() -> dict[str, Sequence[SyncPeriod]]:
        return {account.name: archive.unfinished_periods(account.name) for account in accounts}

    return Snapshot(
        part,
        {} if partial else _whole(archive.counts_by_account),
        _whole(archive.account_states),
        _whole(walks),
        {} if partial else registry.titles(),
    )


def _whole(read: Callable[[], dict[str, T]]) -> dict[str, T]:
    try:
        return read()
    except ArchiveDamaged:
        return {}


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
