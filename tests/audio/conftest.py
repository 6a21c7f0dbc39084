"""What the tests of the sound share: files of every kind, and players that are put away."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.audio import sounds
from tui.audio.client.player import FileSource, Player, PlayerState

OVER = ("ended", "failed")


@pytest.fixture(scope="session")
def kinds() -> dict[str, bytes]:
    return sounds.all_kinds()


@pytest.fixture(scope="session")
def longer() -> dict[str, bytes]:
    return sounds.all_kinds(2.5)


@pytest.fixture(autouse=True)
def no_device_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test is heard, and none depends on the machine's own sound."""
    for name in ("SSH_CONNECTION", "RINGBACK_AUDIO", "PULSE_SERVER", "ALSA_CONFIG_PATH"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "asound.conf").write_text("")
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(tmp_path / "asound.conf"))
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path}/no-pulse-here")


class Listener:
    """A player, all that it said, and ways to wait for more."""

    def __init__(self, folder: Path, output: str | None) -> None:
        self.states: list[tuple[float, PlayerState]] = []
        self.player = Player(self._heard, output)
        self.player.rewind_s = 0.0  # a pause loses and repeats nothing, unless a test wants it
        self._folder = folder

    def _heard(self, state: PlayerState) -> None:
        self.states.append((time.monotonic(), state))

    @property
    def state(self) -> PlayerState:
        return self.player.state

    async def play(self, data: bytes, **kwargs: float) -> None:
        path = sounds.write(self._folder, f"{len(self.states)}.bin", data)
        await self.player.play(FileSource(path), **kwargs)

    async def until(
        self, what: str | Callable[[PlayerState], bool], timeout_s: float = 10.0
    ) -> PlayerState:
        """Wait for a status, or for anything else that can be said of a state."""
        test = (lambda state: state.status == what) if isinstance(what, str) else what
        async with asyncio.timeout(timeout_s):
            while not test(self.state):
                if isinstance(what, str) and self.state.status in OVER:
                    raise AssertionError(f"{self.state} while waiting for {what}")
                await asyncio.sleep(0.005)
        return self.state

    async def over(self, timeout_s: float = 20.0) -> PlayerState:
        return await self.until(lambda state: state.status in OVER, timeout_s)

    @property
    def pid(self) -> int:
        assert self.player._child is not None
        return self.player._child.pid

    @property
    def pids(self) -> list[int]:
        """The engine's, and those of the processes that decode for it."""
        return [self.pid, *children_of(self.pid)]


@pytest.fixture
async def listen(tmp_path: Path) -> AsyncIterator[Callable[..., Listener]]:
    made: list[Listener] = []

    def make(output: str | None = "none") -> Listener:
        made.append(Listener(tmp_path, output))
        return made[-1]

    yield make
    for listener in made:
        await listener.player.close()


def children_of(pid: int) -> list[int]:
    """The processes that it has started, as Linux tells."""
    found: list[str] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):  # a thread that has just ended
            found += task.read_text().split()
    return sorted(map(int, found))


def worker_of(engine: int, role: str) -> int | None:
    """The process that decodes for an engine in this role, if there is one now."""
    for pid in children_of(engine):
        with suppress(OSError):
            if Path(f"/proc/{pid}/cmdline").read_bytes().endswith(f"{role}\0".encode()):
                return pid
    return None


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
