"""A screen on which calls are put on hold, so that nothing removes them."""

from __future__ import annotations

from tui.archive import TROUBLES
from tui.links import calls_text
from tui.screens.triaging import TriagingScreen


class KeepingScreen(TriagingScreen):
    """See the module."""

    def action_hold(self) -> None:
        """Put the call, or all that are marked, on hold; those that are: release them."""
        from tui.archive import triage

        keys = self._targets()
        if not keys or self._archive is None:
            return
        try:
            held = self._archive.held(keys)
        except TROUBLES as error:
            self._say_unread(error)
            return
        if len(held) == len(keys):
            self._release(keys)
            return
        label = "on hold, why (enter alone: nobody asks)"
        self._ask(keys, label, lambda text: self._decide(keys, [triage.hold(text)]))

    def _release(self, keys: list[int]) -> None:
        from tui.archive.triage import RELEASE
        from widgets.confirm import Confirm

        def answered(yes: bool | None) -> None:
            if yes:
                self._decide(keys, [RELEASE])

        what = f"Release {calls_text(len(keys))} from hold?"
        more = "A purge, a retention and the vendor's deletion may take them again."
        self.app.push_screen(Confirm(what, more), answered)
