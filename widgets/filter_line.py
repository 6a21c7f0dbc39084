"""The line in which a query is typed, and below it what of it was not understood."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Input

from widgets.cells import Line
from widgets.lines import LineView
from widgets.safe import safe_text

HINT = "name, #4567, missed, yesterday, agent:anna, dur>120 ..."


class Complaint(LineView):
    """A caret under the place, and what is wrong there; no line at all when nothing is."""

    DEFAULT_CSS = """
    Complaint { height: 1; background: $surface; color: $text-warning; display: none; }
    """

    problem: reactive[tuple[int, str] | None] = reactive(None, repaint=False)
    """Where in the text, from 0, and the sentence."""

    def watch_problem(self, problem: tuple[int, str] | None) -> None:
        self.display = problem is not None
        self.repaint()

    def line(self, y: int) -> Line:
        if self.problem is None:
            return ()
        start, sentence = self.problem
        text = safe_text(sentence, 300)
        # under the place where the sentence still fits beside it, else at the left
        indent = 1 + start if start + len(text) + 4 < self.size.width else 1
        return ((f"{' ' * indent}^ {text}", ""),)


class FilterLine(Widget):
    """Hidden while the query is empty and nobody types. It says what is typed at every key."""

    DEFAULT_CSS = """
    FilterLine {
        height: auto;
        display: none;
        Input, Input:focus { height: 1; border: none; padding: 0 1; background: $surface; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "close(True)", "Keep", id="filter.keep"),
        Binding("down", "close(True)", "Keep", id="filter.keep-down", show=False),
        Binding("escape", "close(False)", "Undo", id="filter.undo"),
    ]

    problem: reactive[tuple[int, str] | None] = reactive(None, repaint=False)
    """Where in the text something was not understood, and why."""

    class Edited(Message):
        """Somebody typed; `text` is the whole line now."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Closed(Message):
        """Typing has ended; `kept` is False when the text of before stands there again."""

        def __init__(self, kept: bool) -> None:
            super().__init__()
            self.kept = kept

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._before = ""

    def compose(self) -> ComposeResult:
        yield Input(placeholder=HINT, compact=True)
        yield Complaint()

    @property
    def _input(self) -> Input:
        return self.query_one(Input)

    @property
    def editing(self) -> bool:
        """Whether somebody types in it."""
        return self._input.has_focus

    def edit(self, text: str) -> None:
        """Show the line with `text` and put the focus in it."""
        self._before = text
        self.show(text)
        self.display = True
        self._input.focus()

    def show(self, text: str) -> None:
        """Show `text` without asking anybody; empty: hide the line."""
        with self._input.prevent(Input.Changed):
            self._input.value = text
        self._input.cursor_position = len(text)
        self.display = bool(text)

    def watch_problem(self, problem: tuple[int, str] | None) -> None:
        self.query_one(Complaint).problem = problem

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Edited(event.value))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_close(True)

    def action_close(self, kept: bool) -> None:
        if not kept and self._input.value != self._before:
            self.post_message(self.Edited(self._before))
        self.show(self._input.value if kept else self._before)
        self.post_message(self.Closed(kept))
