"""What stands in the table's place when it has nothing to show, and what to do about it."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from textual.reactive import reactive

from providers.sanitize import safe_text
from widgets.cells import Line, fit, wrap
from widgets.line_view import LineView


class Notice(NamedTuple):
    """A title, one sentence, and keys with what they do."""

    title: str
    sentence: str
    keys: tuple[tuple[str, str], ...] = ()


NOTICES: dict[str, Notice] = {
    "no accounts": Notice(
        "No accounts yet",
        "Add an account at a vendor to see calls.",
        (("a", "add an account"), ("?", "help"), ("q", "quit")),
    ),
    "empty": Notice(
        "No calls yet",
        "The archive is empty. Ask the vendors for calls, or import a saved file.",
        (("r", "refresh"), ("?", "help")),
    ),
    "no match": Notice(
        "No call matches",
        "Nothing in the archive fits the query. Change it, or leave it to see all calls.",
        (("/", "change the query"), ("esc", "all calls")),
    ),
    "loading": Notice(
        "Fetching calls",
        "The first calls appear as soon as the vendor answers.",
        (("ctrl+x", "stop"),),
    ),
    "offline": Notice(
        "The vendor cannot be reached",
        "Check the connection and the account's base URL. Stored calls stay readable.",
        (("r", "try again"),),
    ),
    "rate-limited": Notice(
        "The vendor asks us to wait",
        "Too many questions in a short time. Stored calls stay readable.",
        (("r", "try again"),),
    ),
    "token missing": Notice(
        "A token is missing",
        "The vendor gives no calls without this account's token.",
        (("a", "give the token"), ("r", "try again")),
    ),
    "token unconfirmed": Notice(
        "The token was not sent",
        "The account's base URL leads to another place than before. Confirm it, or correct it.",
        (("a", "confirm where it goes"), ("r", "try again")),
    ),
    "refused": Notice(
        "The token was refused",
        "The vendor does not accept this account's token. Give it again.",
        (("r", "try again"), ("?", "help")),
    ),
    "failed": Notice(
        "That did not work",
        "The vendor's answer could not be used.",
        (("r", "try again"),),
    ),
}
"""What is said in each state. `EmptyState.sentence` and `.keys` replace the text or the keys."""


class EmptyState(LineView):
    """Shows ``NOTICES[kind]`` in the middle."""

    DEFAULT_CSS = """
    EmptyState {
        height: 1fr;
        background: $background;
        color: $foreground;
        .empty-state--title { text-style: bold; }
        .empty-state--sentence { color: $text-muted; }
        .empty-state--key { color: $text-accent; text-style: bold; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "empty-state--title",
        "empty-state--sentence",
        "empty-state--key",
    }

    kind: reactive[str] = reactive("empty", repaint=False)
    sentence: reactive[str] = reactive("", repaint=False)
    """Says it more exactly than the notice does, e.g. the vendor's reason."""
    keys: reactive[tuple[tuple[str, str], ...] | None] = reactive(None, repaint=False)
    """Keys as the user has mapped them, in place of the notice's."""

    def watch_kind(self) -> None:
        self.repaint()

    def watch_sentence(self) -> None:
        self.repaint()

    def watch_keys(self) -> None:
        self.repaint()

    def line(self, y: int) -> Line:
        lines = self._lines()
        index = y - max(0, (self.size.height - len(lines)) // 2)
        return lines[index] if 0 <= index < len(lines) else ()

    def _lines(self) -> list[Line]:
        notice = NOTICES[self.kind]
        width = self.size.width
        sentence = safe_text(self.sentence or notice.sentence, 600)
        lines: list[Line] = [((fit(notice.title, width, "center"), "empty-state--title"),), ()]
        lines += [
            ((fit(text, width, "center"), "empty-state--sentence"),)
            for text in wrap(sentence, min(60, width - 4))
        ]
        keys = notice.keys if self.keys is None else self.keys
        key_width = max((cell_len(key) for key, _ in keys), default=0)
        block = max((cell_len(text) for _, text in keys), default=0) + key_width + 2
        indent = " " * max(0, (width - block) // 2)
        lines.append(())
        for key, text in keys:
            key_run = (fit(key, key_width, "right"), "empty-state--key")
            lines.append(((indent, ""), key_run, (f"  {text}", "")))
        return lines
