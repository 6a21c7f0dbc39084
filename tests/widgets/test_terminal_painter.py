"""What the painter sends makes a terminal show, cell by cell, what Textual's own output does."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.console import Console
from rich.control import Control
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from tests.slow_params import few
from tests.widgets.emulator import NO_WRAP, MarginScreen, MarginStream
from widgets.terminal_painter import (
    PLAIN,
    Pen,
    TerminalPainter,
    changed_spans,
    cursor_move,
    pen_change,
)

LINES = 12
EDGES = (0, 4, 34, 40)
"""Where the three widgets of a line begin and end."""
COLUMNS = EDGES[-1]
WORDS = ("abc", "missed", "naïve", "漢字", "e\u0301", "👍", "─▶·", "Ωя", " ", "  ", "日x")
STYLES = tuple(
    map(
        Style.parse,
        (
            "none",
            "bold",
            "dim red",
            "bold dim",
            "italic on blue",
            "reverse",
            "underline #102030 on #a0b0c0",
            "underline2 strike",
            "#102030",
        ),
    )
)
CONSOLE = Console(color_system="truecolor", width=COLUMNS)


class Piece(NamedTuple):
    text: str
    style: Style


Line = tuple[Piece, ...]


def strip_of(line: Line, width: int) -> Strip:
    return Strip([Segment(*piece) for piece in line]).adjust_cell_length(width)


pieces = st.builds(Piece, st.sampled_from(WORDS), st.sampled_from(STYLES))
lines = st.lists(pieces, min_size=1, max_size=8).map(tuple)


class Change(NamedTuple):
    """One frame: in a widget, lines move up by `shift` and new ones come, or some are replaced."""

    widget: int
    shift: int
    came: Sequence[Line]
    at: int
    is_whole: bool
    forgets: bool
    cursor: tuple[int, int]


changes = st.builds(
    Change,
    st.sampled_from((1, 1, 1, 0, 2)),
    st.sampled_from((0, 1, -1, 1, -1, 3, -5)),
    st.lists(lines, min_size=0, max_size=3),
    st.integers(0, LINES - 1),
    st.booleans(),
    st.sampled_from((False,) * 9 + (True,)),
    st.tuples(st.integers(0, COLUMNS - 1), st.integers(0, LINES - 1)),
)


class Picture:
    """Three widgets side by side, and the updates that Textual's compositor would make of them."""

    def __init__(self, first: Sequence[Line]) -> None:
        self.widgets = [[first[(y + 5 * n) % len(first)] for y in range(LINES)] for n in range(3)]

    def apply(self, change: Change) -> LayoutUpdate | ChopsUpdate:
        before = self.widgets[change.widget]
        came = list(change.came) or [(Piece("new", STYLES[0]),)]
        shifted = range(change.shift, change.shift + LINES)
        after = [before[y] if 0 <= y < LINES else came[y % len(came)] for y in shifted]
        for n, line in enumerate(change.came):
            after[(change.at + n) % LINES] = line
        self.widgets[change.widget] = after
        return self.whole() if change.is_whole else self.part(change.widget)

    def _strips(self, y: int) -> list[Strip]:
        edges = zip(EDGES, EDGES[1:], strict=False)
        return [
            strip_of(widget[y], end - start)
            for widget, (start, end) in zip(self.widgets, edges, strict=True)
        ]

    def whole(self) -> LayoutUpdate:
        return LayoutUpdate([self._strips(y) for y in range(LINES)], Region(0, 0, COLUMNS, LINES))

    def part(self, widget: int) -> ChopsUpdate:
        chops = [
            {EDGES[n]: strip if n == widget else None for n, strip in enumerate(self._strips(y))}
            for y in range(LINES)
        ]
        spans = [(y, EDGES[widget], EDGES[widget + 1]) for y in range(LINES)]
        return ChopsUpdate(chops, spans, [list(EDGES[1:])] * LINES)


class Beside:
    """A terminal that is fed by Textual, and one that is fed by the painter."""

    def __init__(self, has_margins: bool, erases: bool = False) -> None:
        self.textual, self.painted = (MarginScreen(COLUMNS, LINES) for _ in range(2))
        self._feeds = [MarginStream(screen).feed for screen in (self.textual, self.painted)]
        self.painter = TerminalPainter(COLUMNS, LINES, ColorSystem.TRUECOLOR)
        self.painter.has_margins = has_margins
        self.painter.erases_with_color = erases
        self.sent = [0, 0]
        for feed in self._feeds:
            feed(NO_WRAP)

    def show(self, update: LayoutUpdate | ChopsUpdate, cursor: tuple[int, int]) -> str:
        own = update.render_segments(CONSOLE) + Control.move_to(*cursor).segment.text
        edges = zip(EDGES, EDGES[1:], strict=False)
        scrolling = [Region(start, 0, end - start, LINES) for start, end in edges]
        self.painter.put(update)
        painted = self.painter.paint(cursor, scrolling)
        for n, text in enumerate((own, painted)):
            self._feeds[n](text)
            self.sent[n] += len(text)
        assert self.painted.cells() == self.textual.cells()
        cursors = [(screen.cursor.x, screen.cursor.y) for screen in (self.painted, self.textual)]
        assert cursors[0] == cursors[1] == cursor
        return painted


