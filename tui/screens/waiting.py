"""A screen on which keys that act on calls wait for the rows of what was asked before them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

from textual import events

from tui.commands import PAGES, STEPS, waits_for_rows
from tui.screens.calls import CallsScreen, dropped_text
from tui.screens.keymap import command_of
from widgets.call_table import CallTable
from widgets.key_line import KeyLine
from widgets.ordered_app import GivenUp, HoldingScreen, OrderedApp
from widgets.status_line import StatusLine


class WaitingScreen(HoldingScreen, CallsScreen):
    """See the module; which keys wait stands in `tui.commands`, for what in `_rows_asked`."""

    _started: bool
    _filling: bool
    jumping: str

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._before_filling: tuple[float, int | None] = (0.0, None)
        """When newer calls took the cursor last, and from which call."""
        self._says_waiting = False
        """Whether the status line says that keys wait."""

    @property
    @abstractmethod
    def _typing(self) -> bool:
        """Whether a query, or the answer to a question, is being typed."""

    def holds(self, event: events.Event) -> bool:
        if not self._started:
            return True
        if self._filling and isinstance(event, events.Key):
            self._stay(event.time)
        keys_elsewhere = self._typing or bool(self.query_one(KeyLine).choices)
        if keys_elsewhere or not isinstance(event, events.Key):
            return False
        command = command_of(event.key, self.keymap)
        if command in PAGES and self._layout_required:  # how many rows fit is known a moment later
            return True
        return self._rows_asked and waits_for_rows(command)

    def moves(self, event: events.Event) -> bool:
        if not isinstance(event, events.Key) or not isinstance(self.focused, CallTable):
            return False
        beyond = self.focused.owes or self.focused.range_waits or self._rows_asked
        steps = STEPS if self._layout_required else STEPS | PAGES
        return not beyond and command_of(event.key, self.keymap) in steps

    def _stay(self, typed_at: float) -> None:
        """Whoever types has chosen: newer calls take the cursor no further, nor have they done so
        since the key was typed.
        """
        self._filling = False
        at, key = self._before_filling
        if key is not None and typed_at < at:
            self.query_one(CallTable).move_to_key(key)

    def say_waiting(self, keys: int) -> None:
        word = f"{keys} key{'s wait' if keys > 1 else ' waits'} ({self._key('back')} drops)"
        self._says_waiting = bool(keys)
        if not self.jumping:
            self.query_one(StatusLine).waiting = word if keys else ""

    def give_up(self, event: events.Key, drop: Callable[[], int]) -> GivenUp:
        command = command_of(event.key, self.keymap)
        said = self._says_waiting or self.jumping
        if command not in ("back", "cancel", "quit", "suspend") or not said:
            return ""
        dropped = dropped_text(drop())
        if command != "back":
            return "act"
        stopped = self._end_jump()
        self._flash(f"stopped, {dropped}; the rows are those of before" if stopped else dropped)
        return "done"

    def on_key_line_closed(self) -> None:
        """As a dialog, it takes the key with it that closed it."""
        if isinstance(self.app, OrderedApp):
            self.app.note_closed()

    on_prompt_line_closed = on_key_line_closed
