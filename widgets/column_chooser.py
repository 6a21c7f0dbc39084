"""Which columns the table shows, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from widgets.cells import Line, fit
from widgets.columns import COLUMNS, DEFAULT_COLUMNS, columns_of
from widgets.key_hints import key_of
from widgets.line_view import LineView

HINTS = (
    (("columns.toggle",), "on/off"),
    (("columns.move-down", "columns.move-up"), "move"),
    (("columns.default",), "default"),
    (("columns.accept",), "ok"),
    (("columns.cancel",), "cancel"),
)
"""Bindings, and what their keys do in a word."""


class ColumnList(LineView, can_focus=True):
    """All columns, the chosen ones first."""

    DEFAULT_CSS = """
    ColumnList {
        height: 1fr;
        background: $surface;
        color: $foreground;
        .column-list--cursor {
            background: $block-cursor-background;
            color: $block-cursor-foreground;
            text-style: bold;
        }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"column-list--cursor"}
    SWAPPED = frozenset(("column-list--cursor",))
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "step(1)", "Next", id="columns.down", show=False),
        Binding("k,up", "step(-1)", "Previous", id="columns.up", show=False),
        Binding("g,home", "step(-99)", "First", id="columns.first", show=False),
        Binding("G,end", "step(99)", "Last", id="columns.last", show=False),
        Binding("space,x", "switch", "On or off", id="columns.toggle", show=False),
        Binding("J,shift+down", "shift(1)", "Move down", id="columns.move-down", show=False),
        Binding("K,shift+up", "shift(-1)", "Move up", id="columns.move-up", show=False),
        Binding("0", "default", "Default columns", id="columns.default", show=False),
    ]

    def __init__(self, chosen: Sequence[str]) -> None:
        super().__init__()
        self._cursor = self._top = 0
        self._set(chosen)

    def _set(self, chosen: Sequence[str]) -> None:
        known = [column.id for column in columns_of(chosen)]
        self._ids = [*known, *(id_ for id_ in COLUMNS if id_ not in known)]
        self._on = set(known)

    @property
    def chosen(self) -> tuple[str, ...]:
        """Ids of the columns that are on, in order."""
        return tuple(id_ for id_ in self._ids if id_ in self._on)

    def line(self, y: int) -> Line:
        index = self._top + y
        if index >= len(self._ids):
            return ()
        column = COLUMNS[self._ids[index]]
        mark = "[x]" if column.id in self._on else "[ ]"
        text = f" {mark} {fit(column.title, 12)} {column.description}"
        return (
            (fit(text, self.size.width), "column-list--cursor" if index == self._cursor else ""),
        )

    def _show(self) -> None:
        height = max(1, self.size.height)
        self._top = max(self._cursor - height + 1, min(self._top, self._cursor))
        self.repaint()

    def on_resize(self) -> None:
        self._show()

    def action_step(self, count: int) -> None:
        self._cursor = max(0, min(self._cursor + count, len(self._ids) - 1))
        self._show()

    def action_switch(self) -> None:
        """Switch a column; the last one stays on, since a table without columns shows nothing."""
        changed = self._on ^ {self._ids[self._cursor]}
        self._on = changed or self._on
        self._show()

    def action_shift(self, count: int) -> None:
        to = self._cursor + count
        if 0 <= to < len(self._ids):
            self._ids.insert(to, self._ids.pop(self._cursor))
            self._cursor = to
            self._show()

    def action_default(self) -> None:
        self._set(DEFAULT_COLUMNS)
        self._show()

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is not None and self._top + offset.y < len(self._ids):
            event.stop()
            self._cursor = self._top + offset.y
            self.action_switch()

    def on_mouse_scroll_down(self) -> None:
        self.action_step(3)

    def on_mouse_scroll_up(self) -> None:
        self.action_step(-3)


class ColumnChooser(ModalScreen[tuple[str, ...] | None]):
    """Answers with the chosen column ids in order, or None when it was left."""

    DEFAULT_CSS = """
    ColumnChooser {
        align: center middle;
        background: transparent;
        #column-chooser {
            width: 72; max-width: 95%; height: 24; max-height: 95%;
            background: $surface; border: round $primary; padding: 0 1;
        }
        .column-chooser--title { height: 1; text-style: bold; }
        .column-chooser--keys { height: 1; color: $text-muted; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "accept", "Accept", id="columns.accept"),
        Binding("escape,q", "leave", "Cancel", id="columns.cancel"),
    ]

    def __init__(self, chosen: Sequence[str]) -> None:
        super().__init__()
        self._list = ColumnList(chosen)

    def compose(self) -> ComposeResult:
        with Vertical(id="column-chooser"):
            yield Static("Columns", classes="column-chooser--title", markup=False)
            yield self._list
            yield Static(classes="column-chooser--keys", markup=False)

    def on_mount(self) -> None:
        self.set_focus(self._list)  # at once: only then are its keys known
        hints = (f"{' '.join(key_of(self, id_) for id_ in ids)} {what}" for ids, what in HINTS)
        self.query_one(".column-chooser--keys", Static).update("  ".join(hints))

    def action_accept(self) -> None:
        self.dismiss(self._list.chosen)

    def action_leave(self) -> None:
        self.dismiss(None)
