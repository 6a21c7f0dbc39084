"""The line in which a query is typed, and below it what of it was not understood."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Input

from providers.sanitize import safe_text
from widgets.cells import Line, fit
from widgets.key_hints import key_of
from widgets.line_view import LineView

MOST_KEPT = 50
"""Queries of this session that can be brought back."""
HINT = "name, #4567, missed, yesterday, agent:anna, dur>120 ..."


class Choices(NamedTuple):
    """How a line that was typed may go on: names, and the whole line with each of them."""

    text: str = ""
    names: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()


class Complaint(LineView):
    """Names that the line may go on with; else a caret under the place, and what is wrong there;
    no line at all when there is neither.
    """

    DEFAULT_CSS = """
    Complaint { height: 1; background: $surface; color: $text-warning; display: none; }
    """

    problem: reactive[tuple[int, str] | None] = reactive(None, repaint=False)
    """Where in the text, in cells from 0, and the sentence."""

    choices: reactive[Choices] = reactive(Choices(), repaint=False)

    _key = ""
    """What takes the first of them."""

    def watch_problem(self) -> None:
        self.display = self.problem is not None or bool(self.choices.names)
        self.repaint()

    def watch_choices(self) -> None:
        self._key = key_of(self.screen, "query.complete") if self.choices.names else ""
        self.watch_problem()

    def line(self, y: int) -> Line:
        if self.choices.names:
            names = "  ".join(safe_text(name, 60) for name in self.choices.names)
            return ((f" {self._key}  {names}", ""),)
        if self.problem is None:
            return ()
        start, sentence = self.problem
        text = safe_text(sentence, 300)
        indent = min(1 + start, self.size.width - 2)
        room = self.size.width - indent - 3
        if room >= min(cell_len(text), indent):
            return ((f"{' ' * indent}^ {fit(text, max(room, 0)).rstrip()}", ""),)
        return ((f"{fit(text, indent - 1, 'right')} ^", ""),)


class QueryInput(Input):
    """Its keys belong to the line around it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "close(True)", "Keep", id="query.keep"),
        Binding("down", "later", "Keep", id="query.to-table", show=False),
        Binding("up", "earlier", "Earlier", id="query.earlier", show=False),
        Binding("escape", "close(False)", "Undo", id="query.undo"),
        Binding("tab", "complete", "Complete", id="query.complete", show=False),
    ]

    def _on_paste(self, event: events.Paste) -> None:
        """All lines of what is pasted, in one; an input of its own keeps the first alone."""
        event.prevent_default()
        super()._on_paste(events.Paste(" ".join(event.text.split())))
        event.stop()

    def action_close(self, kept: bool) -> None:
        assert isinstance(self.parent, FilterLine)
        self.parent.close(kept)

    def action_earlier(self) -> None:
        assert isinstance(self.parent, FilterLine)
        self.parent.recall(1)

    def action_later(self) -> None:
        assert isinstance(self.parent, FilterLine)
        if not self.parent.recall(-1):
            self.parent.close(True)

    def action_complete(self) -> None:
        assert isinstance(self.parent, FilterLine)
        self.parent.complete()


class FilterLine(Widget):
    """Hidden while the query is empty and nobody types. It says what is typed at every key."""

    DEFAULT_CSS = """
    FilterLine {
        height: auto;
        display: none;
        Input.-textual-compact, Input:focus {
            height: 1; border: none; padding: 0 1; background: $surface;
        }
    }
    """
    problem: reactive[tuple[int, str] | None] = reactive(None, repaint=False)
    """Where in the text something was not understood, in cells, and why."""

    choices: reactive[Choices] = reactive(Choices(), repaint=False)
    """How what is typed may go on; of another text than the present one they are not shown."""

    class Edited(Message):
        """Somebody typed; `text` is the whole line now."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._before = ""
        self._then: Widget | None = None
        self._kept: list[str] = []
        """Queries that were kept, the latest first."""
        self._recalled = 0
        """Which of them stands in the line, from 1; 0: what is being typed."""
        self._typed = ""

    def compose(self) -> ComposeResult:
        yield QueryInput(placeholder=HINT, compact=True, select_on_focus=False)
        yield Complaint()

    @property
    def _input(self) -> Input:
        return self.query_one(Input)

    @property
    def editing(self) -> bool:
        """Whether somebody types in it."""
        return self.screen.focused is self._input

    def edit(self, text: str, then: Widget) -> None:
        """Show the line with `text` and put the focus in it; when that ends it goes to `then`."""
        self._before, self._then, self._recalled = text, then, 0
        self.show(text)
        self.display = True
        # at once, so that what is typed right after it arrives here
        self.screen.set_focus(self._input)

    def show(self, text: str) -> None:
        """Show `text` without asking anybody; empty: hide the line."""
        with self._input.prevent(Input.Changed):
            self._input.value = text
        self._input.cursor_position = len(text)
        self.display = bool(text)

    def watch_problem(self, problem: tuple[int, str] | None) -> None:
        self.query_one(Complaint).problem = problem

    def watch_choices(self, choices: Choices) -> None:
        fits = self.editing and choices.text == self._input.value
        self.query_one(Complaint).choices = choices if fits else Choices()

    def complete(self) -> None:
        """Go on with the first of the choices."""
        choices = self.query_one(Complaint).choices
        if choices.lines:
            self._input.value = choices.lines[0]
            self._input.cursor_position = len(self._input.value)

    def recall(self, step: int) -> bool:
        """Put an earlier query into the line, or a later one; whether there is one."""
        place = self._recalled + step
        if not 0 <= place <= len(self._kept):
            return self._recalled + step > 0  # the earliest one stays
        if self._recalled == 0:
            self._typed = self._input.value
        self._recalled = place
        self._input.value = self._kept[place - 1] if place else self._typed
        self._input.cursor_position = len(self._input.value)
        return True

    def _keep(self, text: str) -> None:
        if text := text.strip():
            self._kept = [text, *(one for one in self._kept if one != text)][:MOST_KEPT]

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.choices = Choices()
        self.post_message(self.Edited(event.value))

    def close(self, kept: bool) -> None:
        """End the typing; without `kept` the text of before stands there again."""
        self.choices = Choices()
        if kept:
            self._keep(self._input.value)
        if not kept and self._input.value != self._before:
            self.post_message(self.Edited(self._before))
        self.show(self._input.value if kept else self._before)
        self.screen.set_focus(self._then)
