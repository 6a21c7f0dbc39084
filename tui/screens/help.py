"""The help screen: every key, from the one list of commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen
from textual.widgets import Footer

from tui.commands import key_table
from tui.query.fields import TABLE
from tui.screens.keymap import bindings_of
from widgets.cells import Line, fit
from widgets.line_view import ScrolledLines

QUERY_HELP = (
    (
        "anna refund",
        "words: contact, agent, note, tag, summary, disposition; their beginning will do",
    ),
    ("#4567  …4567", "a fragment of a number, however it is written"),
    ("anonymous  bob@example.com", "numbers that are words; 1-800-FLOWERS by its digits, too"),
    ("in  out  internal", "direction"),
    ("missed  ongoing  busy", "outcome; several mean any of them"),
    ("rec  -rec", "with, without a recording"),
    ("agent:anna  group:support", "one field; tab completes a name that is known; all: below"),
    ("agent:anna,ben", "any of these values"),
    ('group:="Support"', "just this name, and none that it begins"),
    ("open-miss  called-back", "missed, and nobody got through since; somebody did"),
    ("callback  sla-missed", "the caller asked to be called back; waited too long"),
    ("held", "on hold: nothing removes it"),
    ("untriaged  flagged", "to be decided; to be followed up"),
    ("state:done", "also new, open, follow-up, snoozed; triaged:today"),
    ("dur>120  wait>30  talk<6", "seconds; dur>2m or dur>2:00 for minutes"),
    ("today  tuesday  7d", "also yesterday, 2026-11-02 and 2026-11-02..2026-11-05"),
    ("9:00..12:00  22:00..6:00", "a time of day, every day; with a day both hold"),
    ('-word  "two words"', "not; these whole words together"),
)


FIELD_HELP = [
    (" ".join(f"{word}:" for word in (field.name, *field.also)), field.title) for field in TABLE
]
RECORDING_HELP = (
    ("R  R2  -  ?", "one recording, two of them, none, not known"),
    ("R+  heard", "heard: nine tenths of it were played, or its end was reached"),
    ("R~  part", "begun; playing goes on where it was left, 0 starts anew"),
    ("R.  soon", "not there yet"),
    ("R!  refused  gone ...", "cannot be played; the detail says why and when that was seen"),
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
        groups = [
            *((title, [row[:2] for row in rows]) for title, rows in key_table(keymap)),
            ("The query line ( / )", list(QUERY_HELP)),
            ("Fields of the query line", FIELD_HELP),
            ("The column Rec, in a narrow and in a wide table", list(RECORDING_HELP)),
        ]
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
    """All keys of all screens, and how the query line is written."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("help")

    def __init__(self, keymap: Mapping[str, str]) -> None:
        super().__init__()
        self._keymap = keymap

    def compose(self) -> ComposeResult:
        yield HelpPage(self._keymap)
        yield Footer(compact=True, show_command_palette=False)
