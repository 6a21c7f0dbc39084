"""A text to read, scroll and copy, above the screen: help, an error, a whole note."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from providers.sanitize import safe_text
from widgets.cells import Line, wrap
from widgets.key_hints import key_of
from widgets.line_view import ScrolledLines

MAX_CHARS = 400_000


class TextPage(ScrolledLines):
    """Text that wraps at the widget's width and scrolls."""

    DEFAULT_CSS = """
    TextPage { height: auto; background: $surface; color: $foreground; }
    """

    def __init__(self, text: str, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._text = text
        self._wrapped: tuple[int, list[Line]] = (-1, [])

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        """All lines, or as many as leave room for title, keys and frame."""
        return max(1, min(len(self._wrap(width)), self.app.size.height - 6))

    @property
    def lines(self) -> Sequence[Line]:
        return self._wrap(self.size.width)

    def _wrap(self, width: int) -> list[Line]:
        if self._wrapped[0] != width:
            self._wrapped = (width, [((line, ""),) for line in wrap(self._text, width)])
        return self._wrapped[1]


class TextModal(ModalScreen[None]):
    """Shows `text`, made safe. `y` copies it by the app's `copy_to_clipboard`."""

    DEFAULT_CSS = """
    TextModal {
        align: center middle;
        background: transparent;
        #text-modal {
            width: 90%; max-width: 100; height: auto; max-height: 100%;
            background: $surface; border: round $primary; padding: 0 1;
        }
        .text-modal--title { height: 1; text-style: bold; }
        .text-modal--keys { height: 1; color: $text-muted; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "close", "Close", id="text.close"),
        Binding("y", "copy", "Copy", id="text.copy"),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title = safe_text(title, 200)
        self._text = safe_text(text, MAX_CHARS, multiline=True)

    def compose(self) -> ComposeResult:
        with Vertical(id="text-modal"):
            yield Static(Content(self._title), classes="text-modal--title")
            yield TextPage(self._text)
            yield Static(
                self._hints(f"{key_of(self, 'text.copy')} copy"),
                classes="text-modal--keys",
                markup=False,
            )

    def _hints(self, copy: str) -> str:
        return f"{copy}   {key_of(self, 'text.close')} close"

    def on_mount(self) -> None:
        self.query_one(TextPage).focus()

    def action_close(self) -> None:
        self.dismiss(None)

    def action_copy(self) -> None:
        self.app.copy_to_clipboard(self._text)
        keys = self.query_one(".text-modal--keys", Static)
        keys.update(self._hints("copied"), layout=False)
