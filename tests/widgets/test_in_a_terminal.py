"""Widgets in a real pseudo-terminal: no foreign escape byte comes out, and few bytes do."""

from __future__ import annotations

import re

import pytest

from tests.slow_params import few
from tests.widgets.terminal import SEQUENCE, Terminal, shapes

STYLES = re.compile(rb"\x1b\[((?:[012347]|2[2347]|[34]9|[34]8;2;\d+;\d+;\d+)(?:;|$|(?=m)))*m")
FOREIGN = ("\x07", "\x9b", "\x85", "\x90", "\x9d", "\u202a", "\u202e", "\u2066", "\u061c", "\x08")


@pytest.fixture(scope="module")
def usual() -> set[bytes]:
    """The kinds of sequences that Textual itself writes, for harmless rows."""
    with Terminal("table") as terminal:
        terminal.press("jG")
        return shapes(terminal.output)


@pytest.mark.parametrize("scene", few(1, ["everything-hostile", "confirm", "text"]))
def test_no_text_reaches_the_terminal_unfiltered(scene: str, usual: set[bytes]) -> None:
    with Terminal(scene, 120, 60) as terminal:
        terminal.press("jG", wait_s=0.5)
        terminal.press("\t\t", wait_s=0.5)
        output = terminal.output
        assert "PWNED" in terminal.text, "the hostile text was on the screen"
    text = SEQUENCE.sub(b"", output).decode()
    assert "\x1b" not in text
    assert [char for char in FOREIGN if char in text] == []
    # a form has a text cursor to place, which a table does not
    assert shapes(output) - usual <= {b"\x1b[?Nl", b"\x1b[?Nh", b"\x1b[N q"}
    styles = {found for found in SEQUENCE.findall(output) if found.endswith(b"m")}
    assert [style for style in styles if not STYLES.fullmatch(style)] == []


def test_the_screen_shows_what_the_widget_drew() -> None:
    with Terminal("table", 100, 30) as terminal:
        lines = terminal.screen.display
        assert lines[0].startswith(" Time↓")
        assert lines[1].startswith(">15:05:33     in  answered  Ada Lovelace")
        terminal.press("jj")
        lines = terminal.screen.display
        assert lines[1][0] == " " and lines[3][0] == ">"
        assert terminal.screen.buffer[3][0].reverse and terminal.screen.buffer[3][0].bold


@pytest.mark.parametrize("env", few(1, [{"NO_COLOR": "1"}, {"COLORTERM": "", "TERM": "xterm"}]))
def test_the_cursor_stands_out_in_any_colours(env: dict[str, str]) -> None:
    with Terminal("table", 80, 12, **env) as terminal:
        cursor, other = (terminal.screen.buffer[y][4] for y in (1, 2))
        assert cursor.reverse and cursor.bold
        assert not other.reverse and not other.bold
        assert terminal.screen.display[3][18:24] == "missed"


def test_bytes_for_each_key() -> None:
    """Limits at 120x40 in true colour: a step 1.5 kB, a step that scrolls 10 kB, idle nothing."""
    with Terminal("table") as terminal:
        terminal.press("j")
        assert len(terminal.press("j")) < 700
        assert len(terminal.press("k")) < 700
        terminal.press("G")
        terminal.press("g")
        terminal.press("j" * 38)
        assert len(terminal.press("j")) < 9_000
        assert len(terminal.press("\x1b[6~")) < 9_000
        assert terminal.read(wait_s=0.7) == b""


@pytest.mark.slow
def test_bytes_over_many_keys() -> None:
    with Terminal("table") as terminal:
        steps = [len(terminal.press("j")) for _ in range(20)]
        assert max(steps) < 1_500
        terminal.press("j" * 22)
        scrolls = [len(terminal.press("j")) for _ in range(20)]
        assert max(scrolls) < 10_000
        assert terminal.read(wait_s=1.5) == b""
