"""Calls that are older than config.toml keeps them (``[retention] calls_days``) go by themselves.

A part of them goes with each sync and each start of the screen, so that nobody waits. The first
time after the setting came, or was shortened, only what would go is told.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from providers.counts import counted
from tui import audit_log
from tui.archive.interface import CallArchive
from tui.archive.records import Due
from tui.call_links import held_text
from tui.query.dates import DAY_S
from tui.removal.purge import remove_files
from tui.services import Services

STEP = 200
"""Calls that go in one transaction, so that no other writer waits long."""
AT_ONCE = 5000
"""Calls that one sync or one start of the screen removes, at most."""
SETTING = "config.toml: retention.calls_days"


class Swept(NamedTuple):
    """What a sweep removed, and what is still to go."""

    days: int = 0
    removed: int = 0
    due: Due = Due(0, 0)
    """Afterwards."""
    only_told: bool = False
    """It is the first time: nothing was removed."""

    @property
    def words(self) -> str:
        """What there is to say, in sentences; empty: nothing."""
        said = []
        days = days_text(self.days)
        if self.only_told and self.due.calls:
            said.append(
                f"{counted(self.due.calls, 'call')} older than {days} ({SETTING}): the next"
                " sync or start of the screen removes them; at once: ringback purge --retention."
            )
        elif self.removed:
            said.append(f"Removed {counted(self.removed, 'call')} older than {days}.")
            if self.due.calls:
                said.append(f"{counted(self.due.calls, 'call')} more will follow.")
        if said and self.due.held:
            said.append(f"{held_text(self.due.held)}.")
        return " ".join(said)


def days_text(days: int) -> str:
    """``1 day``, ``400 days``."""
    return counted(days, "day")


def kept_since(services: Services, days: int) -> float | None:
    """The moment before which calls go (Unix seconds); None: none goes."""
    return services.now().timestamp() - days * DAY_S if days else None


def sweep(
    services: Services, archive: CallArchive, ended: Callable[[], bool] = lambda: False
) -> Swept:
    """Remove a part of the calls that are due, some at a time until `ended`; nothing where nothing
    can be written. Raises OSError and `ArchiveError`.
    """
    days = services.settings().retention.calls_days
    before, told = kept_since(services, days), archive.told_days()
    if archive.read_only or (before is None and not told):
        return Swept()
    if days != told:
        archive.tell_days(days)
    if before is None:
        return Swept()
    if not told or days < told:
        return Swept(days, due=archive.due(before), only_told=True)
    removed = _remove(services, archive, before, ended)
    return Swept(days, removed, archive.due(before) if removed else Due(0, 0))


def _remove(
    services: Services, archive: CallArchive, before: float, ended: Callable[[], bool]
) -> int:
    """Remove the oldest; how many went."""
    removed = files = 0
    accounts: dict[str, None] = {}
    try:
        while removed < AT_ONCE and not ended() and (keys := archive.keys_due(before, STEP)):
            accounts |= dict.fromkeys(name for name, _ in archive.names_of(keys))
            # the files first: without the rows nobody knows their names
            files += remove_files(services.paths, archive, keys)
            removed += archive.remove(keys).calls
        if removed:
            archive.forget_words()
    finally:
        if removed:
            what = {"calls": removed, "files": files, "accounts": [*accounts]}
            audit_log.record(services.paths, audit_log.PURGE, by="retention", **what)
    return removed
