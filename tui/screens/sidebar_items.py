"""The lines of the sidebar: accounts, and the names that most calls of a query have."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from providers.call_fields import CALL_FIELDS
from providers.sanitize import safe_text
from tui.archive.records import AccountState, Facets
from tui.config.accounts import Account
from tui.query.editing import completed, exactly
from tui.query.fields import IMPERSONAL, field_of
from tui.query.parser import words
from tui.screens.snapshot import Snapshot
from tui.sync.account_states import INCOMPLETE, until_words
from widgets.columns import Clock, time_text
from widgets.masking import Veil
from widgets.sidebar import AccountItem, FacetItem

_STATES = frozenset(
    {
        *("fresh", "syncing", "token missing", "refused", "rate-limited", "offline", "failed"),
        *("new", "token unconfirmed", INCOMPLETE),
    }
)
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
