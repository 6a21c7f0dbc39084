"""The status line: where the cursor is among the calls, and what happened last."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len
from textual.reactive import reactive
from textual.timer import Timer

from providers.sanitize import safe_text
from widgets.cells import Line, fit
from widgets.line_view import LineView

FLASH_S = {"info": 4.0, "warning": 8.0, "error": 12.0}
"""How long a message stays, by its level: the graver, the longer."""
FLASH_WORDS = {"info": "", "warning": "Warning: ", "error": "Error: "}


def rows_text(
    shown: tuple[int, int] | None,
    loaded: int,
    total: int | None,
    page_size: int,
    complete: bool,
    counted: bool = True,
) -> str:
    """``rows 101-140 of 12,345 · page 3 of 124``; without a total ``of 1,500 so far``, and
    ``of 1,500+`` where `loaded` is only what was `counted` by now.

    `shown` are first and last row on the screen, from 1; None: somewhere. `loaded` is how many
    the archive has, `total` how many there are if somebody said so, and `complete` that nothing
    more will come. `page_size` is in rows; 0 leaves the pages out.
    """
    known = None if not counted else loaded if complete else total
    first, last = shown or (1, 1)
    if loaded <= 0 or last < first:
        return "no calls" if complete else "no calls yet"
    of = f"{loaded:,} so far" if known is None else f"{known:,}"
    of = of if counted else f"{loaded:,}+"
    if shown is None:
        return f"rows ... of {of}"
    rows = f"row {first:,}" if first == last else f"rows {first:,}-{last:,}"
    text = f"{rows} of {of}"
    if page_size > 0:
        page = (first - 1) // page_size + 1
        text += f" · page {page:,}"
        text += f" of {-(-known // page_size):,}" if known is not None else ""
    return text


def message_cells(width: int) -> int:
    """How many cells a message of the level info has at least, in a line of `width`."""
    return width * 2 // 3


class StatusLine(LineView):
    """Left the rows, right the progress of a sync or, for a few seconds, a message."""

    DEFAULT_CSS = """
    StatusLine {
        height: 1;
        background: $panel;
        color: $foreground;
        .status-line--info { text-style: bold; }
        .status-line--warning { color: $text-warning; text-style: bold; }
        .status-line--error { color: $text-error; text-style: bold; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "status-line--info",
        "status-line--warning",
        "status-line--error",
    }

    left: reactive[str] = reactive("", repaint=False)
    """E.g. what `rows_text` gives."""
    progress: reactive[str] = reactive("", repaint=False)
    """What is going on, e.g. ``Liner: 1,500 of 12,345``; empty when nothing is."""

    waiting: reactive[str] = reactive("", repaint=False)
    """What somebody waits for, and how to stop it; it stands there before older messages."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._flash: tuple[str, str] | None = None
        self._flash_waits = False
        """Whether the message is older than `waiting`, which stands in its place."""
        self._timer: Timer | None = None

    def flash(
        self, text: str, level: str = "info", seconds: float | None = None, *, news: bool = False
    ) -> None:
        """Show a message (level info, warning or error) for a while; the newest wins, but `news`,
        for which nobody asked, leaves a graver one standing.
        """
        if news and self._flash and FLASH_S[level] < FLASH_S[self._flash[1]]:
            return
        self._flash_waits = False
        self._flash = (FLASH_WORDS[level] + safe_text(text, 500), level)
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(FLASH_S[level] if seconds is None else seconds, self.unflash)
        self.repaint()

    @property
    def message(self) -> str:
        """The message that stands there; empty: none."""
        return self._flash[0] if self._flash else ""

    def unflash(self) -> None:
        """Take the message away."""
        self._flash = None
        self.repaint()

    def watch_left(self) -> None:
        self.repaint()

    def watch_progress(self) -> None:
        self.repaint()

    def watch_waiting(self, waiting: str) -> None:
        self._flash_waits = bool(waiting)
        self.repaint()

    def line(self, y: int) -> Line:
        width = self.size.width
        text, level, least = safe_text(self.waiting or self.progress, 500), "", width // 2
        if self._flash and not self._flash_waits:
            text, level = self._flash
            least = message_cells(width) if level == "info" else least
        left = safe_text(self.left, 500)
        space = max(width - cell_len(left) - 4, least)
        text = fit(text, min(cell_len(text), space)) if text else ""
        rest = width - cell_len(text) - 2
        style = f"status-line--{level}" if level else ""
        return ((fit(f" {left}", rest) + " ", ""), (text, style), (" ", ""))
