"""The screen over a large archive beside a Textual program of one word, in the same run."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.benchmarks.fill import fill
from tests.ui.terminal import Program
from tui.config.accounts import AccountStore
from tui.config.paths import Paths

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
CALLS = {"short": 5_000, "long": 100_000}


class Measured(NamedTuple):
    """Seconds, and seconds of the processor, until the marker stood on the screen, and KiB in
    memory a while later.
    """

    start_s: float
    work_s: float
    rss_kib: int


def measure(module: str, marker: str) -> Measured:
    with Program(module, RINGBACK_TOKEN_DESK="x") as program:
        start = program.wait_for(marker)
        program.read(quiet_s=1.5, wait_s=1.5)
        return Measured(*start, program.rss_kib)


@pytest.fixture(params=["short", "long"])
def calls(request: pytest.FixtureRequest) -> Iterator[int]:
    """How many calls the archive of this test's home has."""
    count = CALLS[request.param]
    fill(os.environ, count)
    yield count


@pytest.mark.slow
def test_start_and_memory_stay_near_those_of_one_word(calls: int) -> None:
    ours, words = [], []
    measure("tests.benchmarks.hello", "READY")  # warms the disk's cache
    for _ in range(5):
        words.append(measure("tests.benchmarks.hello", "READY"))
        ours.append(measure("tui.cli", "answered"))
    # the least of five: what a busy machine adds is no part of either program
    start, work, memory = (
        min(one[figure] for one in ours) / min(one[figure] for one in words) for figure in range(3)
    )
    print(f"{calls:,} calls: start x {start:.2f} (work x {work:.2f}), memory x {memory:.2f}")
    # a busy machine comes and goes: it may spoil most pairs, those that it spared count
    beside = sorted(our[1] / word[1] for our, word in zip(ours, words, strict=True))
    assert beside[1] < 1.75
    assert memory < 1.8


@pytest.mark.slow
def test_bytes_for_each_key_and_for_nothing(calls: int, paths: Paths) -> None:
    AccountStore(paths).remove("desk")  # a vendor's answer would be something that happens
    with Program("tui.cli") as program:
        program.wait_for(f"of {calls:,}")
        program.read(quiet_s=1.0)
        steps = [len(program.press("j")) for _ in range(5)]
        program.press("j" * 40)
        scrolls = [len(program.press("j")) for _ in range(5)]
        ends = [len(program.press(key)) for key in "Gg"]
        print(f"{calls:,} calls: step {max(steps)} B, scroll {max(scrolls)} B, end {max(ends)} B")
        assert max(steps) < 1_500
        assert max(scrolls) < 10_000
        assert max(ends) < 10_000
        # the screen looks once a second whether anything is new
        assert program.read(wait_s=3.0 if calls > 10_000 else 1.3) == b""
