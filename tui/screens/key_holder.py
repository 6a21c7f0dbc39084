"""Keys that act on calls wait for the rows of what was asked before them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual import events
from textual._time import get_time

from tui.commands import PAGES, STEPS, waits_for_rows
from tui.screens.activity import Activity
from tui.screens.context import dropped_text
from tui.screens.keymap import command_of
from widgets.call_table import CallTable
from widgets.ordered_app import GivenUp

if TYPE_CHECKING:
    from tui.screens.main import MainScreen


class KeyHolder:
    """As `widgets.ordered_app.HoldingScreen`, for the main screen. Which keys wait stands in
    `tui.commands`, for what in `MainScreen.moves_cursor`.
    """

    def __init__(self, screen: MainScreen) -> None:
        self._screen = screen
        self._before_filling: tuple[float, int | None] = (0.0, None)
        """When newer calls took the cursor last, and from which call."""
        self._says_waiting = False
        """Whether the status line says that keys wait."""

    def holds(self, event: events.Event) -> bool:
        screen = self._screen
        if screen.own_activity & Activity.STARTING:
            return True
        if screen.own_activity & Activity.FILLING and isinstance(event, events.Key):
            self._stay(event.time)
        keys_elsewhere = screen.is_typing or bool(screen.key_line.choices)
        if keys_elsewhere or not isinstance(event, events.Key):
            return False
        command = command_of(event.key, screen.keymap)
        if command in PAGES and screen._layout_required:  # how many rows fit is known soon
            return True
        return screen.moves_cursor and waits_for_rows(command)

    def moves(self, event: events.Event) -> bool:
        screen = self._screen
        if not isinstance(event, events.Key) or not isinstance(screen.focused, CallTable):
            return False
        beyond = screen.table.owes or screen.table.range_waits or screen.moves_cursor
        steps = STEPS if screen._layout_required else STEPS | PAGES
        return not beyond and command_of(event.key, screen.keymap) in steps

    def note_cursor_taken(self) -> None:
        """Newer calls are about to take the cursor."""
        self._before_filling = (get_time(), self._screen.table.current_key)

    def _stay(self, typed_at: float) -> None:
        """Whoever types has chosen: newer calls take the cursor no further, nor have they done so
        since the key was typed.
        """
        self._screen.own_activity &= ~Activity.FILLING
        at, key = self._before_filling
        if key is not None and typed_at < at:
            self._screen.table.move_to_key(key)

    def say_waiting(self, keys: int) -> None:
        back = self._screen.ctx.key("back")
        word = f"{keys} key{'s wait' if keys > 1 else ' waits'} ({back} drops)"
        self._says_waiting = bool(keys)
        if not self._screen.calls.notice.text:
            self._screen.waiting = word if keys else ""

    def give_up(self, event: events.Key, drop: Callable[[], int]) -> GivenUp:
        screen = self._screen
        command = command_of(event.key, screen.keymap)
        said = self._says_waiting or screen.calls.notice.text
        if command not in ("back", "cancel", "quit", "suspend") or not said:
            return ""
        dropped = dropped_text(drop())
        if command != "back":
            return "act"
        stopped = screen.calls.end_reading()
        rest = "the rows are those of before"
        screen.ctx.say(f"stopped, {dropped}; {rest}" if stopped else dropped)
        return "done"
