"""Hours of work in minutes: keys all along, while the vendors misbehave. Nothing piles up."""

from __future__ import annotations

import asyncio
import os
import select
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import NamedTuple

import pytest

from providers.sandbox import VENDORS
from tests.benchmarks.misbehaving import Misbehaving
from tests.ui.services import services_for
from tests.ui.terminal import Program
from tui.services import Services
from tui.sync.jobs import sync_all
from tui.sync.sync import SyncRequest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
ROUND = (
    "jjjjjj", "kk", "G", "g", "\x04", "\x15", "/missed\r", "\x1b", "/anna dur>30\r", "\x1b",
    "\r", "q", "?", "q", "C\x1b", "xjxd", "u", "tspam\r", "u", "f", "u", "Dlater\r", "u", "r",
    " ", " ", " ", "]", "=", "\x1b[C", "W", "\x1b", "s", "a", "q", ":half\x1b", "\x1b", "E\x1b", "b",
    "b", "p", "p", "n", "N", "2", "1", "yi", "J", "\x1b", "z", "z", "U", "\x18", "\x1b", "\x1b",
)  # fmt: skip
"""Keys that leave everything as it was."""
STEPS = "jkjkjkjk"
"""Keys whose time is taken, one by one."""
REFRESH_S = 1
MB = 1024


class Seen(NamedTuple):
    """The program at the end of a round."""

    rss_mb: float
    threads: int
    files: int
    children: int
    key_s: float
    key_work_s: float
    """Of the processors: what a busy machine adds to the clock is no part."""


@pytest.fixture
def vendors() -> Iterator[Misbehaving]:
    with Misbehaving(now=datetime.now(UTC), calls=600) as sandbox:
        yield sandbox


@pytest.fixture
def services(vendors: Misbehaving) -> Services:
    """All calls are here, so that none is new; the vendors are asked as often as can be set."""
    made = services_for(vendors, VENDORS, os.environ)
    with made.open_archive() as archive:
        asyncio.run(sync_all(made, made.accounts.list(), archive, SyncRequest()))
    config = made.paths.config_file
    config.write_text(f"[app]\nrefresh_s = {REFRESH_S}\n\n{config.read_text()}")
    return made


def _seen(program: Program) -> Seen:
    took, worked = [], []
    for key in STEPS:
        began, before = time.monotonic(), program.cpu_s
        program.write(key)
        select.select([program.fd], [], [], 10)
        took.append(time.monotonic() - began)
        program.read(quiet_s=0.02, wait_s=0.1, show=False)
        worked.append(program.cpu_s - before)
    proc = Path(f"/proc/{program.pid}")
    return Seen(
        program.rss_kib / MB,
        len([*proc.glob("task/*")]),
        len([*proc.glob("fd/*")]),
        sum(len(one.read_text().split()) for one in proc.glob("task/*/children")),
        median(took),
        median(worked),
    )


def _soak(program: Program, rounds: int, minutes: float) -> Iterator[Seen]:
    """Rounds of keys, as many as fit into so many minutes at least."""
    until, done = time.monotonic() + 60 * minutes, 0
    while done < rounds or time.monotonic() < until:
        for keys in ROUND:
            program.press(keys, quiet_s=0.02, wait_s=0.1, show=False)
        program.read(quiet_s=0.3, wait_s=0.1, show=False)
        program.output = b""
        done += 1
        yield _seen(program)


@pytest.mark.parametrize(
    ("warm", "rounds", "minutes"),
    [  # Textual's caches hold what they will hold after some three minutes of keys
        pytest.param(4, 9, 0, marks=pytest.mark.slow, id="short"),
        pytest.param(30, 9, 30, marks=[pytest.mark.long, pytest.mark.timeout(2700)], id="long"),
    ],
)
def test_nothing_piles_up_while_the_vendors_misbehave(
    warm: int,
    rounds: int,
    minutes: float,
    vendors: Misbehaving,
    services: Services,
    figure: Callable[[str, object, str], None],
) -> None:
    tokens = {f"RINGBACK_TOKEN_{name.upper()}": vendors.tokens[name] for name in VENDORS}
    with Program("tui.cli", columns=100, rows=30, RINGBACK_AUDIO="none", env=tokens) as program:
        program.wait_for("rows 1-")
        vendors.misbehaves = True
        began, asked = time.monotonic(), len(vendors.requests)
        seen = [*_soak(program, warm + rounds, minutes)][warm:]
        took_s, asked = time.monotonic() - began, len(vendors.requests) - asked
        code, _ = program.leave(wait_s=60)
        restored = program.restored
    third = len(seen) // 3
    first, last = seen[:third], seen[-third:]
    grown = median(one.rss_mb for one in last) - first[0].rss_mb
    slower = median(one.key_work_s for one in last) / median(one.key_work_s for one in first)
    key_ms, work_ms = (
        1000 * median(times) for times in zip(*(one[-2:] for one in last), strict=True)
    )
    for what, value, goal in (
        ("length", f"{took_s / 60:.1f} minutes, {asked:,} requests", ""),
        ("memory", f"{first[0].rss_mb:.1f} MB, then {grown:+.1f} MB", "within 5 MB"),
        ("threads", f"{first[0].threads}, then {last[-1].threads}", "as at the start"),
        (
            "open files",
            f"{_least(first, 'files')}, then {_least(last, 'files')}",
            "as at the start",
        ),
        ("a key", f"{key_ms:.0f} ms, of it work {work_ms:.1f} ms: x {slower:.2f}", "flat"),
    ):
        figure(f"soak, {what}", value, goal)
    assert code == 0 and restored
    assert asked > rounds
    assert grown < 5
    # a pool of threads fills slowly, a question to the archive opens its files for a moment
    assert _least(last, "threads") <= _least(first, "threads") + 4
    assert _least(last, "files") <= _least(first, "files") + 4
    assert max(one.children for one in seen) <= 1, "the sound engine, once"
    assert slower < 2
    log = services.paths.log_file.read_text()
    assert "never retrieved" not in log and "Traceback" not in log, log[-4000:]


def _least(seen: list[Seen], what: str) -> int:
    return min(int(getattr(one, what)) for one in seen)
