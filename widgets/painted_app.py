"""An application whose terminal gets only what changed, by `widgets.terminal_painter`.

It knows the insides of one release of Textual; with any other, Textual draws itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import textual
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual._time import get_time
from textual.app import App, ReturnType
from textual.geometry import Region
from textual.screen import Screen

from widgets.terminal_painter import TerminalPainter

KNOWN_TEXTUAL = "8.2.8"
BEGIN_FRAME, END_FRAME = "\x1b[?2026h", "\x1b[?2026l"
FRAME_S = 0.02
LONG_FRAME = 1024
"""Characters from which a frame is worth being shown at once, where a terminal can."""


@cache
def knows_textual() -> bool:
    """Whether Textual is the known release. To ask it for its version costs the start 20 ms; a look
    at its package's folder says the same where it was installed as usual.
    """
    installed = Path(textual.__file__).parents[1] / f"textual-{KNOWN_TEXTUAL}.dist-info"
    return installed.is_dir() or textual.__version__ == KNOWN_TEXTUAL


class PaintedApp(App[ReturnType]):
    """An application whose terminal gets only what changed."""

    has_margins = False
    """Whether the terminal said that it has left and right margins."""
    erases_with_color = False
    """Whether what the terminal erases gets the background of the pen."""
    _painter: TerminalPainter | None = None
    _frame: asyncio.Task[None] | None = None
    """Waits until what an event brought about may be sent."""

    def forget_terminal(self) -> None:
        """Somebody else may have written to the terminal, or it has another size: paint all."""
        if self._painter is not None:
            self._painter.forget()

    def leave_terminal(self) -> str:
        """What is to be sent before the terminal is given back."""
        left = self._painter.end() if self._painter is not None else ""
        self.forget_terminal()
        return left

    def on_resize(self) -> None:
        self.forget_terminal()
        if self.screen_stack:
            self.screen.refresh()

    def _display(self, screen: Screen[object], renderable: object) -> None:
        if not (self._is_painted and isinstance(renderable, LayoutUpdate | ChopsUpdate)):
            super()._display(screen, renderable)  # type: ignore[arg-type]
            if isinstance(renderable, CompositorUpdate):
                self.forget_terminal()
            return
        try:
            self.put_update(renderable)
            if not self._batch_count:
                self.send_frame(screen)
        except Exception as error:
            self._handle_exception(error)
        finally:
            self.post_display_hook()

    @property
    def _is_painted(self) -> bool:
        """Whether Textual would send a frame now, as this module knows it."""
        driver = self._driver
        return (
            knows_textual()
            and self._running
            and not (self._closed or self.is_headless)
            and driver is not None
            and not driver.is_inline
        )

    def put_update(self, update: LayoutUpdate | ChopsUpdate) -> None:
        """Show an update with the next frame."""
        width, height = self.size
        painter = self._painter
        if painter is None or (painter.width, painter.height) != (width, height):
            color_system = self.console._color_system
            painter = self._painter = TerminalPainter(width, height, color_system)
        painter.has_margins = self.has_margins
        painter.erases_with_color = self.erases_with_color
        painter.put(update)

    def send_frame(self, screen: Screen[object]) -> None:
        """Make the terminal show all that was put."""
        driver, painter = self._driver, self._painter
        assert driver is not None and painter is not None
        cursor = self.screen.outer_size.clamp_offset(self.cursor_position)
        self._previous_cursor_position = cursor
        frame = painter.paint((cursor.x, cursor.y), _scrolling_regions(screen))
        if frame:
            if self._sync_available and len(frame) > LONG_FRAME:
                frame = f"{BEGIN_FRAME}{frame}{END_FRAME}"
            driver.write(frame)
            driver.flush()

    # -- one frame for what an event brings about

    def hold_frame(self, rests: Callable[[], bool]) -> None:
        """Send nothing until all `rests` that the event of this turn brings about, or it has taken
        `FRAME_S`; then all in one frame.
        """
        if self._frame is None and self._is_painted:
            self._begin_batch()
            self._frame = asyncio.create_task(self._end_frame(rests))

    async def _end_frame(self, rests: Callable[[], bool]) -> None:
        until = get_time() + FRAME_S
        try:
            while True:
                await asyncio.sleep(0)
                if rests() or get_time() > until:
                    break
        finally:
            self._frame = None
            self._end_batch()
            if self._is_painted and self.screen_stack:
                self.screen._on_timer_update()
                if self._painter is not None and self._painter.is_behind:
                    self.send_frame(self.screen)

    async def _shutdown(self) -> None:
        if self._frame is not None:
            self._frame.cancel()
        await super()._shutdown()


def _scrolling_regions(screen: Screen[object]) -> Iterator[Region]:
    """Where lines may move together."""
    for widget, (region, clip) in screen._compositor.visible_widgets.items():
        if widget.is_scrollable or not widget.children:  # or it moves its lines itself
            yield region.intersection(clip)
