"""Damaged files by the thousand, through one engine: what they cost, and that it is never it."""

from __future__ import annotations

import asyncio
import random
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.audio.damaged_files import NAMES, damaged, whole
from tests.audio.processes import children_of
from tui.audio.client.engine_process import EngineProcess

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

MEMORY_MB = 120
SILENT_S = 300.0  # a step of a decoder is ended long before, by the time it takes
ENGINES = 4  # each of them waits for its clock now and then
DEATHS = {
    "decoding it has crashed": "crash",
    "decoding it takes for ever": "time",
    "the system has ended its decoder, perhaps for want of memory": "memory",
}
"""By what is said of a recording whose decoder died."""
OPTIONS: dict[str, Any] = {
    "start": 0.0, "speed": 1.0, "volume": 1.0, "paused": False, "skip": False, "side": "both",
    "loop": None, "peaks": True,
}  # fmt: skip


def peak_mb(pid: int) -> float:
    """The most memory that a process has had; 0 when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


@dataclass
class Toll:
    """What became of the files."""

    ends: Counter[str] = field(default_factory=Counter)
    """How playing ended: ``ended`` or the reason of the failure."""
    measured: Counter[str] = field(default_factory=Counter)
    deaths: list[tuple[int, str]] = field(default_factory=list)
    """Which file ended a process that played, and how."""
    unmeasured: list[tuple[int, str]] = field(default_factory=list)
    """Which file ended one that measured."""
    peak_mb: float = 0.0


class Player:
    """Plays files into nothing, as fast as it goes, and measures them."""

    def __init__(self, child: EngineProcess, toll: Toll) -> None:
        self._child, self.toll = child, toll
        self._messages = child.messages()

    async def play(self, number: int, data: bytes) -> None:
        """Until it has ended or failed, and is measured or given up. Raises on silence."""
        dice = random.Random(number)
        size = None if dice.random() < 0.2 else len(data)
        near = {"near": dice.random() < 0.5, "size": size}
        self._child.send({"do": "open", "id": number, "seq": number, **OPTIONS, **near})
        seek = dice.random() < 0.3
        end: str = ""
        measured: str = ""
        async with asyncio.timeout(SILENT_S):
            async for header, _ in self._messages:
                if header.get("id") != number:
                    continue
                match header["is"]:
                    case "get":
                        self._give(number, data, header["at"], header["n"])
                    case "ready" if seek and not header["exact"]:
                        seek = False
                        to_s = (header["length"] or 4.0) * dice.random()
                        self._child.send({"do": "seek", "id": number, "seq": number, "to": to_s})
                        self._child.send({"do": "speed", "x": dice.choice((0.5, 1.0, 1.7, 3.0))})
                    case "at" if header["state"] == "ended":
                        end = "ended"
                    case "peaks" if header["done"]:
                        measured = "measured"
                    case "unmeasured":
                        measured = header["reason"]
                    case "failed":
                        end = DEATHS.get(header["detail"], str(header["reason"]))
                if end and (measured or end != "ended"):
                    break
            else:
                raise AssertionError(f"file {number} has ended the engine")
        self._note(number, end, measured)

    def _give(self, number: int, data: bytes, at: int, n: int) -> None:
        """What was asked for; no bytes at the file's end."""
        pieces = [(at, data[at : at + n])]
        if len(pieces[0][1]) < n:
            pieces.append((max(at, len(data)), b""))
        for at, piece in pieces:
            self._child.send({"do": "data", "id": number, "at": at}, piece)

    def _note(self, number: int, end: str, measured: str) -> None:
        self.toll.ends[end] += 1
        self.toll.measured[measured or "not played"] += 1
        if end in DEATHS.values():
            self.toll.deaths.append((number, end))
        if measured in DEATHS.values():
            self.toll.unmeasured.append((number, measured))
        peaks = map(peak_mb, children_of(self._child.pid))
        self.toll.peak_mb = max(self.toll.peak_mb, *peaks, 0.0)


async def through_engines(count: int) -> Toll:
    """So many files, all by a few engines that live on."""
    toll, numbers = Toll(), iter(range(count))

    async def work() -> None:
        child = await EngineProcess.start("wav:/dev/null")
        player = Player(child, toll)
        try:
            for number in numbers:
                name, data = damaged(number)
                try:
                    await player.play(number, data)
                except TimeoutError:
                    raise AssertionError(f"silence after file {number} ({name})") from None
        finally:
            await child.end()

    async with asyncio.TaskGroup() as group:
        for _ in range(ENGINES):
            group.create_task(work())
    return toll


@pytest.mark.parametrize(
    "count",
    [
        pytest.param(200, marks=pytest.mark.slow),
        pytest.param(10_000, marks=[pytest.mark.long, pytest.mark.timeout(3600)]),
    ],
)
async def test_damaged_files_cost_nobody_the_playing(
    count: int, figure: Callable[[str, object, str], None]
) -> None:
    toll = await through_engines(count)
    print(toll)
    about = f"damaged files of {len(NAMES)} formats through {ENGINES} engines"
    figure(about, sum(toll.ends.values()), "10,000")
    figure(f"{about}: played to an end", toll.ends["ended"], "")
    figure(f"{about}: deaths that cost the playing", len(toll.deaths), "0")
    figure(f"{about}: deaths that cost a waveform", len(toll.unmeasured), "")
    figure(f"{about}: most memory of a process, MB", f"{toll.peak_mb:.0f}", f"<= {MEMORY_MB}")
    assert not toll.deaths
    assert toll.peak_mb <= MEMORY_MB
    assert toll.ends["ended"] > count / 3  # most damages leave something to be heard


def test_the_files_before_they_are_damaged_are_of_every_format() -> None:
    assert len({whole(name)[:12] for name in NAMES}) > 12
    assert damaged(7) == damaged(7)
