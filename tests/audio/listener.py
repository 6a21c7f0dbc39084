"""A player as a screen has it: what it plays, all that it said, and ways to wait for more."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

from tests.audio import sounds
from tests.audio.processes import children_of, engines_of
from tui.audio.client.player import FileSource, Player, PlayerState
from tui.audio.peaks import Peaks

OVER = ("ended", "failed")


class Listener:
    """A player with a real engine. `output` as `Player`; None: as the environment decides."""

    def __init__(self, folder: Path, output: str | None) -> None:
        self.states: list[tuple[float, PlayerState]] = []
        self.player = Player(self._changed, output)
        self.player.rewind_s = 0.0  # a pause loses and repeats nothing, unless a test wants it
        self._folder = folder

    def _changed(self, state: PlayerState) -> None:
        self.states.append((time.monotonic(), state))

    @property
    def state(self) -> PlayerState:
        return self.player.state

    @property
    def peaks(self) -> Peaks:
        assert self.player.peaks is not None
        return self.player.peaks

    async def play(self, data: bytes, *, start_s: float = 0.0) -> None:
        path = sounds.write(self._folder, f"{len(self.states)}.bin", data)
        await self.player.play(FileSource(path), start_s=start_s)

    async def until(
        self, what: str | Callable[[PlayerState], bool], timeout_s: float = 40.0
    ) -> PlayerState:
        """Wait for a status, or for anything else that can be said of a state."""
        test = (lambda state: state.status == what) if isinstance(what, str) else what
        async with asyncio.timeout(timeout_s):
            while not test(self.state):
                if isinstance(what, str) and self.state.status in OVER:
                    raise AssertionError(f"{self.state} while waiting for {what}")
                await asyncio.sleep(0.005)
        return self.state

    async def reached(self, second: float) -> PlayerState:
        """Wait until more than this of the recording was heard."""
        return await self.until(lambda _: self.player.position_s > second)

    async def over(self, timeout_s: float = 20.0) -> PlayerState:
        return await self.until(lambda state: state.status in OVER, timeout_s)

    async def measured(self) -> Peaks:
        """Wait until its peaks are complete."""
        await self.until(lambda _: self.peaks.complete)
        return self.peaks

    @property
    def pid(self) -> int:
        """The process of its engine, the only one that this program has started."""
        [pid] = engines_of(os.getpid())
        return pid

    @property
    def pids(self) -> list[int]:
        """The engine's, and those of the processes that decode for it."""
        return [self.pid, *children_of(self.pid)]


Listen = Callable[..., Listener]
