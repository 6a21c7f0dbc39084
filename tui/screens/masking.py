"""A screen that others see too: numbers and names are masked, and one call shown when asked."""

from __future__ import annotations

from tui import audit_log
from tui.screens.taking_out import TakingOutScreen
from widgets.call_table import CallTable
from widgets.player_line import PlayerLine
from widgets.sidebar import Sidebar


class MaskingScreen(TakingOutScreen):
    """See the module. `veil` decides what is shown; here it is put on and lifted."""

    def action_mask(self) -> None:
        """Mask the calls, or show them again; that is a revealing of all, and written down."""
        self.veil.on, self.veil.revealed = not self.veil.on, None
        if not self.veil.on:
            self._record(audit_log.REVEAL, what="screen")
        self._show_anew()
        key = self._key("reveal")
        on = f"numbers and names are masked; {key} shows one call"
        self._flash(on if self.veil.on else "numbers and names are shown")

    def action_reveal(self) -> None:
        """Show the call under the cursor until the cursor leaves it, or mask it again."""
        key = self.query_one(CallTable).current_key
        current = self._current()
        if current is None:
            return
        if not self.veil.on:
            self._flash(f"nothing is masked; {self._key('mask')} masks numbers and names")
            return
        if self.veil.revealed == key:
            self.veil.revealed = None
        else:
            self.veil.revealed = key
            account, call = current
            self._record(audit_log.REVEAL, call=f"{account.name}:{call.id}")
        self._show_calls_anew()

    def _mask_again(self) -> None:
        """The cursor went on: what was revealed is masked again."""
        if self.veil.revealed not in (None, self.query_one(CallTable).current_key):
            self.veil.revealed = None
            self.query_one(CallTable).refresh_rows()

    def _show_anew(self) -> None:
        """Everything that may tell of people, as the veil says now."""
        self.query_one(Sidebar).facets = ()
        self._recount(anew=True)
        self._show_problem()
        self.query_one(PlayerLine).state = self._veiled(self.playback.view)
        self._show_states()
        self._show_calls_anew()

    def _show_calls_anew(self) -> None:
        self.query_one(CallTable).refresh_rows()
        if self.detail_shown:
            self._show_detail()

    def _recount(self, anew: bool) -> None:
        """Count beside the screen."""
        raise NotImplementedError

    def _show_problem(self) -> None:
        """Mark what is wrong with the query."""
        raise NotImplementedError
