"""Where an export goes and in which form: asked above the screen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from providers.sanitize import safe_text
from tui.export.csv_json import FORMS
from widgets.form import Field, Form

FIRST = "csv"


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What was asked for: a key of `FORMS`, and the file, absolute."""

    form: str
    path: Path


class ExportPrompt(ModalScreen[ExportRequest | None]):
    """Enter alone takes what is proposed. A name is checked before the prompt closes."""

    DEFAULT_CSS = """
    ExportPrompt {
        align: center middle;
        background: transparent;
        #export {
            width: 70; max-width: 95%; height: auto;
            background: $surface; border: round $primary; padding: 0 1;
        }
        #export-title { text-style: bold; height: 1; }
        Form { height: auto; background: $surface; padding: 0; }
    }
    """

    def __init__(self, title: str, name: str) -> None:
        """`name` is the proposed file's, without an ending."""
        super().__init__()
        self._title, self._name = safe_text(title, 200), name

    def compose(self) -> ComposeResult:
        options = tuple((form.title, name) for name, form in FORMS.items())
        fields = (
            Field("form", "Form", "select", FIRST, options=options, required=True),
            Field(
                "path",
                "File",
                value=f"{self._name}.{FORMS[FIRST].ending}",
                help=f"In {Path.cwd()}, unless it begins with / or ~",
                required=True,
            ),
        )
        with Vertical(id="export"):
            yield Static(Content(self._title), id="export-title")
            yield Form(fields, submit="Export")

    def on_mount(self) -> None:
        path = self.query_one("#field-path", Input)
        path.focus()
        path.cursor_position = len(path.value)

    @on(Form.Changed)
    def _form_changed(self, event: Form.Changed) -> None:
        """The name ends as its form wants it, unless the user ended it otherwise."""
        path = self.query_one("#field-path", Input)
        stem, dot, ending = path.value.rpartition(".")
        if dot and ending in {form.ending for form in FORMS.values()}:
            path.value = f"{stem}.{FORMS[str(event.value)].ending}"

    @on(Form.Submitted)
    def _submitted(self, event: Form.Submitted) -> None:
        path = Path.cwd() / Path(str(event.values["path"])).expanduser()
        if wrong := _wrong(path):
            self.query_one(Form).set_errors({"path": wrong})
        else:
            self.dismiss(ExportRequest(str(event.values["form"]), path))

    @on(Form.Cancelled)
    def _cancelled(self) -> None:
        self.dismiss(None)


def _wrong(path: Path) -> str:
    """Why no file can be made there; empty when one can, as far as can be seen."""
    try:
        if path.is_dir():
            return f"{path} is a folder."
        if path.exists() and not path.is_file():
            return f"{path} is no ordinary file."  # a device would be replaced by one
        if not path.parent.is_dir():
            return f"There is no folder {path.parent}."
    except (OSError, ValueError):
        return "That is no name of a file."
    return ""
