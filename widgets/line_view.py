"""Widgets that draw line by line and send the terminal the cells that changed, and no others.

A line is described by plain data, so that two states can be compared before anything is
painted: a cursor step costs two lines, a new count a few cells, an unchanged screen nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from providers.sanitize import ORDINARY, safe_text
from widgets.cells import Line, Run, fit


def filled(line: Line, width: int) -> Line:
    """`line` in exactly `width` cells of safe text, equal neighbours merged."""
    merged: list[Run] = []
    used = 0
    safe = [(text, style) for raw, style in line if (text := safe_text(raw))]
    for style, group in groupby(safe, key=lambda run: run[1]):
        text = "".join(run[0] for run in group)
        length = cell_len(text)
        if used + length > width:
            text = fit(text, width - used)
            length = width - used
        used += length
        if text:
            merged.append((text, style))
    if used < width:
        last = merged[-1] if merged else ("", "")
        pad = " " * (width - used)
        merged[-1:] = [(last[0] + pad, "")] if not last[1] else [last, (pad, "")]
    return tuple(merged)


def changed_width(old: Line | None, new: Line) -> int:
    """How many cells from the left must be sent again to turn `old` into `new`; 0 when equal."""
    if old == new:
        return 0
    total = sum(cell_len(text) for text, _ in new)
    if old is None or _shifted(old) or _shifted(new):
        return total
    before = [(char, style) for text, style in old for char in text]
    after = [(char, style) for text, style in new for char in text]
    same = 0
    while same < min(len(before), len(after)) and before[-1 - same] == after[-1 - same]:
        same += 1
    return total - cell_len("".join(char for char, _ in after[len(after) - same :]))


def changed_span(old: Line | None, new: Line) -> tuple[int, int]:
    """First and last cell (exclusive) that must be sent again; equal ones when none must."""
    end = changed_width(old, new)
    if old is None or not end or _shifted(old) or _shifted(new):
        return 0, end
    before = [(char, style) for text, style in old for char in text]
    after = [(char, style) for text, style in new for char in text]
    same = 0
    while same < min(len(before), len(after)) and before[same] == after[same]:
        same += 1
    return min(end, cell_len("".join(char for char, _ in after[:same]))), end


def _shifted(line: Line) -> bool:
    """Whether a terminal may have put cells of a line elsewhere than they are counted here."""
    return not all(ORDINARY.fullmatch(text) for text, _ in line)


class LineView(Widget):
    """A widget described by `line`: subclass it, and call `repaint` when the state changed."""

    ALLOW_SELECT = False
    SWAPPED: frozenset[str] = frozenset()
    """Component classes drawn in reverse video, with their two colours swapped beforehand, so
    that they look the same in colour and still stand out on a terminal that has none."""

    plain: reactive[bool] = reactive(False)
    """ASCII instead of arrows and blocks."""

    def __init__(
        self,
        *,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes, disabled=disabled)
        self._painted: dict[int, tuple[Line, Line]] = {}
        """By line: what `line` said when it was painted last, and what that became."""
        self._run_styles: dict[str, Style] = {}

    def line(self, y: int) -> Line:
        """What stands in line `y` of the content; cropped and padded by the caller."""
        raise NotImplementedError

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        said = self.line(y)
        line = filled(said, width)
        self._painted[y] = said, line
        return Strip([Segment(text, self.run_style(name)) for text, name in line], width)

    def repaint(self) -> None:
        """Ask for the cells that differ from those painted last, and for nothing else."""
        width, height = self.size
        regions = []
        for y in range(height):
            said = self.line(y)
            before, painted = self._painted.get(y, (None, None))
            if said == before:
                continue
            start, end = changed_span(painted, filled(said, width))
            if end > start:
                regions.append(Region(start, y, end - start, 1))
        if regions:
            self.refresh(*regions)

    def run_style(self, name: str) -> Style:
        """The style of a run, worked out on first use: ancestors' styles come late."""
        style = self._run_styles.get(name)
        if style is None:
            # get_component_rich_style caches by name; the widget's own style has none
            style = self.get_component_rich_style(name) if name else self.rich_style
            if name in self.SWAPPED:
                swap = Style(color=style.bgcolor, bgcolor=style.color, reverse=not style.reverse)
                style += swap
            self._run_styles[name] = style
        return style

    def notify_style_update(self) -> None:
        self._run_styles.clear()
        super().notify_style_update()


class ScrolledLines(LineView, can_focus=True):
    """Lines of text under a window that moves: `lines` holds all of them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "scroll_lines(1)", "Down", id="text.down", show=False),
        Binding("k,up", "scroll_lines(-1)", "Up", id="text.up", show=False),
        Binding("ctrl+d", "scroll_half(1)", "Half a page down", id="text.half-down", show=False),
        Binding("ctrl+u", "scroll_half(-1)", "Half a page up", id="text.half-up", show=False),
        Binding("pagedown", "scroll_half(2)", "Page down", id="text.page-down", show=False),
        Binding("pageup", "scroll_half(-2)", "Page up", id="text.page-up", show=False),
        Binding("g,home", "scroll_first", "First line", id="text.first", show=False),
        Binding("G,end", "scroll_last", "Last line", id="text.last", show=False),
    ]

    def __init__(
        self, *, name: str | None = None, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self.top = 0

    @property
    def lines(self) -> Sequence[Line]:
        """All lines, at the present width."""
        raise NotImplementedError

    def line(self, y: int) -> Line:
        index = self.top + y
        lines = self.lines
        return lines[index] if index < len(lines) else ()

    def scroll_top(self, top: int) -> None:
        """Show the lines from `top` on, or as far down as there are lines to fill the window."""
        self.top = max(0, min(top, len(self.lines) - self.size.height))
        self.repaint()

    def on_resize(self) -> None:
        self.scroll_top(self.top)

    def on_mouse_scroll_down(self) -> None:
        self.scroll_top(self.top + 3)

    def on_mouse_scroll_up(self) -> None:
        self.scroll_top(self.top - 3)

    def action_scroll_lines(self, count: int) -> None:
        self.scroll_top(self.top + count)

    def action_scroll_half(self, halves: int) -> None:
        self.scroll_top(self.top + halves * max(1, self.size.height // 2))

    def action_scroll_first(self) -> None:
        self.scroll_top(0)

    def action_scroll_last(self) -> None:
        self.scroll_top(len(self.lines))
