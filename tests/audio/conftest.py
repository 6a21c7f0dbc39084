"""What the tests of the sound share: files of every kind, and players that are put away."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.audio import sounds
from tests.audio.listener import Listen, Listener
from tests.audio.relay_sockets import folder as folder
from tests.audio.relay_sockets import listening as listening


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


@pytest.fixture
async def listen(tmp_path: Path) -> AsyncIterator[Listen]:
    made: list[Listener] = []

    def make(output: str | None = "none") -> Listener:
        made.append(Listener(tmp_path, output))
        return made[-1]

    yield make
    for listener in made:
        await listener.player.close()
