"""The last line: the most useful keys and what they do; a click does the same."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from widgets.cells import Line
from widgets.key_hints import WRITTEN
from widgets.line_view import LineView


class KeyHint(NamedTuple):
    """A key as people write it, two words, and the action that it stands for."""

    key: str
    title: str
    action: str


class KeyLine(LineView):
    """One widget instead of one for each key: it costs the start and the line a tenth."""

    DEFAULT_CSS = """
    KeyLine {
        height: 1;
        background: $footer-background;
        color: $footer-foreground;
        .key-line--key { color: $footer-key-foreground; text-style: bold; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"key-line--key"}

    hints: reactive[tuple[KeyHint, ...]] = reactive((), repaint=False)
    choices: reactive[tuple[KeyHint, ...]] = reactive((), repaint=False)
    """While there are some, they stand in place of the hints, and every key answers them."""

    class Pressed(Message):
        """This hint was clicked."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

    class Closed(Message):
        """No second key is waited for any more."""

    class Refused(Message):
        """A key that is none of the choices; they still wait."""

        def __init__(self, choices: tuple[KeyHint, ...]) -> None:
            super().__init__()
            self.choices = choices

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._then: Widget | None = None

    def watch_hints(self) -> None:
        self.repaint()

    def watch_choices(self) -> None:
        self.repaint()

    # -- a second key

    def ask(self, choices: tuple[KeyHint, ...], then: Widget | None) -> None:
        """Wait for one of these keys and post `Pressed` for it; the focus then goes to `then`.

        A choice without an action only ends the waiting.
        """
        self.choices, self._then, self.can_focus = choices, then, True
        # at once, so that a key typed right behind arrives here
        self.screen.set_focus(self)

    def _end(self) -> None:
        if self.choices:
            self.post_message(self.Closed())
        self.choices, self.can_focus = (), False
        if self.screen.focused is self:
            self.screen.set_focus(self._then)

    def on_blur(self) -> None:
        """A click elsewhere ends the waiting; an answer of before did already."""
        if self.screen.focused is not self:
            self.choices, self.can_focus = (), False

    def on_key(self, event: events.Key) -> None:
        event.stop().prevent_default()
        names = (event.character, WRITTEN.get(event.key, event.key))
        chosen = next((one for one in self.choices if one.key in names), None)
        if chosen is None:
            self.post_message(self.Refused(self.choices))
            return
        self._end()
        if chosen.action:
            self.post_message(self.Pressed(chosen.action))

    # -- drawing

    def line(self, y: int) -> Line:
        return tuple(
            run
            for hint in self.choices or self.hints
            for run in ((hint.key, "key-line--key"), (f" {hint.title} ", ""))
        )

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        end = 0
        for hint in self.choices or self.hints:
            end += cell_len(hint.key) + cell_len(hint.title) + 2
            if offset is not None and offset.x < end:
                event.stop()
                self._end()
                if hint.action:
                    self.post_message(self.Pressed(hint.action))
                return
