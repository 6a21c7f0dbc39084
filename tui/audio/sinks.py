"""Where sound comes out of an engine: a device, a file, or nowhere at the same pace.

A sink pulls from a `Feed` in a thread of its own and stops when it is closed. `miniaudio` is
imported here and only here, and only when a device is wanted.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
import wave
from collections.abc import Generator
from typing import Any, Protocol

from tui.audio.feed import Feed
from tui.audio.media import FRAME, RATE
from tui.audio.outputs import PERIOD

_UNWRITABLE = "{} cannot be written ({})"
_TICK_S = 0.05
_PERIOD_MS = 50  # 20 ms gaps on a busy machine, 100 ms is felt when pausing
_PERIODS = 1.6  # from our hand to the ear, measured on PulseAudio with periods of 50 and 100 ms


class NoDevice(Exception):
    """No sound can come out; the text says why, for a person."""


class Sink(Protocol):
    """An open output. It is playing from the moment it exists."""

    name: str
    idle_s: float
    """How long it may stay open with nothing to play."""
    per_recording: bool
    """Whether it is closed at the end of each recording."""
    broken: str
    """Why no more sound comes out, for a person; empty while it does."""

    def close(self) -> None: ...


def open_sink(output: str, feed: Feed) -> Sink:
    """`output` is ``miniaudio``, ``simpleaudio``, ``wav:PATH`` or ``none``. Raises `NoDevice`."""
    if output.startswith("wav:"):
        return WavSink(output.removeprefix("wav:"), feed)
    if output == "simpleaudio":
        from tui.audio.simpleaudio_sink import SimpleaudioSink

        return SimpleaudioSink(feed)
    return DeviceSink(feed) if output == "miniaudio" else SilentSink(feed)


def try_file(output: str) -> str:
    """Why the file of ``wav:PATH`` cannot be written, else empty; what is in it stays."""
    path = output.removeprefix("wav:")
    try:
        with open(path, "ab"):
            return ""
    except OSError as error:
        return _UNWRITABLE.format(path, error.strerror)


def prepare(output: str) -> None:
    """Load what `open_sink` will need, while there is nothing to play. Opens no device."""
    if output == "miniaudio":
        with contextlib.suppress(ImportError):  # it is said when a device is wanted
            import miniaudio  # noqa: F401


class DeviceSink:
    """The system's default device, through PulseAudio or ALSA, CoreAudio, or WASAPI."""

    idle_s = 5.0
    per_recording = False
    broken = ""

    def __init__(self, feed: Feed) -> None:
        try:
            import miniaudio
        except ImportError as error:
            raise NoDevice("the sound library (miniaudio) is not installed") from error
        self._lib: Any = miniaudio.lib
        period_ms = int(os.environ.get(PERIOD) or _PERIOD_MS)
        try:
            self._device = miniaudio.PlaybackDevice(
                output_format=miniaudio.SampleFormat.SIGNED16,
                nchannels=2,
                sample_rate=RATE,
                buffersize_msec=period_ms,
                backends=[miniaudio.Backend[name] for name in _backends()],
                app_name="Ringback",
            )
            feed.attach(period_ms / 1000 * _PERIODS)
            frames = _frames(feed)
            next(frames)
            self._device.start(frames)
        except miniaudio.MiniaudioError as error:
            raise NoDevice("no sound device found") from error
        self.name = f"miniaudio ({self._device.backend})"

    def close(self) -> None:
        context = self._device._context
        self._device.close()
        self._lib.ma_context_uninit(context)  # or the sound server keeps a client of ours


def _backends() -> tuple[str, ...]:
    """Never all of them: the last is a null device that pretends to play."""
    return {"darwin": ("COREAUDIO",), "win32": ("WASAPI",)}.get(
        sys.platform, ("PULSEAUDIO", "ALSA")
    )


def _frames(feed: Feed) -> Generator[bytes, int, None]:
    """What miniaudio asks in its own thread, period by period."""
    pause = threading.Event()
    wanted = yield b""
    while True:
        pcm = feed.pull(wanted)
        if (too_fast_s := feed.too_fast_s()) > 0:
            pause.wait(too_fast_s)
        wanted = yield pcm.ljust(wanted * FRAME, b"\0")


class _Threaded:
    """A sink whose thread is our own."""

    broken = ""

    def __init__(self, feed: Feed, *, real_time: bool = True) -> None:
        self._feed = feed
        self._closed = threading.Event()
        feed.attach(0.0, real_time=real_time)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        raise NotImplementedError

    def close(self) -> None:
        self._closed.set()
        self._thread.join()


class SilentSink(_Threaded):
    """Nothing to be heard, at the pace of a real device."""

    name = "none"
    idle_s = 5.0
    per_recording = False

    def _run(self) -> None:
        due = time.monotonic()
        while not self._closed.wait(max(0.0, due - time.monotonic())):
            self._feed.pull(int(_TICK_S * RATE))
            due = max(due + _TICK_S, time.monotonic() - _TICK_S)  # a suspended machine lost it


class WavSink(_Threaded):
    """A WAV file, as fast as it can be written; a new recording begins it anew."""

    idle_s = float("inf")
    per_recording = True

    def __init__(self, path: str, feed: Feed) -> None:
        self.name, self._path = f"wav:{path}", path
        with contextlib.ExitStack() as stack:
            try:
                self._file = stack.enter_context(wave.open(path, "wb"))
            except OSError as error:
                raise NoDevice(_UNWRITABLE.format(path, error.strerror)) from error
            self._file.setnchannels(2)
            self._file.setsampwidth(FRAME // 2)
            self._file.setframerate(RATE)
            self._stack = stack.pop_all()
        super().__init__(feed, real_time=False)

    def _run(self) -> None:
        try:
            while not self._closed.is_set():
                if pcm := self._feed.pull(int(_TICK_S * RATE)):
                    self._file.writeframesraw(pcm)
                else:
                    self._feed.wait_for_sound(_TICK_S)
        except OSError as error:
            self.broken = f"{self._path} cannot be written further ({error.strerror})"

    def close(self) -> None:
        super().close()
        with contextlib.suppress(OSError):  # its header, on a disk that is full
            self._stack.close()
