"""The sidebar: saved views, the accounts below their vendors with their state in words, and whom
and what the calls shown have most of.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import ClassVar, NamedTuple

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Offset
from textual.message import Message
from textual.reactive import reactive

from providers.sanitize import safe_text
from widgets.cells import Line, fit, wrap
from widgets.line_view import LineView

ALL = ("all", "")
"""The item that shows every call: its kind, and its id."""
STATE_TONES = {
    "syncing": "busy",
    "token missing": "bad",
    "token unconfirmed": "bad",
    "refused": "bad",
    "failed": "bad",
    "rate-limited": "warn",
    "offline": "warn",
    "incomplete": "warn",
}
"""States that stand out; `fresh` and `new` do not."""
STATE_CELLS = 24
"""What a line of the sidebar holds; a longer state stands less far in."""
DETAIL_LINES = 4


class AccountItem(NamedTuple):
    """One account. `state` is fresh, syncing, token missing, token unconfirmed, refused,
    rate-limited, offline, incomplete, failed or new; `last_sync` says when, until when or how
    much in a few words; `detail` may be a sentence."""

    name: str
    vendor: str
    state: str = "new"
    calls: int | None = None
    last_sync: str = ""
    detail: str = ""


class ViewItem(NamedTuple):
    """One saved view and the key that shows it."""

    id: str
    title: str
    key: str = ""
    calls: int | None = None


class FacetItem(NamedTuple):
    """A name that calls of the present query have, below its kind: ``Agents``."""

    kind: str
    name: str
    query: str
    """What it adds to the query."""
    calls: str
    """``12``; ``12+`` when not all calls were counted."""


class Entry(NamedTuple):
    """One line of the list. Lines with an `item` can be chosen."""

    text: str
    right: str = ""
    item: tuple[str, str] | None = None
    style: str = ""
    detail: str = ""


def entries(
    views: tuple[ViewItem, ...],
    accounts: tuple[AccountItem, ...],
    facets: tuple[FacetItem, ...] = (),
) -> Iterator[Entry]:
    """All lines of the sidebar, from top to bottom."""
    yield Entry("  All calls", item=ALL)
    if views:
        yield Entry("Views", style="sidebar--heading")
    for view in views:
        text = f"{safe_text(view.key, 1) or ' '} {safe_text(view.title, 80)}"
        yield Entry(text, count_text(view.calls), ("view", view.id))
    for vendor, group in groupby(accounts, key=lambda account: account.vendor):
        yield Entry(safe_text(vendor, 80), style="sidebar--heading")
        for account in group:
            item = ("account", account.name)
            detail = safe_text(account.detail, 300)
            text = "  " + safe_text(account.name, 80)
            yield Entry(text, count_text(account.calls), item, detail=detail)
            state = " ".join(filter(None, (account.state, account.last_sync)))
            tone = STATE_TONES.get(account.state, "muted")
            indent = " " * max(0, min(4, STATE_CELLS - len(state)))
            yield Entry(indent + safe_text(state, 80), "", None, f"sidebar--{tone}")
    for kind, found in groupby(facets, key=lambda facet: facet.kind):
        yield Entry(safe_text(kind, 80), style="sidebar--heading")
        for facet in found:
            yield Entry("  " + safe_text(facet.name, 80), facet.calls, ("facet", facet.query))


def count_text(count: int | None) -> str:
    """``1,204``, ``1.2M`` from a million on; empty when not known."""
    if count is None:
        return ""
    return f"{count:,}" if count < 1_000_000 else f"{count / 1_000_000:.1f}M"


class Sidebar(LineView, can_focus=True):
    """Choose with enter or a click. The chosen item is marked, whether or not it has the cursor."""

    DEFAULT_CSS = """
    Sidebar {
        width: 26;
        background: $surface;
        color: $foreground;
        .sidebar--heading { color: $text-muted; text-style: bold; }
        .sidebar--chosen { color: $text-accent; text-style: bold; }
        .sidebar--cursor {
            background: $block-cursor-background;
            color: $block-cursor-foreground;
            text-style: bold;
        }
        .sidebar--muted { color: $text-muted; }
        .sidebar--busy { color: $text-accent; }
        .sidebar--warn { color: $text-warning; }
        .sidebar--bad { color: $text-error; text-style: bold; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "sidebar--heading",
        "sidebar--chosen",
        "sidebar--cursor",
        "sidebar--muted",
        "sidebar--busy",
        "sidebar--warn",
        "sidebar--bad",
    }
    SWAPPED = frozenset(("sidebar--cursor",))
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "Next", id="sidebar.down", show=False),
        Binding("k,up", "move(-1)", "Previous", id="sidebar.up", show=False),
        Binding("g,home", "move(-9999)", "First", id="sidebar.first", show=False),
        Binding("G,end", "move(9999)", "Last", id="sidebar.last", show=False),
        Binding("enter", "choose", "Show", id="sidebar.choose", show=False),
    ]

    accounts: reactive[tuple[AccountItem, ...]] = reactive((), repaint=False)
    views: reactive[tuple[ViewItem, ...]] = reactive((), repaint=False)
    facets: reactive[tuple[FacetItem, ...]] = reactive((), repaint=False)
    selected: reactive[tuple[str, str]] = reactive(ALL, repaint=False)
    """Kind (``all``, ``view``, ``account``) and id of what the table shows."""

    class Chosen(Message):
        """Show this: kind ``all``, ``view`` or ``account``, and its id or name; ``facet``, and
        what the query gets or loses by it.
        """

        def __init__(self, kind: str, id: str) -> None:
            super().__init__()
            self.kind, self.id = kind, id

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._entries: list[Entry] = list(entries((), ()))
        self._cursor = ALL
        self._top = 0

    @property
    def cursor(self) -> tuple[str, str]:
        """Kind and id of the item under the cursor."""
        return self._cursor

    def watch_accounts(self) -> None:
        self._list_again()

    def watch_views(self) -> None:
        self._list_again()

    def watch_facets(self) -> None:
        self._list_again()

    def watch_selected(self, item: tuple[str, str]) -> None:
        if item in self._items:
            self._cursor = item
        self._show_cursor()

    def watch_plain(self) -> None:
        self.repaint()

    def on_focus(self) -> None:
        self._show_cursor()

    def on_blur(self) -> None:
        self.repaint()

    def on_resize(self) -> None:
        self._show_cursor()

    @property
    def _items(self) -> list[tuple[str, str]]:
        return [entry.item for entry in self._entries if entry.item]

    def _list_again(self) -> None:
        self._entries = list(entries(self.views, self.accounts, self.facets))
        if self._cursor not in self._items:
            self._cursor = self.selected if self.selected in self._items else ALL
        self._show_cursor()

    def _detail(self) -> list[str]:
        """The sentence about the item under the cursor, in lines."""
        detail = next((entry.detail for entry in self._entries if entry.item == self._cursor), "")
        return wrap(detail, max(1, self.size.width - 2))[:DETAIL_LINES] if detail else []

    def _show_cursor(self) -> None:
        """Scroll as little as shows the cursor's lines, an account's state included."""
        detail = len(self._detail())
        height = max(1, self.size.height - (detail and detail + 1))
        at = next(i for i, entry in enumerate(self._entries) if entry.item == self._cursor)
        last = at + (self._cursor[0] == "account")
        top = max(last - height + 1, min(self._top, at if at > 1 else 0))
        self._top = max(0, min(top, len(self._entries) - height))
        self.repaint()
        if self.has_focus:
            offset = self.content_region.offset
            self.app.cursor_position = offset + Offset(0, at - self._top)

    def line(self, y: int) -> Line:
        detail = self._detail()
        height = self.size.height
        if detail and y >= height - len(detail) - 1:
            below = y - (height - len(detail))
            return ((f" {detail[below]}" if below >= 0 else "", "sidebar--muted"),)
        index = self._top + y
        if index >= len(self._entries):
            return ()
        entry = self._entries[index]
        width = self.size.width - 1
        right = f" {entry.right}" if entry.right else ""
        text = fit(entry.text, max(0, width - len(right))) + right + " "
        if entry.item is None:
            return ((text, entry.style),)
        if entry.item == self.selected:
            text = ">" + text[1:] if text[0] == " " else text[0] + ">" + text[2:]
        if entry.item == self._cursor and self.has_focus:
            return ((text, "sidebar--cursor"),)
        return ((text, "sidebar--chosen" if entry.item == self.selected else ""),)

    def action_move(self, count: int) -> None:
        items = self._items
        position = items.index(self._cursor) + count
        self._cursor = items[max(0, min(position, len(items) - 1))]
        self._show_cursor()

    def action_choose(self) -> None:
        self.post_message(self.Chosen(*self._cursor))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        event.stop()
        item = self._item_at(offset.y)
        if item is not None:
            self._cursor = item
            self._show_cursor()
            self.action_choose()

    def _item_at(self, y: int) -> tuple[str, str] | None:
        """The item in line `y`; the line of an account's state belongs to the account."""
        detail, index = len(self._detail()), self._top + y
        if index >= len(self._entries) or (detail and y >= self.size.height - detail - 1):
            return None
        above = self._entries[index - 1].item if index else None
        return self._entries[index].item or (above if above and above[0] == "account" else None)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self._wheel(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self._wheel(-3)

    def _wheel(self, lines: int) -> None:
        self._top = max(0, min(self._top + lines, len(self._entries) - self.size.height))
        self.repaint()
