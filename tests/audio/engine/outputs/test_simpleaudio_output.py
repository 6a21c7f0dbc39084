"""The output simpleaudio: its rules with a device made of Python, its sound on every Python."""

from __future__ import annotations

import asyncio
import importlib
import os
import subprocess
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.audio import other_pythons, sound_servers, sounds
from tests.audio.heard import Heard, Run, ramp
from tests.audio.listener import Listen, Listener
from tests.audio.sound_servers import FRAME, RATE, needs_alsa, pulse_in, sounding
from tests.guards.readme_text import ROOT
from tui.audio.client.probe import probe
from tui.audio.client.route import choose_route
from tui.audio.engine.demuxer import Chunk
from tui.audio.engine.outputs.base import NoDevice
from tui.audio.engine.outputs.simpleaudio_output import (
    MISSING,
    UNLOADABLE,
    UNSAFE,
    SimpleaudioOutput,
)
from tui.audio.engine.pcm_queue import PcmQueue
from tui.audio.engine_environment import engine_environment

BRIDGE = list(Path("/usr/lib").glob("*/alsa-lib/libasound_module_pcm_pulse.so"))
NO_BRIDGE = sound_servers.NO_PULSE or (None if BRIDGE else "libasound2-plugins is not installed")
needs_bridge = pytest.mark.skipif(bool(NO_BRIDGE), reason=NO_BRIDGE or "")


# a device made of Python


class Device(types.ModuleType):
    """What simpleaudio does: reads a buffer a little ahead of the clock, in a thread."""

    def __init__(self) -> None:
        super().__init__("simpleaudio")
        self.heard = bytearray()
        self.clock = True
        self.refuses = ""
        self.dead = False
        self.plays = 0

    def play_buffer(self, sound: bytearray, channels: int, width: int, rate: int) -> Any:
        assert (channels, width, rate) == (2, 2, RATE)
        if self.refuses:
            raise RuntimeError(self.refuses)
        self.plays += 1
        return _Playing(self, sound)


class _Playing:
    def __init__(self, device: Device, sound: bytearray) -> None:
        self._device, self._sound = device, memoryview(sound)
        self._stopped = False
        if not device.clock:
            device.heard[:] = sound  # as ALSA's file plugin, which begins its file anew
            return
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        begun, at = time.monotonic(), 0
        while at < len(self._sound) and not (self._stopped or self._device.dead):
            passed = time.monotonic() - begun
            to = min(len(self._sound), round(max(0.2, passed + 0.1) * RATE) * FRAME)
            self._device.heard += self._sound[at:to]
            at = to
            time.sleep(0.01)
        if not self._stopped:
            time.sleep(0.1)

    def is_playing(self) -> bool:
        return self._device.clock and self._thread.is_alive()

    def stop(self) -> None:
        self._stopped = True


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Device:
    made = Device()
    monkeypatch.setitem(sys.modules, "simpleaudio", made)
    monkeypatch.setenv("PYTHONMALLOC", "malloc")
    return made


class Decoder:
    """Puts a ramp into a queue, as the engine's decoder does, again from wherever it is sent."""

    def __init__(self, seconds: float) -> None:
        self.queue = PcmQueue()
        self._pcm = sounds.ramp(seconds).tobytes()
        self._seq = 0

    def go(self, from_s: float = 0.0, *, late_s: float = 0.0) -> None:
        self._seq += 1
        number = self.queue.restart(self._seq, from_s)
        threading.Thread(target=self._put, args=(number, from_s, late_s), daemon=True).start()

    def _put(self, number: int, from_s: float, late_s: float) -> None:
        time.sleep(late_s)
        step = RATE // 10 * FRAME
        for at in range(round(from_s * RATE) * FRAME, len(self._pcm), step):
            chunk = Chunk(self._pcm[at : at + step], at / FRAME / RATE, 1.0)
            if not self.queue.put(number, chunk):
                return
        self.queue.finish(number, 0.0)

    def until(self, test: Callable[[], bool], timeout_s: float = 8.0) -> None:
        until = time.monotonic() + timeout_s
        while not test():
            assert time.monotonic() < until
            time.sleep(0.005)

    def ended(self) -> bool:
        return self.queue.heard().state == "ended"


