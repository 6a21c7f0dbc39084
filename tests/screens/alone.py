"""What a controller of the main screen needs, without a screen: a context over a real archive, a
cursor over some rows, and what was said.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from textual.screen import Screen

from tui.screens.context import ScreenContext
from tui.services import Services
from tui.vendor_thread import VendorThread


class RowsCursor:
    """A cursor over these rows."""

    def __init__(self, keys: Sequence[int]) -> None:
        self.keys = [*keys]
        self.cursor = 0
        self.marked: frozenset[int] = frozenset()
        self.owes = 0
        self.range_waits = False
        self.range_start: int | None = None

    @property
    def current_key(self) -> int | None:
        return self.keys[self.cursor] if self.keys else None

    def end_range(self) -> None:
        self.range_start, self.range_waits = None, False

    def move_to(self, index: int) -> None:
        self.cursor = max(0, min(index, len(self.keys) - 1))

    def move_to_key(self, key: int) -> bool:
        if key in self.keys:
            self.cursor = self.keys.index(key)
        return key in self.keys

    def refresh_rows(self) -> None:
        pass


class Alone:
    """A context whose words are kept in `said`. It has no screen: what asks for one fails."""

    def __init__(self, services: Services, keys: Sequence[int] = ()) -> None:
        self.said: list[str] = []
        self.cursor = RowsCursor(keys)
        network = VendorThread(services.open_archive)
        screen = cast("Screen[None]", None)
        self.ctx = ScreenContext(screen, self.cursor, services, network, {}, self._say, lambda: "")
        self.ctx.archive = services.open_archive()
        self.ctx.accounts = [*services.accounts.list()]

    def _say(self, text: str, level: str = "info", **_: Any) -> None:
        self.said.append(text)
