"""A terminal in memory that has left and right margins, which pyte has not."""

from __future__ import annotations

import pyte
from pyte.screens import Char

LEFT_RIGHT_MARGINS = 69
NO_WRAP = "\x1b[?7l"
"""As Textual's driver says it to a terminal first."""


class MarginScreen(pyte.Screen):
    """DECLRMM, DECSLRM, SU and SD, as far as a rectangle is scrolled with them."""

    def __init__(self, columns: int, lines: int) -> None:
        self._has_margins = False
        self._sides = (0, columns - 1)
        super().__init__(columns, lines)

    def set_mode(self, *modes: int, **kwargs: bool) -> None:
        if kwargs.get("private") and LEFT_RIGHT_MARGINS in modes:
            self._has_margins = True
        else:
            super().set_mode(*modes, **kwargs)

    def reset_mode(self, *modes: int, **kwargs: bool) -> None:
        if kwargs.get("private") and LEFT_RIGHT_MARGINS in modes:
            self._has_margins, self._sides = False, (0, self.columns - 1)
        else:
            super().reset_mode(*modes, **kwargs)

    def set_sides(self, left: int = 1, right: int = 0) -> None:
        """DECSLRM; without margins it is SCOSC, which nothing here sends."""
        assert self._has_margins
        self._sides = (left - 1, (right or self.columns) - 1)

    def scroll_up(self, count: int = 1) -> None:
        self._scroll(max(count, 1))

    def scroll_down(self, count: int = 1) -> None:
        self._scroll(-max(count, 1))

    def _scroll(self, shift: int) -> None:
        margins = self.margins or pyte.screens.Margins(0, self.lines - 1)
        left, right = self._sides
        before = {y: dict(self.buffer[y]) for y in range(margins.top, margins.bottom + 1)}
        blank = self.default_char._replace(bg=self.cursor.attrs.bg)
        for y in range(margins.top, margins.bottom + 1):
            source = before.get(y + shift)
            for x in range(left, right + 1):
                empty = blank if source is None else self.default_char
                self.buffer[y][x] = (source or {}).get(x, empty)

    @property
    def cells_size(self) -> tuple[int, int]:
        return self.columns, self.lines

    @property
    def where(self) -> tuple[int, int]:
        """Column and line of the cursor."""
        return self.cursor.x, self.cursor.y

    def cells(self) -> list[list[Char]]:
        """Every cell, line by line."""
        return [[self.buffer[y][x] for x in range(self.columns)] for y in range(self.lines)]


class MarginStream(pyte.Stream):
    """Feeds a `MarginScreen`."""

    csi: dict[str, str] = {
        **pyte.Stream.csi,
        "S": "scroll_up",
        "T": "scroll_down",
        "s": "set_sides",
    }
    events: frozenset[str] = pyte.Stream.events | {
        "scroll_up",
        "scroll_down",
        "set_sides",
    }
