"""How an account is, in words: after its last sync, and what it waits for."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from tui.archive.records import AccountState

INCOMPLETE = "incomplete"
"""The state of an account whose vendor has calls that it did not give."""


def state_words(state: AccountState, now: datetime, zone: tzinfo) -> str:
    """``fresh``, ``rate-limited until 15:10``, ``incomplete (100 of 345 calls)``."""
    if until := until_words(state.again_at, now, zone):
        return f"{state.state} {until}"
    if state.state == INCOMPLETE and state.message:
        return f"{state.state} ({state.message})"
    return state.state


def until_words(moment: float | None, now: datetime, zone: tzinfo) -> str:
    """``until 15:10`` in the user's zone, with its date on another day; empty when it is over."""
    if moment is None or moment <= now.timestamp():
        return ""
    local = datetime.fromtimestamp(moment, UTC).astimezone(zone)
    day = "" if local.date() == now.astimezone(zone).date() else f"{local:%Y-%m-%d} "
    return f"until {day}{local:%H:%M}"
