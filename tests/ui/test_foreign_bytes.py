"""Generated calls through every screen and every command, in a pseudo-terminal.

What leaves may hold only the sequences that a twin with harmless texts sends too, for the same
keys and the same command lines.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest

from tests.ui import foreign
from tests.ui.terminal import Program
from tests.widgets.terminal import MOVES, SEQUENCE
from tests.widgets.test_in_a_terminal import STYLES
from tui.config.accounts import make_account
from tui.services import Services

TWIN = 12
"""So many calls have all kinds of harmless texts in all places."""
ARCHIVE = 1000
"""Calls of one archive, and of one run of the screen."""
SHOWN_S = 120.0
MARKER = re.compile(r"[cs]\d{5}")
ROUND = 500
"""At one call of so many all that opens is opened."""


class Walker:
    """A program in a terminal, and which calls' markers stood on its screen."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self.markers: set[str] = set()

    def until(self, marker: str) -> None:
        """Read on until a text of a harmless kind stands on the screen."""
        deadline = time.monotonic() + SHOWN_S
        while marker not in self._look():
            assert time.monotonic() < deadline, f"{marker} is not shown"
            self._program.read(quiet_s=0.0, wait_s=0.05)

    def press(self, keys: str, marker: str = "", quiet_s: float = 0.03) -> None:
        self._program.press(keys, quiet_s, wait_s=0.08)
        self._look()
        if marker:
            self.until(marker)

    def _look(self) -> str:
        text = self._program.text
        self.markers.update(MARKER.findall(text))
        return text


def services_with(folder: Path, url: str, count: int, text: foreign.Text) -> dict[str, str]:
    """The environment of a user with so many calls of one account, whose vendor is at `url`."""
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith("RINGBACK_")},
        "RINGBACK_HOME": str(folder),
        "RINGBACK_RUNTIME_DIR": str(folder / "run"),
        "RINGBACK_TOKEN_DESK": "t0ken-42",
        "RINGBACK_AUDIO": "none",
    }
    services = Services.build(environ)
    services.accounts.add(make_account("desk", "nectar", url, {"call_ids": "900001-900005"}))
    with services.open_archive() as archive:
        archive.read_by("desk", 99)  # their raw is none of a vendor's: there is nothing to read
        for start in range(0, count, 500):
            with archive.transaction():
                archive.save(
                    "desk",
                    [foreign.call(n, text) for n in range(start, min(start + 500, count))],
                )
    return environ


def commands(folder: Path, environ: dict[str, str], calls: int, seed: int, harm: bool) -> bytes:
    """What command lines about all calls send."""
    again = foreign.texts(Random(seed), harm)  # the same calls once more, for their ids
    lines = foreign.lines_of(
        (foreign.call(n, again) for n in range(calls)), foreign.texts(Random(seed + 1), harm)
    )
    file = folder / "lines"
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    with Program("tests.ui.foreign", str(file), columns=120, rows=40, env=environ) as program:
        deadline = time.monotonic() + 60 + calls
        while time.monotonic() < deadline:
            pid, status = os.waitpid(program.pid, os.WNOHANG)
            program.read(quiet_s=0.0, wait_s=0.1, show=False)
            if pid:
                program.status = os.waitstatus_to_exitcode(status)
                break
        assert program.status == 0, program.output[-3000:]
        return program.output


def screens(environ: dict[str, str], calls: int) -> tuple[bytes, set[str]]:
    """What the screen sends while all calls are gone through, and all that opens is opened; and
    the calls' markers that stood on it, of which only what changed was sent.
    """
    with Program("tui.cli", columns=200, rows=90, env=environ) as program:
        walker = Walker(program)
        walker.until("rows 1-")
        walker.press("G")
        walker.press("g", f"s{calls - 1:05d}")
        for number in range(calls - 2, -1, -1):
            walker.press("\rG", quiet_s=0.03)
            walker.press("\x1bj", f"s{number:05d}", quiet_s=0.0)
        for number in range(0, calls, ROUND):
            walker.press("/")
            walker.press(f"c{number:05d}\r", f"s{number:05d}")
            for key in KEYS:
                walker.press(key)
        program.leave(wait_s=300)
        return program.output, walker.markers


KEYS = (
    *("\r", "\t", "\t", "G", "g", "\x1b"),  # the detail, its panes, its end
    *("J", "\x1b", "?", "G", "\x1b"),
    *("C", "j", "\x1b", "a", "j", "\x1b"),
    *("E", "\x1b", ":", "snooze", "\x1b"),
    *("/", "contact:c", "\t", "\x1b", "\x1b"),
    *("yn", "yi", "yl", "ys", "W", "\x1b"),
    *("t", "new tag\r", "D", "a note\r", "u", "u"),
    *("c", "\x1b", "Z", "\x1b", "x", "d", "u"),
    *("U", "r", "w", " ", "s", "2", "1", "\x1b", "b", "\t", "j", "\t", "b"),
)
"""One after the other, from the table back to it."""


class Sent(NamedTuple):
    """What the commands and the screen sent, and the calls' markers in it."""

    output: bytes
    markers: set[str]


def sent(folder: Path, calls: int, seed: int, harm: bool) -> dict[str, Sent]:
    """For so many calls that mean harm or do not."""
    folder.mkdir()
    with foreign.Vendor(Random(seed + 3), foreign.texts(Random(seed + 2), harm)) as vendor:
        environ = services_with(
            folder / "home", vendor.url, calls, foreign.texts(Random(seed), harm)
        )
        lines = commands(folder, environ, calls, seed, harm)
        markers = set(MARKER.findall(lines.decode(errors="replace")))
        return {"commands": Sent(lines, markers), "screens": Sent(*screens(environ, calls))}


@pytest.mark.slow
@pytest.mark.parametrize(
    "calls", [30, pytest.param(5000, marks=[pytest.mark.long, pytest.mark.timeout(7200)])]
)
def test_no_foreign_text_reaches_a_terminal_as_anything_but_text(
    tmp_path: Path, figure: Callable[[str, object, str], None], calls: int
) -> None:
    usual = sent(tmp_path / "benign", TWIN, 0, harm=False)
    bytes_sent = 0
    for seed in range(0, calls, ARCHIVE):
        many = min(ARCHIVE, calls - seed)
        hostile = sent(tmp_path / f"hostile-{seed}", many, seed, harm=True)
        wanted = {f"{letter}{number:05d}" for letter in "cs" for number in range(many)}
        for where, (output, markers) in hostile.items():
            harmless = usual[where].output
            assert foreign.kinds(output) <= foreign.kinds(harmless) | MOVES, (seed, where)
            assert foreign.controls(output) <= foreign.controls(harmless), (seed, where)
            assert foreign.carried(output) == [], (seed, where)
            assert foreign.SIGN.encode() in output, "it was there, as text"
            assert markers >= wanted, (seed, where)
            bytes_sent += len(output)
        styles = {one for one in SEQUENCE.findall(hostile["screens"].output) if one.endswith(b"m")}
        assert [style for style in styles if not STYLES.fullmatch(style)] == [], seed
    figure(
        "generated calls through every screen and command, no sequence but a benign twin's",
        f"{calls:,} calls, {bytes_sent:,} bytes",
        "5,000",
    )
