"""What stands in an empty table's place, and what the status line says of the accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from providers.sanitize import safe_text
from tui.archive.errors import ArchiveDamaged, ArchiveReadOnly
from tui.commands import first_key
from tui.config.accounts import Account
from tui.query.parser import Query
from tui.screens.snapshot import Snapshot, shown_accounts, total_of
from tui.sync.account_states import state_words
from widgets.columns import Clock
from widgets.status_line import rows_text

PAGE = 100
"""Rows of what the status line calls a page."""
STATE_NOTICES = {
    state: state
    for state in ("refused", "token missing", "token unconfirmed", "offline", "rate-limited")
}
"""Which notice stands for an account's state when there is no call to show; else ``failed``."""
NOTICE_KEYS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "no accounts": (
        ("demo", "try the demo"),
        ("accounts", "add an account"),
        ("help", "help"),
        ("leave", "quit"),
    ),
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


def notice_of(
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


def troubles_of(
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


def position_text(
    accounts: Sequence[Account],
    snapshot: Snapshot,
    query: Query,
    counted: int | None,
    visible: tuple[int, int],
    busy: bool,
) -> str:
    """``rows 101-140 of 12,345 · page 3 of 124``: which rows are `visible` (first and last of those
    that are held, from 0) of how many; `counted` is how many match, None: not known.
    """
    part, (first, last) = snapshot.part, visible
    loaded = part.seen if counted is None else counted
    total, complete = total_of(accounts, snapshot, query, loaded)
    complete = complete and (loaded > 0 or not busy)
    shown = None if part.above is None else (part.above + first + 1, part.above + last + 1)
    return rows_text(shown, loaded, total, PAGE, complete, counted=counted is not None)
