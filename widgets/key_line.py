"""The last line: the most useful keys and what they do; a click does the same."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from textual import events
from textual.message import Message
from textual.reactive import reactive

from widgets.cells import Line
from widgets.lines import LineView


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

    class Pressed(Message):
        """This hint was clicked."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

    def watch_hints(self) -> None:
        self.repaint()

    def line(self, y: int) -> Line:
        return tuple(
            run
            for hint in self.hints
            for run in ((hint.key, "key-line--key"), (f" {hint.title} ", ""))
        )

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        end = 0
        for hint in self.hints:
            end += cell_len(hint.key) + cell_len(hint.title) + 2
            if offset is not None and offset.x < end:
                event.stop()
                self.post_message(self.Pressed(hint.action))
                return
