"""The screen's frames in a terminal: after each, the terminal shows what Textual's own output of
that frame makes of it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from rich.control import Control
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.driver import Driver
from textual.drivers.headless_driver import HeadlessDriver
from textual.geometry import Size
from textual.screen import Screen

from tests.slow_params import few
from tests.ui.calls_page import CallsPage
from tests.ui.desk import desk_of
from tests.widgets.emulator import NO_WRAP, MarginScreen, MarginStream
from tests.widgets.terminal import ROOT
from tui.app import RingbackApp
from tui.config.paths import Paths
from widgets import painted_app

KEYS = (
    *("j",) * 9, *("k",) * 5, *("pagedown",) * 4, *("pageup",) * 2, "ctrl+d", "G", "g", "enter",
    "enter", "escape", "escape", "slash", "question_mark", "s", "S", "1", "2", "3", "b", "o", "x",
    "tab", "C", "v", "y", "d", "u", "f", "a", "ctrl+p", "m", "i", "l", "comma", "z",
)  # fmt: skip
SIZES = ((80, 24), (120, 40), (200, 50), (60, 15), (170, 45))
THEMES = ("textual-dark", "textual-light", "nord", "ansi-dark")


class MemoryDriver(HeadlessDriver):
    """Keeps what is written until `take`."""

    is_headless = False
    sent: list[str]

    def write(self, data: str) -> None:
        self.__dict__.setdefault("sent", []).append(data)

    def take(self) -> str:
        sent, self.sent = self.__dict__.get("sent", []), []
        return "".join(sent)


class ComparedApp(RingbackApp):
    """Compares two terminals after each frame."""

    CSS_PATH = str(ROOT / "tui" / "app.tcss")
    frames = frames_sent = painted_size = textual_size = 0
    differs = _own = ""
    _terminals: tuple[MarginScreen, MarginScreen] | None = None
    _whole = Size()
    """Of what size the whole screen was drawn last."""
    _feeds: tuple[Callable[[str], None], ...] = ()

    def get_driver_class(self) -> type[Driver]:
        return MemoryDriver

    def take(self) -> str:
        """What was sent since the last frame that was compared."""
        assert isinstance(self._driver, MemoryDriver)
        return self._driver.take()

    def put_update(self, update: LayoutUpdate | ChopsUpdate) -> None:
        if isinstance(update, LayoutUpdate):
            self._whole = update.region.size
            if self._whole != self.size:  # the last line of Textual's would scroll its terminal
                self._terminals, self._own = None, ""
        if not isinstance(update, LayoutUpdate) or self._whole == self.size:
            self._own += update.render_segments(self.console)
        super().put_update(update)

    def send_frame(self, screen: Screen[object]) -> None:
        width, height = self.size
        if self._terminals is None or self._terminals[0].cells_size != (width, height):
            self._terminals = MarginScreen(width, height), MarginScreen(width, height)
            self._feeds = tuple(MarginStream(terminal).feed for terminal in self._terminals)
            for feed in self._feeds:
                feed(NO_WRAP)
            self.forget_terminal()
        cursor = self.screen.outer_size.clamp_offset(self.cursor_position)
        own, self._own = self._own + Control.move_to(*cursor).segment.text, ""
        self.take()
        super().send_frame(screen)
        painted = self.take()
        for feed, text in zip(self._feeds, (own, painted), strict=True):
            feed(text)
        self.frames += 1
        self.frames_sent += bool(painted)
        self.textual_size += len(own)
        self.painted_size += len(painted)
        textual, ours = self._terminals
        if self._whole != self.size:
            self.forget_terminal()
        elif ours.cells() != textual.cells() or ours.where != textual.where:
            self.differs = self.differs or f"frame {self.frames}: {ours.display} {textual.display}"


@pytest.mark.parametrize("seed", few(1, range(10)))
async def test_the_terminal_shows_what_textual_would_have_sent(
    paths: Paths, filled: Path, seed: int
) -> None:
    random = Random(seed)
    app = ComparedApp(desk_of(paths, filled))
    app.has_margins = bool(seed % 2)
    app.erases_with_color = seed % 3 != 2
    async with app.run_test(headless=False, size=random.choice(SIZES)) as pilot:
        for _ in range(120):
            if random.random() < 0.04:
                await pilot.resize_terminal(*random.choice(SIZES))
            if random.random() < 0.02:
                app.theme = random.choice(THEMES)
            if random.random() < 0.02:
                app.forget_terminal()
                app.screen.refresh()
            await pilot.press(random.choice(KEYS))
            assert not app.differs
    assert app.frames > 60
    assert app.painted_size < app.textual_size / 2
    print(f"{app.frames} frames: {app.textual_size:,} -> {app.painted_size:,}")


async def test_a_key_is_answered_in_one_frame(paths: Paths, filled: Path) -> None:
    app = ComparedApp(desk_of(paths, filled))
    app.has_margins = app.erases_with_color = True
    async with app.run_test(headless=False, size=(120, 40)) as pilot:
        page = CallsPage(pilot)
        await page.idle()
        await page.press(*["j"] * 40)
        for key, most in (("j", 350), ("j", 350), ("pagedown", 4_000)):
            await page.idle()
            before, size = app.frames_sent, app.painted_size
            await page.press(key)
            await page.idle()
            assert app.frames_sent == before + 1, key
            assert app.painted_size - size < most, key
        assert not app.differs


MOST_BYTES = {
    "j": 250, "enter": 640, "p": 640, "a": 1_230, "C": 1_990, "E": 750, "D": 240, "t": 250,
    "slash": 310, "question_mark": 2_530, "ctrl+p": 2_360,
}  # fmt: skip
"""Of what each key brings about at 120 columns and 40 lines, a tenth above what was reached. The
help is 1.4 kB of letters, the palette and the columns' chooser as much with their marks.
"""


@pytest.mark.parametrize("key", MOST_BYTES)
async def test_a_key_costs_few_bytes(paths: Paths, filled: Path, key: str) -> None:
    app = ComparedApp(desk_of(paths, filled))
    app.has_margins = app.erases_with_color = True
    async with app.run_test(headless=False, size=(120, 40)) as pilot:
        page = CallsPage(pilot)
        await page.idle()
        await page.press("j", "j")
        await page.idle()
        before = app.painted_size
        await page.press(key)
        await page.idle()
        size = app.painted_size - before
        assert not app.differs
    print(f"{key}: {size:,} B")
    assert 0 < size <= MOST_BYTES[key]


@pytest.mark.parametrize(
    ("terminal", "erases"), [("xterm-256color", True), ("screen-256color", False), ("none", False)]
)
def test_terminfo_says_whether_a_terminal_erases_with_color(terminal: str, erases: bool) -> None:
    asks = "from tui.screens.terminal_driver import erases_with_color as e; print(e(1))"
    environment = {**os.environ, "TERM": terminal}
    command = [sys.executable, "-c", asks]
    said = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True)
    assert said.stdout.split() == [str(erases).encode()]


async def test_another_textual_draws_itself(
    paths: Paths, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(painted_app, "knows_textual", lambda: False)
    app, screen = ComparedApp(desk_of(paths, filled)), MarginScreen(120, 40)
    stream = MarginStream(screen)

    async with app.run_test(headless=False, size=(120, 40)) as pilot:
        page = CallsPage(pilot)

        def is_drawn() -> bool:
            stream.feed(app.take())
            return page.text.splitlines() == [line.rstrip() for line in screen.display]

        await page.idle()
        await pilot.press("j", "slash", "escape")
        await page.until(is_drawn)
        assert app.frames == 0
