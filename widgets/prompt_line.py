"""One line at the bottom in which something short is typed: a note, a tag, a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.suggester import SuggestFromList
from textual.widget import Widget
from textual.widgets import Input

from providers.sanitize import safe_text
from widgets.cells import Line
from widgets.filter_line import QueryInput
from widgets.line_view import LineView

MAX_LENGTH = 100_000
"""Characters; of a longer paste nothing would come. Whoever asked may allow fewer, and says so."""


class PromptLabel(LineView):
    """What is asked for."""

    DEFAULT_CSS = """
    PromptLabel { height: 1; width: auto; background: $panel; color: $foreground; }
    """
    text: reactive[str] = reactive("", repaint=False)

    def watch_text(self, text: str) -> None:
        self.styles.width = len(text) + 2
        self.repaint()

    def line(self, y: int) -> Line:
        return ((f" {self.text} ", ""),)


class PromptInput(QueryInput):
    """Its keys belong to the line around it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "complete", "Complete", id="prompt.complete", show=False),
    ]

    def action_close(self, kept: bool) -> None:
        assert isinstance(self.parent, PromptLine)
        self.parent.close(kept)

    def action_complete(self) -> None:
        """Take the word that is proposed behind the cursor."""
        self.cursor_position = len(self.value)
        self.action_cursor_right()


class PromptLine(Widget):
    """Hidden until `ask`; enter gives what was typed, escape leaves without."""

    DEFAULT_CSS = """
    PromptLine {
        height: 1;
        layout: horizontal;
        display: none;
        Input, Input:focus {
            width: 1fr; height: 1; border: none; padding: 0 1; background: $surface;
        }
    }
    """

    class Closed(Message):
        """The typing has ended."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._answer: Callable[[str], None] | None = None
        self._back: Widget | None = None

    def compose(self) -> ComposeResult:
        yield PromptLabel()
        yield PromptInput(compact=True, max_length=MAX_LENGTH, select_on_focus=False)

    @property
    def editing(self) -> bool:
        """Whether somebody types in it."""
        return self._answer is not None

    def ask(
        self,
        label: str,
        answer: Callable[[str], None],
        back: Widget | None,
        words: Sequence[str] = (),
        text: str = "",
    ) -> None:
        """Put the focus in the line; `answer` gets what was typed if enter ends it, and the
        focus goes to `back` either way. `words` are proposed while they are typed; `text` stands
        there already.
        """
        self._answer, self._back = answer, back
        field = self.query_one(Input)
        safe = [safe_text(word, 100) for word in words]
        field.suggester = SuggestFromList(safe, case_sensitive=False) if safe else None
        field.value = text
        field.cursor_position = len(text)
        self.query_one(PromptLabel).text = safe_text(label, 60)
        self.display = True
        # at once, so that what is typed right after it arrives here
        self.screen.set_focus(field)

    def close(self, kept: bool) -> None:
        """End the typing."""
        answer, self._answer = self._answer, None
        text = self.query_one(Input).value
        self.display = False
        self.screen.set_focus(self._back)
        self.post_message(self.Closed())
        if kept and answer is not None:
            answer(text)