Opened = Callable[..., SimpleaudioOutput]


@pytest.fixture
def opened(device: Device) -> Iterator[Opened]:
    made: list[SimpleaudioOutput] = []

    def make(decoder: Decoder, length_s: float = 1.5) -> SimpleaudioOutput:
        made.append(SimpleaudioOutput(decoder.queue, length_s))
        return made[-1]

    yield make
    device.dead = True
    for sink in made:
        sink.close()


@pytest.mark.slow
def test_a_long_recording_goes_from_one_bytearray_to_the_next(
    device: Device, opened: Opened
) -> None:
    decoder = Decoder(3.4)
    decoder.go()
    opened(decoder)
    decoder.until(decoder.ended)
    assert Heard(bytes(device.heard)).frames() == [(0, round(3.4 * RATE) - 1)]
    assert device.plays == 3
    assert decoder.queue.heard().at_s == pytest.approx(3.4)


def test_the_first_sound_is_waited_for(device: Device, opened: Opened) -> None:
    """Else a quarter of a second of silence would be heard before it."""
    decoder = Decoder(0.3)
    decoder.go(late_s=0.05)
    opened(decoder)
    decoder.until(decoder.ended)
    assert Heard(bytes(device.heard)).runs == [Run(0, round(0.3 * RATE) - 1, 0)]


def test_what_the_device_has_not_read_is_taken_back(device: Device, opened: Opened) -> None:
    """A pause, a seek, and no sound lost or heard twice, in time."""
    decoder = Decoder(3.0)
    decoder.go()
    opened(decoder)
    decoder.until(lambda: decoder.queue.heard().at_s > 0.4)
    read_at_pause = len(device.heard)
    decoder.queue.pause(True)
    time.sleep(0.6)
    paused_at_s = decoder.queue.heard().at_s
    decoder.queue.pause(False)
    decoder.until(lambda: decoder.queue.heard().at_s > 0.9)
    read_at_seek = len(device.heard)
    decoder.go(2.5)
    decoder.until(decoder.ended)

    heard = Heard(bytes(device.heard))
    (first, left_at), sought = heard.frames()
    assert first == 0
    assert sought == (round(2.5 * RATE), 3 * RATE - 1)
    assert 0.9 * RATE < left_at < 1.5 * RATE
    (before, after), last = heard.longest_silence(), heard.runs[-1]
    assert before[1] + 1 == after[0] == pytest.approx(paused_at_s * RATE, abs=RATE * 0.03)
    assert before.end - read_at_pause / FRAME < 0.3 * RATE
    assert last[2] - last[0] + sought[0] - read_at_seek / FRAME < 0.5 * RATE


@pytest.mark.slow
def test_a_new_volume_is_heard_at_once_and_once(device: Device, opened: Opened) -> None:
    decoder = Decoder(2.0)
    decoder.go()
    opened(decoder)
    decoder.until(lambda: decoder.queue.heard().at_s > 0.5)
    read = len(device.heard)
    decoder.queue.volume(0.0)
    decoder.until(decoder.ended)
    heard = Heard(bytes(device.heard))
    ((first, last),) = heard.frames()
    assert first == 0
    assert 0 <= last - read / FRAME < 0.5 * RATE  # of the 1.5 s that were still to come


def test_a_device_without_a_clock_gets_its_sound_whole(device: Device, opened: Opened) -> None:
    device.clock = False
    decoder = Decoder(0.7)
    decoder.go()
    begun = time.monotonic()
    sink = opened(decoder)
    decoder.until(lambda: sink.per_recording)
    decoder.until(decoder.ended)
    assert time.monotonic() - begun > 0.6
    sink.close()
    assert Heard(bytes(device.heard)).frames() == [(0, round(0.7 * RATE) - 1)]


def test_a_device_that_dies_asks_for_nothing_more(device: Device, opened: Opened) -> None:
    decoder = Decoder(6.0)
    decoder.go()
    opened(decoder, 60.0)
    time.sleep(1.2)
    device.dead = True
    decoder.until(lambda: decoder.queue.silent_for() > 0.4)


