"""How soon a key is heard at the listener's side of SSH: 25 ms each way, 5 Mbit/s, a real sshd.

The bounds are twice what is aimed at (0.3, 0.1 and 0.2 s), for a machine that does other things
too; the figures are printed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import pytest

from tests.audio import sound_servers, sounds, ssh_host
from tests.audio.listener import Listener
from tests.audio.ssh_host import Line, NearSpeaker, sshd_in
from tui.audio.client.player import FileSource

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(ssh_host.NO_SSHD), reason=ssh_host.NO_SSHD or ""),
    pytest.mark.skipif(bool(sound_servers.NO_PULSE), reason=sound_servers.NO_PULSE or ""),
]
ROUNDS = 5
LOUD = 10_000
"""The recording is at first never as loud, and always where is sought to."""
AIMS = {"first sound": 0.3, "first sound, WAV": 0.3, "pause": 0.1, "seek": 0.2}


class Moments:
    """What a recorder of the listener's sound wrote, and when keys were pressed in it."""

    def __init__(self, rig: sound_servers.Pulse) -> None:
        self._rig = rig
        self.keys: list[tuple[str, float]] = []

    def key(self, name: str) -> None:
        self.keys.append((name, self._rig.recorded_s()))

    def reactions(self, raw: bytes) -> dict[str, list[float]]:
        """Seconds from each key to the first frame (or, of a pause, behind the last) it led to."""
        frames = sound_servers.samples(raw)
        found: dict[str, list[float]] = {}
        for name, at_s in self.keys:
            start = round(at_s * sound_servers.RATE)
            end = start + sound_servers.RATE
            places = (i for i in range(start, end) if self._fits(name, frames, i))
            place = next(places, None)
            assert place is not None, f"{name} was not heard within a second"
            found.setdefault(name, []).append((place - start) / sound_servers.RATE)
        return found

    @staticmethod
    def _fits(name: str, frames: Sequence[int], i: int) -> bool:
        left, right = frames[2 * i], frames[2 * i + 1]
        if name == "pause":
            return not any(frames[2 * i : 2 * i + sound_servers.RATE // 50])
        if name == "seek":
            return abs(left) > LOUD
        return bool(left or right)


async def until(true: object, timeout_s: float = 15.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not true():  # type: ignore[operator]
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)


async def test_a_key_is_heard_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "p").mkdir()
    rig = sound_servers.Pulse(tmp_path / "p", nearby=True)
    tone = sounds.tone(180, 8000)  # it swells to twice as loud
    coded = sounds.encode(tone, 8000, 1, "mp3", "libmp3lame", bit_rate=16_000)
    wav = FileSource(sounds.write(tmp_path, "a.wav", sounds.wav(tone, 8000)))
    mp3 = FileSource(sounds.write(tmp_path, "a.mp3", coded))
    with sshd_in(tmp_path) as sshd:
        monkeypatch.setenv("RINGBACK_RUNTIME_DIR", str(sshd.runtime))
        monkeypatch.setenv("SSH_CONNECTION", "10.0.0.9 50000 10.0.0.1 22")
        line = Line(sshd.port)
        await line.start()
        speaker = NearSpeaker(sshd, line.port, **rig.environment)
        await until(lambda: sshd.speakers() and "connected" in speaker.words)
        listener = Listener(tmp_path, None)
        player, moments = listener.player, Moments(rig)
        try:
            rig.record()
            for round_ in range(ROUNDS):
                if round_ in (1, 3):  # once with the device shut at the other end
                    await asyncio.sleep(6)
                await asyncio.sleep(0.5)
                moments.key("first sound, WAV")
                await player.play(wav)
                await listener.until("playing")
                await asyncio.sleep(0.7)
                player.stop()
                await asyncio.sleep(0.7)
                moments.key("first sound")
                await player.play(mp3)
                await listener.until("playing")
                await asyncio.sleep(1.0)
                moments.key("pause")
                player.pause()
                await asyncio.sleep(1.0)
                player.resume(rewind_s=0)
                await asyncio.sleep(0.7)
                moments.key("seek")
                player.seek_to(170.0)
                await asyncio.sleep(1.0)
                player.stop()
                await asyncio.sleep(0.5)
            reactions = moments.reactions(rig.stop())
        finally:
            await player.close()
            await asyncio.to_thread(speaker.end)
            await until(lambda: not sshd.speakers())
            await line.close()
            rig.close()
    for name, seconds in reactions.items():
        print(f"{name}: median {median(seconds) * 1000:.0f} ms, worst {max(seconds) * 1000:.0f}")
    slow = {name: median(s) for name, s in reactions.items() if median(s) > 2 * AIMS[name]}
    assert not slow
