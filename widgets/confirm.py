"""A question with two answers, the safe one first."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from providers.sanitize import safe_text
from widgets.key_hints import key_of


class Confirm(ModalScreen[bool]):
    """True only for ``y`` or the button that says so; enter alone, escape and ``n`` are False."""

    DEFAULT_CSS = """
    Confirm {
        align: center middle;
        background: transparent;
        #confirm {
            width: 60; max-width: 90%; height: auto;
            background: $surface; border: round $warning; padding: 0 1;
        }
        .confirm--title { text-style: bold; height: auto; }
        .confirm--text { height: auto; margin: 1 0; }
        #confirm-buttons { height: 1; }
        #confirm-buttons Button { margin: 0 2 0 0; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes", id="confirm.yes"),
        Binding("n,escape,q", "answer(False)", "No", id="confirm.no"),
        Binding("left,right,h,l", "app.focus_next", "Other button", id="confirm.other", show=False),
    ]

    def __init__(self, title: str, text: str = "", *, yes: str = "Yes", no: str = "No") -> None:
        super().__init__()
        self._title, self._text = safe_text(title, 300), safe_text(text, 1000, multiline=True)
        self._yes, self._no = safe_text(yes, 40), safe_text(no, 40)

    def compose(self) -> ComposeResult:
        with Vertical(id="confirm"):
            yield Static(Content(self._title), classes="confirm--title")
            if self._text:
                yield Static(Content(self._text), classes="confirm--text")
            with Horizontal(id="confirm-buttons"):
                for word, answer in ((self._no, "no"), (self._yes, "yes")):
                    label = f"{word} ({key_of(self, f'confirm.{answer}')})"
                    yield Button(Content(label), id=f"confirm-{answer}", compact=True)

    def on_mount(self) -> None:
        self.query_one("#confirm-no").focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.dismiss(event.button.id == "confirm-yes")

    def action_answer(self, answer: bool) -> None:
        self.dismiss(answer)
