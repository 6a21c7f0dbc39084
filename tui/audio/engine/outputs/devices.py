"""Where sound comes out of an engine: a device, a file, or nowhere at the same pace.

A sink pulls from a `PcmQueue` in a thread of its own and stops when it is closed. `miniaudio` is
imported here and only here, and only when a device is wanted.
"""

from __future__ import annotations

import contextlib
import math
import os
import sys
import threading
import time
import wave
from collections.abc import Generator
from typing import Any, Protocol

from providers.errors import reason
from tui.audio.engine.pcm import FRAME, RATE
from tui.audio.engine.pcm_queue import PcmQueue
from tui.audio.engine_environment import PERIOD

_UNWRITABLE = "{} cannot be written ({})"
_TICK_S = 0.05
_PERIOD_MS = 50  # 20 ms gaps on a busy machine, 100 ms is felt when pausing
_PERIODS = 1.6  # from our hand to the ear, measured on PulseAudio with periods of 50 and 100 ms
_LONGEST_MS = 200  # what a pause may take to be heard where shorter periods have run dry
_LAST = 2  # periods until all that was given is heard
_DRY_S = 60.0  # who runs dry twice within it needs longer periods; once may be anything


class NoDevice(Exception):
    """No sound can come out; the text says why, for a person."""


class Output(Protocol):
    """An open output. It is playing from the moment it exists."""

    name: str
    idle_s: float
    """How long it may stay open with nothing to play."""
    per_recording: bool
    """Whether it is closed at the end of each recording."""
    broken: str
    """Why no more sound comes out, for a person; empty while it does."""
    ran_dry: bool
    """Whether it has to be opened anew, with more sound ahead. It plays nothing until then."""

    def close(self) -> None: ...


def open_output(output: str, feed: PcmQueue, ahead: Ahead) -> Output:
    """`output` is ``miniaudio``, ``simpleaudio``, ``wav:PATH`` or ``none``. Raises `NoDevice`."""
    if output.startswith("wav:"):
        return WavOutput(output.removeprefix("wav:"), feed)
    if output == "simpleaudio":
        from tui.audio.engine.outputs.simpleaudio_output import SimpleaudioOutput

        return SimpleaudioOutput(feed)
    return DeviceOutput(feed, ahead) if output == "miniaudio" else SilentOutput(feed)


def try_file(output: str) -> str:
    """Why the file of ``wav:PATH`` cannot be written, else empty; what is in it stays."""
    path = output.removeprefix("wav:")
    try:
        with open(path, "ab"):
            return ""
    except OSError as error:
        return _UNWRITABLE.format(path, reason(error))


def prepare(output: str) -> None:
    """Load what `open_output` will need, while there is nothing to play. Opens no device."""
    if output == "miniaudio":
        with contextlib.suppress(ImportError):  # it is said when a device is wanted
            import miniaudio  # noqa: F401


class Ahead:
    """How much sound a device is given at a time: more where it runs dry. One for an engine."""

    def __init__(self) -> None:
        self.period_ms = int(os.environ.get(PERIOD) or _PERIOD_MS)
        self._pulled_at = self._dry_at = -math.inf
        self._swallows = False

    def begin(self) -> None:
        """A device begins to pull."""
        self._pulled_at, self._swallows = math.inf, False

    def is_short(self, *, swallows: bool) -> bool:
        """At a pull: whether the device has waited for it, and not for the first time.

        One that `swallows` sound faster than it can be heard has no clock to run dry by.
        """
        now = time.monotonic()
        late = now - self._pulled_at > self.period_ms / 1000 * _PERIODS
        self._pulled_at, self._swallows = now, self._swallows or swallows
        if not late or self._swallows or self.period_ms >= _LONGEST_MS:
            return False
        before, self._dry_at = self._dry_at, now
        if now - before > _DRY_S:
            return False
        self.period_ms, self._dry_at = min(2 * self.period_ms, _LONGEST_MS), -math.inf
        return True


class DeviceOutput:
    """The system's default device, through PulseAudio or ALSA, CoreAudio, or WASAPI."""

    idle_s = 5.0
    per_recording = False
    broken = ""
    ran_dry = False

    def __init__(self, feed: PcmQueue, ahead: Ahead) -> None:
        try:
            import miniaudio
        except ImportError as error:
            raise NoDevice("the sound library (miniaudio) is not installed") from error
        self._lib: Any = miniaudio.lib
        period_ms = ahead.period_ms
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
            ahead.begin()
            frames = self._frames(feed, ahead)
            next(frames)
            self._device.start(frames)
        except miniaudio.MiniaudioError as error:
            raise NoDevice("no sound device found") from error
        self.name = f"miniaudio ({self._device.backend})"

    def _frames(self, feed: PcmQueue, ahead: Ahead) -> Generator[bytes, int, None]:
        """What miniaudio asks in its own thread, period by period."""
        pause = threading.Event()
        too_fast_s, silences = 0.0, 0
        wanted = yield b""
        while True:
            if silences or ahead.is_short(swallows=too_fast_s > 0):
                silences += 1  # what it was given last is still to be heard
            self.ran_dry = silences > _LAST
            pcm = b"" if silences else feed.pull(wanted)
            if (too_fast_s := feed.too_fast_s()) > 0:
                pause.wait(too_fast_s)
            wanted = yield pcm.ljust(wanted * FRAME, b"\0")

    def close(self) -> None:
        context = self._device._context
        self._device.close()
        self._lib.ma_context_uninit(context)  # or the sound server keeps a client of ours


def _backends() -> tuple[str, ...]:
    """Never all of them: the last is a null device that pretends to play."""
    return {"darwin": ("COREAUDIO",), "win32": ("WASAPI",)}.get(
        sys.platform, ("PULSEAUDIO", "ALSA")
    )


class _Threaded:
    """A sink whose thread is our own."""

    broken = ""
    ran_dry = False

    def __init__(self, feed: PcmQueue, *, real_time: bool = True) -> None:
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


class SilentOutput(_Threaded):
    """Nothing to be heard, at the pace of a real device."""

    name = "none"
    idle_s = 5.0
    per_recording = False

    def _run(self) -> None:
        due = time.monotonic()
        while not self._closed.wait(max(0.0, due - time.monotonic())):
            self._feed.pull(int(_TICK_S * RATE))
            due = max(due + _TICK_S, time.monotonic() - _TICK_S)  # a suspended machine lost it


class WavOutput(_Threaded):
    """A WAV file, as fast as it can be written; a new recording begins it anew."""

    idle_s = float("inf")
    per_recording = True

    def __init__(self, path: str, feed: PcmQueue) -> None:
        self.name, self._path = f"wav:{path}", path
        with contextlib.ExitStack() as stack:
            try:
                self._file = stack.enter_context(wave.open(path, "wb"))
            except OSError as error:
                raise NoDevice(_UNWRITABLE.format(path, reason(error))) from error
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
            self.broken = f"{self._path} cannot be written further ({reason(error)})"

    def close(self) -> None:
        super().close()
        with contextlib.suppress(OSError):  # its header, on a disk that is full
            self._stack.close()
