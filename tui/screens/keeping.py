"""A screen on which calls are put on hold, so that nothing removes them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from textual import work

from providers.counts import counted
from tui.archive.errors import ArchiveError
from tui.screens.state import REST_S
from tui.screens.triaging import TriagingScreen
from tui.services import Services


class KeepingScreen(TriagingScreen):
    """See the module."""

    @work(group="retention", exit_on_error=False)
    async def _sweep(self) -> None:
        """Let calls go that are older than config.toml keeps them, and say so."""
        try:
            said = await asyncio.to_thread(_swept, self.services, lambda: self._has_ended)
        except (ArchiveError, OSError) as error:
            self._flash(f"no calls were removed: {error}", "error")
            return
        if said:
            self.notify(said, title="Retention", timeout=30, markup=False)
            self._look()

    def action_hold(self) -> None:
        """Put the call, or all that are marked, on hold; those that are: release them."""
        from tui.archive import triage_events

        keys = self._targets()
        if not keys or self._archive is None:
            return
        try:
            held = self._archive.held(keys)
        except ArchiveError as error:
            self._say_unread(error)
            return
        if len(held) == len(keys):
            self._release(keys)
            return
        label = "on hold, why (enter alone: nobody asks)"
        self._ask(keys, label, lambda text: self._decide(keys, [triage_events.hold(text)]))

    def _release(self, keys: list[int]) -> None:
        from tui.archive.triage_events import RELEASE
        from widgets.confirm import Confirm

        def answered(yes: bool | None) -> None:
            if yes:
                self._decide(keys, [RELEASE])

        what = f"Release {counted(len(keys), 'call')} from hold?"
        more = "A purge, a retention and the vendor's deletion may take them again."
        self.app.push_screen(Confirm(what, more), answered)


def _swept(services: Services, ended: Callable[[], bool]) -> str:
    """What there is to say of a sweep, some steps long, between which others may write."""
    from tui.removal.retention import sweep

    def rested() -> bool:
        time.sleep(REST_S)
        return ended()

    with services.open_archive() as archive:
        return sweep(services, archive, rested).words
