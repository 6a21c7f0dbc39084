"""The help screen: every key, from the one list of commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Footer

from tui.commands import key_table
from widgets.cells import Line, fit
from widgets.lines import ScrolledLines

QUERY_HELP = (
    (
        "anna refund",
        "words: contact, agent, note, tag, summary, disposition; their beginning will do",
    ),
    ("#4567  …4567", "a fragment of a number, however it is written"),
    ("in  out  internal", "direction"),
    ("missed  voicemail  busy", "outcome; several mean any of them"),
    ("rec  -rec", "with, without a recording"),
    ("agent:  group:  tag:", "also account: vendor: queue: campaign: dispo: status: id:"),
    ("dur>120  wait>30  talk<6", "seconds; dur>2m for minutes"),
    ("today  yesterday  7d", "also 2026-11-02 and 2026-11-02..2026-11-05"),
    ('-word  "two words"', "not; these whole words together"),
)


class HelpPage(ScrolledLines):
    """Keys and the query line, in lines."""

    DEFAULT_CSS = """
    HelpPage {
        height: 1fr;
        background: $background;
        color: $foreground;
        .help--heading { color: $text-accent; text-style: bold; }
        .help--key { text-style: bold; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"help--heading", "help--key"}

    def __init__(self, keymap: Mapping[str, str]) -> None:
        super().__init__()
        groups = [*key_table(keymap), ("The query line ( / )", list(QUERY_HELP))]
        self._lines: list[Line] = []
        for title, rows in groups:
            self._lines.append(((f" {title}", "help--heading"),))
            for keys, text in rows:
                self._lines.append(((f"   {fit(keys, 26)}", "help--key"), (text, "")))
            self._lines.append(())

    @property
    def lines(self) -> Sequence[Line]:
        return self._lines


class HelpScreen(Screen[None]):
    """Left with escape, q or ?."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "app.pop_screen", "Back"),
        Binding("ctrl+q", "app.quit", "Quit", priority=True),
    ]

    def __init__(self, keymap: Mapping[str, str]) -> None:
        super().__init__()
        self._keymap = keymap

    def compose(self) -> ComposeResult:
        yield HelpPage(self._keymap)
        yield Footer(compact=True, show_command_palette=False)
