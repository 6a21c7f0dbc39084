"""Outputs without a device: a WAV file as fast as it comes, and silence at a device's pace."""

from __future__ import annotations

import sys
import threading
import wave
from pathlib import Path

import pytest

from tests.audio import sounds
from tests.audio.heard import Heard
from tui.audio.engine.outputs.base import NoDevice, SilentOutput, WavOutput, try_file
from tui.audio.engine.outputs.devices import DevicePeriod, open_output
from tui.audio.engine.pcm import RATE, Chunk
from tui.audio.engine.pcm_queue import PcmQueue


class WatchedQueue(PcmQueue):
    """Tells when a number of frames were pulled."""

    def __init__(self, frames: int) -> None:
        super().__init__()
        self.left = frames
        self.done = threading.Event()

    def pull(self, frames: int, at: int | None = None, heard: int | None = None) -> bytes:
        pcm = super().pull(frames, at, heard)
        self.left -= len(pcm) // 4
        if self.left <= 0:
            self.done.set()
        return pcm


def filled(seconds: float) -> WatchedQueue:
    queue = WatchedQueue(round(seconds * RATE))
    generation = queue.restart(1, 0.0)
    queue.put(generation, Chunk(sounds.ramp(seconds).tobytes(), 0.0, 1.0))
    queue.finish(generation, seconds)
    return queue


def test_a_wav_file_holds_all_sound_and_a_true_header(tmp_path: Path) -> None:
    path, queue = tmp_path / "out.wav", filled(0.33)
    queue.hold()  # as for the output before it
    output = WavOutput(str(path), queue)
    assert queue.done.wait(10)
    output.close()
    assert (output.name, output.broken, output.per_recording) == (f"wav:{path}", "", True)
    with wave.open(str(path)) as file:
        assert file.getparams()[:4] == (2, 2, RATE, round(0.33 * RATE))
        assert Heard(file.readframes(RATE)).frames() == [(0, round(0.33 * RATE) - 1)]


def test_a_file_that_cannot_be_made_is_said_to_be(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "out.wav"
    with pytest.raises(NoDevice, match="cannot be written"):
        WavOutput(str(path), PcmQueue())
    assert try_file(f"wav:{path}").startswith(f"{path} cannot be written (")


def test_trying_a_file_leaves_what_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "out.wav"
    path.write_bytes(b"precious")
    assert try_file(f"wav:{path}") == ""
    assert path.read_bytes() == b"precious"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
def test_a_disk_that_is_full_is_said_once_and_ends_it() -> None:
    queue = filled(0.33)
    queue.left = 1
    output = WavOutput("/dev/full", queue)
    assert queue.done.wait(10)
    output.close()
    assert output.broken == "/dev/full cannot be written further (No space left on device)"


def test_silence_takes_sound_at_the_pace_of_a_device() -> None:
    queue = filled(0.3)
    output = SilentOutput(queue)
    assert not queue.done.wait(0.1), "all of it takes longer"
    assert queue.done.wait(10)
    output.close()
    assert (output.name, output.broken, output.per_recording) == ("none", "", False)


def test_an_output_is_opened_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "miniaudio", None)
    monkeypatch.setitem(sys.modules, "simpleaudio", None)
    monkeypatch.setenv("PYTHONMALLOC", "malloc")
    for name in ("none", f"wav:{tmp_path}/out.wav"):
        output = open_output(name, PcmQueue(), DevicePeriod())
        assert output.name == name
        output.close()
    for name in ("miniaudio", "simpleaudio"):
        with pytest.raises(NoDevice, match=f"{name}.* not installed"):
            open_output(name, PcmQueue(), DevicePeriod())


@pytest.mark.parametrize(("said", "period_ms"), [("", 50), ("250", 250)])
def test_a_devices_period_is_the_usual_one_or_as_the_environment_says(
    said: str, period_ms: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGBACK_PERIOD_MS", said)
    assert DevicePeriod().period_ms == period_ms