def _frames(has_margins: bool, erases: bool, first: list[Line], changes: list[Change]) -> None:
    picture, beside = Picture(first), Beside(has_margins, erases)
    beside.show(picture.whole(), (0, 0))
    for change in changes:
        if change.forgets:
            beside.painter.forget()
        beside.show(picture.apply(change), change.cursor)


sessions = given(
    has_margins=st.booleans(),
    erases=st.booleans(),
    first=st.lists(lines, min_size=5, max_size=17),
    changes=st.lists(changes, min_size=1, max_size=25),
)


@settings(max_examples=100)
@sessions
def test_every_frame_leaves_what_textual_would(
    has_margins: bool, erases: bool, first: list[Line], changes: list[Change]
) -> None:
    _frames(has_margins, erases, first, changes)


@pytest.mark.slow
@settings(max_examples=1_500)
@sessions
def test_every_frame_of_many_leaves_what_textual_would(
    has_margins: bool, erases: bool, first: list[Line], changes: list[Change]
) -> None:
    _frames(has_margins, erases, first, changes)


def wait_until(true: Callable[[], bool], wait_s: float = 20.0) -> None:
    deadline = time.monotonic() + wait_s
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def numbered(count: int) -> list[Line]:
    return [(Piece(f"call {n} of many, as long as a line", STYLES[0]),) for n in range(count)]


@pytest.mark.parametrize(("has_margins", "how"), [(True, "\x1b[5;34s"), (False, "\x1b[M")])
def test_lines_that_moved_are_scrolled_not_sent(has_margins: bool, how: str) -> None:
    picture, beside = Picture(numbered(17)), Beside(has_margins)
    beside.show(picture.whole(), (0, 0))
    sent = beside.show(picture.apply(Change(1, 1, (), 0, False, False, (0, 0))), (0, 0))
    assert how in sent
    if has_margins:
        assert "call" not in sent and "new" in sent and len(sent) < 100


@pytest.mark.parametrize(
    ("style", "erases", "is_erased"),
    [
        ("white on blue", True, True),
        ("white on blue", False, False),  # it would get the terminal's own background
        ("bold red", False, True),
        ("underline", True, False),  # blanks are underlined, what is erased is not
        ("link https://x", True, False),
    ],
)
def test_long_blanks_are_erased_where_that_looks_the_same(
    style: str, erases: bool, is_erased: bool
) -> None:
    picture, beside = Picture(numbered(17)), Beside(False, erases)
    beside.show(picture.whole(), (0, 0))
    picture.widgets[1] = [(Piece(f"{' ' * 20}end", Style.parse(style)),)] * LINES
    sent = beside.show(picture.part(1), (0, 0))
    assert ("\x1b[20X\x1b[20C" in sent) == is_erased
    assert (" " * 20 in sent) != is_erased


def test_nothing_is_sent_for_what_is_there_already() -> None:
    picture, beside = Picture(numbered(17)), Beside(False)
    beside.show(picture.whole(), (3, 3))
    assert beside.show(picture.whole(), (3, 3)) == ""
    assert beside.show(picture.part(1), (3, 3)) == ""


def test_all_is_sent_anew_once_the_terminal_is_not_known() -> None:
    picture, beside = Picture(numbered(17)), Beside(False)
    first = beside.show(picture.whole(), (0, 0))
    beside.painter.forget()
    assert beside.show(picture.part(2), (0, 0)) == first


def test_the_pen_is_plain_when_the_terminal_is_given_back() -> None:
    picture, beside = Picture(numbered(17)), Beside(False)
    assert beside.painter.end() == "\x1b[m"  # nobody knows how it was before
    picture.widgets[2] = [(Piece("filled", Style.parse("bold link https://x")),)] * LINES
    beside.show(picture.whole(), (0, 0))
    assert beside.painter.end() == "\x1b[m\x1b]8;;\x1b\\"
    assert beside.painter.end() == ""


