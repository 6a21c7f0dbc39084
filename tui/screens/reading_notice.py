"""What the status line says of a reading that takes a moment."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from textual.timer import Timer

from tui.screens.context import SAY_S, ScreenContext


class ReadingNotice:
    """Belongs to the screen's loop. `on_change` gets what the status line says; empty: nothing."""

    def __init__(self, ctx: ScreenContext, on_change: Callable[[str], None]) -> None:
        self._ctx, self._on_change = ctx, on_change
        self.text = ""
        """What is read before the rows are there; empty when that takes no time."""
        self._wanted = ""
        """The same, from the beginning on."""
        self._ended_at = 0.0
        """When the last reading ended of which the status line told (on the monotonic clock)."""
        self._timer: Timer | None = None

    @property
    def is_recent(self) -> bool:
        """Whether something is being read of which the status line tells; and for a moment after
        that, for whoever was about to press the key that stops it.
        """
        return bool(self.text) or time.monotonic() - self._ended_at < SAY_S

    def say(self, text: str) -> None:
        """Say what is being read, if it takes a moment; empty: that has ended."""
        if text == self._wanted:  # its time runs already
            return
        self._wanted = text
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if text:
            self._timer = self._ctx.after(SAY_S, partial(self._show, text))
        elif self.text:
            self._ended_at = time.monotonic()
            self._show("")

    def stop(self) -> None:
        """It was stopped by its key: nobody is about to press that."""
        self.say("")
        self._ended_at = 0.0

    def _show(self, text: str) -> None:
        self.text = text
        self._on_change(text and f"{text} ({self._ctx.key('back')} stops)")
