"""For a screen that others see too: numbers and names are masked, and one call shown when asked."""

from __future__ import annotations

from collections.abc import Callable

from tui import audit_log
from tui.screens.context import ScreenContext


class MaskController:
    """Puts the veil on and lifts it. `on_change` is called when everything that may tell of people
    is to be shown anew, `on_calls` when only the calls are.
    """

    def __init__(
        self, ctx: ScreenContext, on_change: Callable[[], None], on_calls: Callable[[], None]
    ) -> None:
        self._ctx, self._on_change, self._on_calls = ctx, on_change, on_calls

    def mask(self) -> None:
        """Mask the calls, or show them again; that is a revealing of all, and written down."""
        veil = self._ctx.veil
        veil.on, veil.revealed = not veil.on, None
        if not veil.on:
            self._ctx.record(audit_log.REVEAL, what="screen")
        self._on_change()
        on = f"numbers and names are masked; {self._ctx.key('reveal')} shows one call"
        self._ctx.say(on if veil.on else "numbers and names are shown")

    def reveal(self) -> None:
        """Show the call under the cursor until the cursor leaves it, or mask it again."""
        veil, key = self._ctx.veil, self._ctx.cursor.current_key
        current = self._ctx.current_call()
        if current is None:
            return
        if not veil.on:
            mask = self._ctx.key("mask")
            self._ctx.say(f"nothing is masked; {mask} masks numbers and names")
            return
        if veil.revealed == key:
            veil.revealed = None
        else:
            veil.revealed = key
            account, call = current
            self._ctx.record(audit_log.REVEAL, call=f"{account.name}:{call.id}")
        self._on_calls()

    def cursor_moved(self) -> None:
        """What was revealed is masked again when the cursor leaves it."""
        if self._ctx.veil.revealed not in (None, self._ctx.cursor.current_key):
            self._ctx.veil.revealed = None
            self._ctx.cursor.refresh_rows()
