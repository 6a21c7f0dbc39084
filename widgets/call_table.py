"""The table of calls: a window on any number of rows, drawn a line at a time.

It never asks for all rows (`widgets.row_source`); the cost of a key does not depend on how many
calls there are.
"""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Offset
from textual.message import Message
from textual.reactive import reactive, var

from providers.model import CallRow
from widgets.cells import Line, fit
from widgets.columns import (
    DEFAULT_COLUMNS,
    DESCENDING_FIRST,
    GAP,
    OUTCOME_TONES,
    Clock,
    Column,
    columns_of,
    headings,
    layout,
)
from widgets.line_view import LineView, filled
from widgets.row_source import Blocks, NoRows, Rows

BODIES_KEPT = 512
"""Formatted rows kept."""
NEAR_END = 40
WHEEL = 3
GUTTER = 1
"""The cells left of the first column: marked ``*``, has unreadable fields ``!``, cursor ``>``."""


class CallTable(LineView, can_focus=True):
    """A header, and as many calls as fit. State comes in by attributes, keys go out as messages.

    It scrolls by itself rather than through `ScrollView`, whose `virtual_size` lays the whole
    screen out again whenever the number of rows changes.
    """

    DEFAULT_CSS = """
    CallTable {
        height: 1fr;
        background: $background;
        color: $foreground;
        .call-table--header { background: $panel; color: $foreground; text-style: bold; }
        .call-table--cursor {
            background: $block-cursor-background;
            color: $block-cursor-foreground;
            text-style: bold;
        }
        .call-table--cursor-blurred {
            background: $block-cursor-blurred-background;
            color: $block-cursor-blurred-foreground;
            text-style: bold;
        }
        .call-table--marked { text-style: bold; }
        .call-table--bad { color: $text-error; text-style: bold; }
        .call-table--warn { color: $text-warning; }
        .call-table--good { color: $text-success; text-style: bold; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "call-table--header",
        "call-table--cursor",
        "call-table--cursor-blurred",
        "call-table--marked",
        "call-table--bad",
        "call-table--warn",
        "call-table--good",
    }
    SWAPPED = frozenset(("call-table--cursor",))
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "Next call", id="table.down", show=False),
        Binding("k,up", "move(-1)", "Previous call", id="table.up", show=False),
        Binding("ctrl+d", "half(1)", "Half a page down", id="table.half-down", show=False),
        Binding("ctrl+u", "half(-1)", "Half a page up", id="table.half-up", show=False),
        Binding("pagedown", "page(1)", "Page down", id="table.page-down", show=False),
        Binding("pageup", "page(-1)", "Page up", id="table.page-up", show=False),
        Binding("g,home", "first", "First call", id="table.first", show=False),
        Binding("G,end", "last", "Last call", id="table.last", show=False),
        Binding("enter", "open", "Open", id="table.open", show=False),
        Binding("<", "sort(-1)", "Sort by column before", id="table.sort-left", show=False),
        Binding(">", "sort(1)", "Sort by next column", id="table.sort-right", show=False),
        Binding("z", "reverse", "Reverse the order", id="table.reverse", show=False),
        Binding("x", "mark", "Mark", id="table.mark", show=False),
        Binding("X", "mark_range", "Mark a range", id="table.mark-range", show=False),
    ]  # fmt: skip

    columns: reactive[tuple[str, ...]] = reactive(DEFAULT_COLUMNS, repaint=False)
    """Ids of the wanted columns, in order; those that do not fit are not shown."""
    sort: reactive[tuple[str, bool]] = reactive(("time", True), repaint=False)
    """Column id and whether it descends. Only shown here: whoever gives the rows sorts them."""
    clock: var[Clock | None] = var(None)
    """Without one, the rows stay blank."""
    marked: reactive[frozenset[int]] = reactive(frozenset(), repaint=False)
    """Keys of the calls that are marked for a common action. Setting it ends a range."""

    class Highlighted(Message):
        """The cursor stands on this call; `key` is None when there is none."""

        def __init__(self, key: int | None) -> None:
            super().__init__()
            self.key = key

    class Scrolled(Message):
        """Other rows are on the screen than before, or others are there at all."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, CallTable.Scrolled)

    class Opened(Message):
        """The call was asked for: enter, or a click on the cursor's row."""

        def __init__(self, key: int) -> None:
            super().__init__()
            self.key = key

    class NearEnd(Message):
        """The cursor is within 40 rows of the end; once for each number of rows."""

        def __init__(self, count: int) -> None:
            super().__init__()
            self.count = count

    class EdgeWanted(Message):
        """The first row or the `last` one shall be gone to, and it is not among those given."""

        def __init__(self, last: bool) -> None:
            super().__init__()
            self.last = last

    class RangeWanted(Message):
        """A range begins at a call that is not among the rows given: `range_start`. When it is
        among others that are given, the range is marked; else `end_range` is the answer.
        """

    class Marked(Message):
        """Other calls are marked than before."""

    class SortRequested(Message):
        """Sort by this column, in this direction, please."""

        def __init__(self, column_id: str, descending: bool) -> None:
            super().__init__()
            self.column_id, self.descending = column_id, descending

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._rows: Rows = NoRows()
        self._count = 0
        self._blocks = Blocks(self._rows)
        self._bodies: dict[int, Line] = {}
        self._shown: list[tuple[Column, int]] = []
        self._cursor = 0
        self._key: int | None = None
        self._top = 0
        self._end_posted = -1
        self._told = (0, -1)
        self._laid_out = -1
        self._last_mark: int | None = None
        self._extending = False
        self._range: tuple[int, frozenset[int]] | None = None
        """While a range is marked: the key that it begins at, and what else was marked."""
        self.owes = 0
        """Rows that the cursor was moved on beyond those given: it goes on when there are more."""
        self.range_waits = False
        """Whether rows between the beginning of the range and the cursor are not given yet."""

    # What others read and call

    @property
    def cursor(self) -> int:
        """The cursor's row, from 0."""
        return self._cursor

    @property
    def current_key(self) -> int | None:
        """The key of the call under the cursor."""
        return self._key

    @property
    def visible_rows(self) -> tuple[int, int]:
        """First and last row on the screen, from 0; (0, -1) without rows."""
        return self._top, min(self._top + self._page, self._count) - 1

    @property
    def page_size(self) -> int:
        """How many rows fit on the screen."""
        return self._page

    @property
    def near_end(self) -> bool:
        """Whether the cursor is within 40 rows of the end."""
        return self._cursor >= self._count - NEAR_END

    @property
    def range_start(self) -> int | None:
        """The key of the call that the range begins at that is being marked."""
        return None if self._range is None else self._range[0]

    def end_range(self) -> None:
        """Whatever is marked by now stays so."""
        self._range, self.range_waits = None, False

    def set_rows(self, rows: Rows, *, keep: bool = True, row: int | None = None) -> None:
        """Show other rows, or the same ones after something came in.

        With `keep` the cursor stays on its call and on its line of the screen; where that call
        is gone, it goes to `row`, or stays on its row. Without, it goes to `row`, or the first.
        """
        line = self._cursor - self._top
        self._rows, self._count, self._blocks = rows, len(rows), Blocks(rows)
        self._bodies.clear()
        if not keep:
            self._end_posted = -1
            self._place(row or 0, 0)
            return
        owes = self.owes
        found = rows.index_of(self._key) if self._key is not None else None
        if found is None:
            found = self._cursor if row is None else row
        self._place(found, found - line)
        if owes:
            self._place(self._cursor + owes, self._top + owes)
        if self.range_waits:
            self._extend_range()

    def move_to(self, index: int) -> None:
        """Put the cursor on this row, the nearest where there is no such."""
        self._place(index, self._top)

    def move_to_key(self, key: int) -> bool:
        """Put the cursor on this call; False when it is not among the rows."""
        index = self._rows.index_of(key)
        if index is not None:
            self._place(index, self._top)
        return index is not None

    def refresh_rows(self) -> None:
        """Read the rows again, whose number and order did not change."""
        self._blocks = Blocks(self._rows)
        self._bodies.clear()
        self.repaint()

    # Rows

    @property
    def _page(self) -> int:
        return max(1, self.outer_size.height - 1)  # as it was, while another pane covers it

    def _place(self, index: int, top: int) -> None:
        """Put the cursor on a row and the window near `top`, so that the cursor is inside."""
        page, rows = self._page, self._rows
        self._cursor = max(0, min(index, self._count - 1))
        beyond = (index >= self._count and not rows.ends) or (index < 0 and not rows.begins)
        self.owes = index - self._cursor if beyond else 0
        top = max(self._cursor - page + 1, min(top, self._cursor))
        self._top = max(0, min(top, self._count - page))
        self.repaint()
        self._place_terminal_cursor()
        row = self._blocks.row(self._cursor) if self._count else None
        key = row.key if row else None
        if key != self._key:
            self._key = key
            self._extend_range()
            self.post_message(self.Highlighted(key))
        elif beyond:  # more may be read for whoever wants to go there
            self.post_message(self.Highlighted(key))
        if self.visible_rows != self._told:
            self._told = self.visible_rows
            self.post_message(self.Scrolled())
        if self._count and self.near_end and self._count - NEAR_END != self._end_posted:
            self._end_posted = self._count - NEAR_END
            self.post_message(self.NearEnd(self._count))

    def _place_terminal_cursor(self) -> None:
        """The terminal's own cursor on the row: screen readers and magnifiers follow it."""
        if self.has_focus:
            offset = self.content_region.offset
            self.app.cursor_position = offset + Offset(0, 1 + self._cursor - self._top)

    # Drawing

    def line(self, y: int) -> Line:
        if self._laid_out != self.size.width:
            self._lay_out()  # the first paint comes before the resize event
        if y == 0:
            return ((self._header(), "call-table--header"),)
        index = self._top + y - 1
        row = self._blocks.row(index) if index < self._count else None
        if row is None or self.clock is None:
            return ()
        body = self._body(index, row, self.clock)
        marked = row.key in self.marked
        if index == self._cursor:
            gutter = "*" if marked else "!" if row.problems else ">"
            style = "call-table--cursor" + ("" if self.has_focus else "-blurred")
            return ((gutter + "".join(text for text, _ in body), style),)
        if marked:
            return (("*" + "".join(text for text, _ in body), "call-table--marked"),)
        return (("!" if row.problems else " ", ""), *body)

    def _body(self, index: int, row: CallRow, clock: Clock) -> Line:
        """A row's cells as runs, formatted once."""
        body = self._bodies.get(index)
        if body is None:
            tone = OUTCOME_TONES.get(row.outcome)
            runs = []
            for position, (column, width) in enumerate(self._shown):
                toned = tone is not None and column.id == "outcome"
                text = fit(column.value(row, clock), width, column.align)
                style = f"call-table--{tone}" if toned else ""
                runs.append((" " * GAP if position else "", ""))
                runs.append((text, style))
            body = filled(tuple(runs), self.size.width - GUTTER)
            if len(self._bodies) >= BODIES_KEPT:
                self._bodies.clear()
            self._bodies[index] = body
        return body

    def _header(self) -> str:
        sorted_id, descending = self.sort
        mark = ("v" if self.plain else "↓") if descending else ("^" if self.plain else "↑")
        return " " * GUTTER + headings(self._shown, sorted_id, mark)

    def _lay_out(self) -> None:
        self._laid_out = self.size.width
        self._shown = layout(columns_of(self.columns), self.size.width - GUTTER)
        self._bodies.clear()

    def on_resize(self) -> None:
        self._lay_out()
        self._place(self._cursor, self._top)

    def watch_columns(self) -> None:
        self._lay_out()
        self.repaint()

    def watch_sort(self) -> None:
        self.repaint()

    def watch_marked(self) -> None:
        if not self._extending:
            self.end_range()
        if not self.marked:
            self._last_mark = None
        self.repaint()
        self.post_message(self.Marked())

    def watch_plain(self) -> None:
        self.repaint()

    def watch_clock(self, old: Clock | None, new: Clock | None) -> None:
        if old is None or new is None or old.day != new.day:
            self._bodies.clear()
            self.repaint()

    def on_focus(self) -> None:
        self.repaint()
        self._place_terminal_cursor()

    def on_blur(self) -> None:
        self.repaint()

    # Keys

    def action_move(self, count: int) -> None:
        self._place(self._cursor + count, self._top)

    def action_page(self, count: int) -> None:
        self._place(self._cursor + count * self._page, self._top + count * self._page)

    def action_half(self, count: int) -> None:
        half = max(1, self._page // 2)
        self._place(self._cursor + count * half, self._top + count * half)

    def action_first(self) -> None:
        if self._rows.begins:
            self._place(0, 0)
        else:
            self.post_message(self.EdgeWanted(last=False))

    def action_last(self) -> None:
        if self._rows.ends:
            self._place(self._count - 1, self._count)
        else:
            self.post_message(self.EdgeWanted(last=True))

    def action_open(self) -> None:
        if self._key is not None:
            self.post_message(self.Opened(self._key))

    def action_sort(self, step: int) -> None:
        """Sort by the next (or the previous) column that is shown and can be sorted by."""
        ids = [column.id for column, _ in self._shown if column.sort]
        if ids:
            known = self.sort[0] in ids
            position = ids.index(self.sort[0]) + step if known else 0
            self._request_sort(ids[position % len(ids)])

    def action_reverse(self) -> None:
        column_id, descending = self.sort
        self.post_message(self.SortRequested(column_id, not descending))

    def action_mark(self) -> None:
        """Mark the call under the cursor, or take its mark away; ends a range."""
        if self._key is None:
            return
        self.end_range()
        self.marked = self.marked ^ {self._key}
        self._last_mark = self._key if self._key in self.marked else None

    def action_mark_range(self) -> None:
        """Mark from the last mark (else from here) to here, and on wherever the cursor goes;
        the next time: end that.
        """
        if self._key is None or self.range_waits:
            return
        if self._range is not None:
            self._last_mark = self._key
            self.end_range()
            return
        start = self._last_mark if self._last_mark in self.marked else self._key
        self._range = (start if start is not None else self._key, self.marked)
        self._extend_range()

    def _extend_range(self) -> None:
        """Mark what lies between the beginning of the range and the cursor."""
        if self._range is None:
            return
        start, others = self._range
        first = self._rows.index_of(start)
        self.range_waits = first is None
        if first is None:
            self.post_message(self.RangeWanted())
            return
        low, high = sorted((first, self._cursor))
        self._extending = True
        try:
            self.marked = others | frozenset(self._rows.keys_between(low, high + 1))
        finally:
            self._extending = False

    def _request_sort(self, column_id: str) -> None:
        self.post_message(self.SortRequested(column_id, column_id in DESCENDING_FIRST))

    # Mouse

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        event.stop()
        index = self._top + offset.y - 1
        if offset.y == 0:
            self._click_header(offset.x)
        elif index < self._count:
            opens = index == self._cursor
            self._place(index, self._top)
            if opens:
                self.action_open()

    def _click_header(self, x: int) -> None:
        column = self._column_at(x)
        if column is None or not column.sort:
            return
        if column.id == self.sort[0]:
            self.action_reverse()
        else:
            self._request_sort(column.id)

    def _column_at(self, x: int) -> Column | None:
        end = GUTTER
        for column, width in self._shown:
            end += width + GAP
            if x < end:
                return column
        return None

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self._wheel(WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self._wheel(-WHEEL)

    def _wheel(self, lines: int) -> None:
        """Move the window; the cursor stays on its call until that would leave the screen."""
        top = max(0, min(self._top + lines, self._count - self._page))
        self._place(max(top, min(self._cursor, top + self._page - 1)), top)