def test_a_device_that_refuses_loses_no_sound(device: Device) -> None:
    device.refuses = "Error opening PCM device. -- CODE: -16 -- MSG: Device or resource busy"
    decoder = Decoder(1.0)
    decoder.go()
    with pytest.raises(NoDevice, match=r"no sound device found \(Device or resource busy\)"):
        SimpleaudioOutput(decoder.queue)
    assert Heard(decoder.queue.pull(RATE // 10)).frames() == [(0, RATE // 10 - 1)]


# what is said where it is not


@pytest.mark.parametrize(
    ("wrong", "words"), [(ModuleNotFoundError, MISSING), (ImportError, UNLOADABLE)]
)
def test_what_is_missing_is_said_with_the_cure(
    wrong: type[ImportError], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Finder:
        @staticmethod
        def find_spec(name: str, *_: object) -> None:
            if name == "simpleaudio":
                raise wrong(name)

    monkeypatch.setenv("PYTHONMALLOC", "malloc")
    monkeypatch.delitem(sys.modules, "simpleaudio", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Finder, *sys.meta_path])
    importlib.invalidate_caches()
    with pytest.raises(NoDevice) as raised:
        SimpleaudioOutput(PcmQueue())
    assert str(raised.value) == words


def test_a_python_that_it_would_crash_is_left_alone(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 12, 0))
    monkeypatch.delenv("PYTHONMALLOC")
    with pytest.raises(NoDevice) as raised:
        SimpleaudioOutput(PcmQueue())
    assert str(raised.value) == UNSAFE
    assert device.plays == 0


@pytest.mark.skipif(bool(find_spec("simpleaudio")), reason="simpleaudio is installed")
async def test_doctor_says_how_to_install_it() -> None:
    assert await probe("simpleaudio") == f"no sound: {MISSING}"
    assert "pipx inject ringback simpleaudio" in MISSING


def test_who_wishes_it_gets_it() -> None:
    assert choose_route({"RINGBACK_AUDIO": "simpleaudio"})[:3] == ("local", "simpleaudio", "")


# the real one


@pytest.fixture(params=other_pythons.PARAMS)
def python(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Engines run on this Python, with simpleaudio."""
    path = other_pythons.with_simpleaudio(request.param)
    monkeypatch.setattr(sys, "executable", path)
    return path


@pytest.fixture
def pulse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sound_servers.Pulse]:
    """A server in real time, behind ALSA's default device."""
    with pulse_in(tmp_path, monkeypatch) as server:
        (tmp_path / "asound.conf").write_text("pcm.!default { type pulse }")
        monkeypatch.setenv("ALSA_CONFIG_PATH", str(tmp_path / "asound.conf"))
        yield server


_REFERENCE = """
import sys
from pathlib import Path
from tests.audio.sounds import reference
for name in sys.argv[1:]:
    Path(name + ".s16").write_bytes(reference(Path(name).read_bytes()))
"""


def references(python: str, folder: Path, kinds: dict[str, bytes]) -> dict[str, bytes]:
    """Decoded on that Python: its PyAV may be another, and round AAC otherwise."""
    names = {kind: str(sounds.write(folder, kind, data)) for kind, data in kinds.items()}
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([python, "-c", _REFERENCE, *names.values()], env=environment, check=True)
    return {kind: Path(f"{name}.s16").read_bytes() for kind, name in names.items()}


@needs_alsa
async def test_every_kind_reaches_the_device_sample_by_sample(
    python: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = sounds.all_kinds(0.4)
    wanted = await asyncio.to_thread(references, python, tmp_path, kinds)

    async def play(kind: str) -> None:
        folder = tmp_path / f"{kind}.d"
        folder.mkdir()
        environment, capture = sound_servers.alsa(folder)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)  # the engine's process copies it at its start
        listener = Listener(folder, "simpleaudio")
        await listener.play(kinds[kind])
        state = await listener.over(30.0)
        await listener.player.close()
        assert (state.status, state.output, state.message) == ("ended", "simpleaudio", ""), kind
        assert sounding(capture.read_bytes()) == sounding(wanted[kind]), kind

    names = list(kinds)
    for some in (names[:6], names[6:]):
        async with asyncio.TaskGroup() as group:
            for kind in some:
                started = group.create_task(play(kind))
                await asyncio.sleep(0.05)
        assert started.done()


@needs_bridge
async def test_pause_and_seek_lose_and_repeat_nothing(
    python: str, pulse: sound_servers.Pulse, listen: Listen
) -> None:
    """In time as well, as far as a machine that is busy with other tests can say."""
    pulse.record()
    listener = listen("simpleaudio")
    await listener.play(ramp(4.0))
    await listener.until(lambda state: state.position_s > 0.2)
    seen: list[tuple[float, float]] = []
    while listener.state.position_s < 0.9:
        await asyncio.sleep(0.02)
        seen.append((pulse.recorded_s(), listener.player.position_s))
    listener.player.pause()
    paused_at = pulse.recorded_s()
    await asyncio.sleep(0.5)
    listener.player.resume()
    await listener.until(lambda state: state.position_s > 1.5)
    listener.player.seek_to(3.0)
    sought_at = pulse.recorded_s()
    assert (await listener.over()).output == "simpleaudio"
    await asyncio.sleep(0.9)  # a machine that is busy hears the end later than it should
    heard = Heard(pulse.stop())

    (first, left_at), (sought, last) = heard.frames()
    assert (first, sought, last) == (0, 3 * RATE, 4 * RATE - 1)
    assert 1.5 * RATE < left_at < 2.5 * RATE
    before, after = heard.longest_silence()
    silent_from = before.end
    assert silent_from / RATE - paused_at < 0.8
    assert after[2] > silent_from
    assert heard.runs[-1][2] / RATE - sought_at < 0.8
    begin_s = (before.at - before.first) / RATE
    apart = sorted(abs(at - begin_s - position) for at, position in seen)
    assert len(apart) > 10
    assert apart[len(apart) // 2] < 0.2


@needs_bridge
@pytest.mark.slow
async def test_the_engine_lives_on_after_its_sounds(
    python: str, pulse: sound_servers.Pulse, listen: Listen
) -> None:
    """Each end of a sound frees memory in simpleaudio's thread: there Python 3.12 crashed."""
    pulse.record()
    listener = listen("simpleaudio")
    await listener.play(ramp(1.5))
    pid = listener.pid
    await listener.until(lambda state: state.position_s > 0.5)
    listener.player.pause()
    await asyncio.sleep(6.0)
    assert pulse.clients() == 1  # an idle player lets go of the device
    listener.player.resume()
    await listener.over()
    await asyncio.sleep(0.9)
    assert Heard(pulse.stop()).frames() == [(0, round(1.5 * RATE) - 1)]
    assert listener.pid == pid


_LONG = """
import array, os, sys, threading, time
from tui.audio.engine.outputs import simpleaudio_output
from tui.audio.engine.pcm_queue import PcmQueue
from tui.audio.engine.demuxer import Chunk
pcm = sys.stdin.buffer.read()
queue = PcmQueue()
number = queue.restart(1, 0.0)
def put():
    for at in range(0, len(pcm), 19_200):
        queue.put(number, Chunk(pcm[at : at + 19_200], at / 192_000, 1.0))
    queue.finish(number, 0.0)
threading.Thread(target=put).start()
sink = simpleaudio_output.SimpleaudioOutput(queue, 2.0)
until = time.monotonic() + 15
while queue.heard().state != "ended" and time.monotonic() < until:
    time.sleep(0.01)
time.sleep(0.3)
sink.close()
os._exit(time.monotonic() >= until)
"""


@needs_bridge
@pytest.mark.slow
def test_one_bytearray_follows_the_other_with_hardly_a_gap(
    python: str, pulse: sound_servers.Pulse
) -> None:
    pulse.record()
    environment = engine_environment(os.environ, str(ROOT), "simpleaudio")
    pcm = sounds.ramp(5.0).tobytes()
    done = subprocess.run([python, "-c", _LONG], input=pcm, env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr
    time.sleep(0.3)
    heard = Heard(pulse.stop())
    assert heard.frames() == [(0, 5 * RATE - 1)]
    silence = heard.runs[-1][2] - heard.runs[0][2] - heard.runs[-1][0]
    assert silence / RATE < 0.15