class Tmux:
    """A terminal of tmux's that shows what is fed to it."""

    def __init__(self, folder: Path, name: str, text: str) -> None:
        (folder / name).write_text(NO_WRAP + text, encoding="utf-8")
        self._tmux = ["tmux", "-u", "-f", "/dev/null", "-S", str(folder / f"{name}.socket")]
        show = f"stty raw -echo; cat {folder / name}; exec sleep 60"
        size = ["-x", str(COLUMNS), "-y", str(LINES)]
        # the line of its own at the bottom would take one away
        self(
            "new-session",
            "-d",
            *size,
            show,
            ";",
            "set",
            "status",
            "off",
            ";",
            "resize-window",
            *size,
        )

    def __call__(self, *words: str) -> str:
        env = {"PATH": os.environ["PATH"], "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
        done = subprocess.run([*self._tmux, *words], env=env, capture_output=True, check=True)
        return done.stdout.decode()

    @property
    def picture(self) -> str:
        where = self("display-message", "-p", "#{cursor_x},#{cursor_y}")
        return self("capture-pane", "-e", "-p") + where


@pytest.mark.skipif(not shutil.which("tmux"), reason="needs tmux")
@pytest.mark.parametrize("seed", few(2, range(20)))
def test_tmux_shows_what_textual_would(tmp_path: Path, seed: int) -> None:
    random = Random(seed)

    def line() -> Line:
        return tuple(Piece(random.choice(WORDS), random.choice(STYLES)) for _ in range(8))

    picture, beside = Picture([line() for _ in range(17)]), Beside(False)
    texts = ["", ""]
    for _ in range(30):
        shift, cursor = random.choice((0, 1, 1, -1, 3)), (random.randrange(COLUMNS - 1), 3)
        change = Change(
            random.randrange(3), shift, [line()], random.randrange(LINES), False, False, cursor
        )
        update = picture.apply(change) if texts[0] else picture.whole()
        texts[0] += update.render_segments(CONSOLE) + Control.move_to(*cursor).segment.text
        texts[1] += beside.show(update, cursor)
    terminals = [Tmux(tmp_path, f"{number}", text) for number, text in enumerate(texts)]
    try:
        end = f"{cursor[0]},{cursor[1]}"
        wait_until(lambda: all(each.picture.strip().endswith(end) for each in terminals))
        wait_until(lambda: terminals[0].picture == terminals[1].picture)
    finally:
        for terminal in terminals:
            terminal("kill-server")


class OtherWidths(MarginScreen):
    """A terminal that draws a hand in one cell and a call sign in two."""

    def draw(self, data: str) -> None:
        for letter in data:
            if letter == "☎":
                super().draw("漢")
                self.buffer[self.cursor.y][self.cursor.x - 2] = self.default_char._replace(data="☎")
            else:
                super().draw("h" if letter == "👍" else letter)


def test_letters_of_other_widths_displace_nothing_behind_them() -> None:
    screen = OtherWidths(COLUMNS, LINES)
    feed = MarginStream(screen).feed
    painter = TerminalPainter(COLUMNS, LINES, ColorSystem.TRUECOLOR)
    picture = Picture([(Piece("a👍 b☎ cdefghij", STYLES[0]),)])
    painter.put(picture.whole())
    feed(painter.paint((0, 0)))
    behind = slice(EDGES[1] + 7, EDGES[1] + 15)
    assert "".join(cell.data for cell in screen.cells()[3][behind]) == "cdefghij"
    picture.widgets[1] = [(Piece("a👍 b☎ cdefgxij", STYLES[0]),)] * LINES
    painter.put(picture.part(1))
    feed(painter.paint((0, 0)))
    assert "".join(cell.data for cell in screen.cells()[3][behind]) == "cdefgxij"


PENS = [Pen(bits, *colours) for bits in (0, 1, 2, 3, 0b1000001000, 0b1100) for colours in
        ((("39",), ("49",)), (("31",), ("49",)), (("38", "2", "1", "2", "3"), ("44",)))]  # fmt: skip


@pytest.mark.parametrize("old", [None, *PENS])
def test_a_change_of_pen_leaves_exactly_the_new_one(old: Pen | None) -> None:
    for new in PENS:
        screen = MarginScreen(4, 1)
        feed = MarginStream(screen).feed
        fresh = MarginScreen(4, 1)
        MarginStream(fresh).feed(pen_change(None, new) + "x")
        feed(pen_change(None, old) if old else "\x1b[1;3;4;31;44m")
        feed(pen_change(old, new) + "x")
        assert screen.cells()[0][0] == fresh.cells()[0][0], (old, new)
        assert len(pen_change(old, new)) <= len(pen_change(None, new))


@pytest.mark.parametrize("at", [None, (0, 0), (3, 2), (9, 5), (0, 4)])
def test_the_cursor_gets_where_it_must_from_anywhere(at: tuple[int, int] | None) -> None:
    for x in range(10):
        for y in range(6):
            screen = MarginScreen(10, 6)
            feed = MarginStream(screen).feed
            feed(cursor_move(None, at or (5, 3)) + cursor_move(at, (x, y)))
            assert (screen.cursor.x, screen.cursor.y) == (x, y)
            assert len(cursor_move(at, (x, y))) <= len(f"\x1b[{y + 1};{x + 1}H")


def test_runs_are_joined_over_short_gaps_and_never_part_a_wide_letter() -> None:
    shown = list("0123456789abcdefghij"), [PLAIN] * 20
    wanted = list("x123y56789abcdefgxij"), [PLAIN] * 20
    assert changed_spans(wanted, shown, False) == [(0, 5), (17, 18)]
    shown = [*"ab", "漢", "", *"cd"], [PLAIN] * 6
    assert changed_spans(([*"abxycd"], [PLAIN] * 6), shown, True) == [(2, 4)]
    assert changed_spans(([*"ab", "日", "", *"cd"], [PLAIN] * 6), shown, True) == [(2, 4)]
