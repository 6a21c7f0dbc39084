"""The system's own device, and which output a name means.

`miniaudio` is imported here and only here, and only when a device is wanted.
"""

from __future__ import annotations

import contextlib
import math
import os
import sys
import threading
import time
from collections.abc import Callable, Generator
from typing import Any

from tui.audio.engine.outputs.base import NoDevice, Output, SilentOutput, WavOutput
from tui.audio.engine.pcm import FRAME, RATE
from tui.audio.engine.pcm_queue import PcmQueue
from tui.audio.engine_environment import PERIOD

_PERIOD_MS = 50  # 20 ms gaps on a busy machine, 100 ms is felt when pausing
_PERIODS = 1.6  # from our hand to the ear, measured on PulseAudio with periods of 50 and 100 ms
_LONGEST_MS = 200  # what a pause may take to be heard where shorter periods have run dry
_LAST = 2  # periods until all that was given is heard
_UNDERRUNS_S = 60.0  # who runs dry twice within it needs longer periods; once may be anything


def open_output(output: str, queue: PcmQueue, period: DevicePeriod) -> Output:
    """`output` is ``miniaudio``, ``simpleaudio``, ``wav:PATH`` or ``none``. Raises `NoDevice`."""
    if output.startswith("wav:"):
        return WavOutput(output.removeprefix("wav:"), queue)
    if output == "simpleaudio":
        from tui.audio.engine.outputs.simpleaudio_output import SimpleaudioOutput

        return SimpleaudioOutput(queue)
    return DeviceOutput(queue, period) if output == "miniaudio" else SilentOutput(queue)


def preload(output: str) -> None:
    """Load what `open_output` will need, while there is nothing to play. Opens no device."""
    if output == "miniaudio":
        with contextlib.suppress(ImportError):  # it is said when a device is wanted
            import miniaudio  # noqa: F401


class DevicePeriod:
    """How much sound a device is given at a time: more where it runs dry. One for an engine."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` tells seconds, as `time.monotonic`."""
        self._clock = clock
        self.period_ms = int(os.environ.get(PERIOD) or _PERIOD_MS)
        self._pulled_at = self._underrun_at = -math.inf
        self._swallows = False

    def begin(self) -> None:
        """A device begins to pull."""
        self._pulled_at, self._swallows = math.inf, False

    def has_underrun(self, *, swallows: bool) -> bool:
        """At a pull: whether the device has waited for it, and not for the first time.

        One that `swallows` sound faster than it can be heard has no clock to run dry by.
        """
        now = self._clock()
        late = now - self._pulled_at > self.period_ms / 1000 * _PERIODS
        self._pulled_at, self._swallows = now, self._swallows or swallows
        if not late or self._swallows or self.period_ms >= _LONGEST_MS:
            return False
        before, self._underrun_at = self._underrun_at, now
        if now - before > _UNDERRUNS_S:
            return False
        self.period_ms, self._underrun_at = min(2 * self.period_ms, _LONGEST_MS), -math.inf
        return True


class DeviceOutput:
    """The system's default device, through PulseAudio or ALSA, CoreAudio, or WASAPI."""

    idle_s = 5.0
    per_recording = False
    broken = ""
    underrun = False

    def __init__(self, queue: PcmQueue, period: DevicePeriod) -> None:
        try:
            import miniaudio
        except ImportError as error:
            raise NoDevice("the sound library (miniaudio) is not installed") from error
        self._lib: Any = miniaudio.lib
        period_ms = period.period_ms
        try:
            self._device = miniaudio.PlaybackDevice(
                output_format=miniaudio.SampleFormat.SIGNED16,
                nchannels=2,
                sample_rate=RATE,
                buffersize_msec=period_ms,
                backends=[miniaudio.Backend[name] for name in _backends()],
                app_name="Ringback",
            )
            queue.attach(period_ms / 1000 * _PERIODS)
            period.begin()
            frames = self._frames(queue, period)
            next(frames)
            self._device.start(frames)
        except miniaudio.MiniaudioError as error:
            raise NoDevice("no sound device found") from error
        self.name = f"miniaudio ({self._device.backend})"

    def _frames(self, queue: PcmQueue, period: DevicePeriod) -> Generator[bytes, int, None]:
        """What miniaudio asks in its own thread, period by period."""
        pause = threading.Event()
        too_fast_s, silences = 0.0, 0
        wanted = yield b""
        while True:
            if silences or period.has_underrun(swallows=too_fast_s > 0):
                silences += 1  # what it was given last is still to be heard
            self.underrun = silences > _LAST
            pcm = b"" if silences else queue.pull(wanted)
            if (too_fast_s := queue.too_fast_s()) > 0:
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
