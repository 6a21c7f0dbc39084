"""The peaks of a whole recording, measured beside the playing and never in its way."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame

from tui.audio.media import Media
from tui.audio.peaks import LANES, WINDOW_S
from tui.audio.pull import IdlePull, Interrupted
from tui.audio.sniff import Unplayable

Tell = Callable[[int, int, bool, bytes], None]
"""First window, channels, whether that was all, the windows."""

_PER_S = round(1 / WINDOW_S)
_ENOUGH_HZ = 4000  # of samples that are looked at: the loud part of speech lies far below
_TELL_S = 0.15
_FRAMES_AT_ONCE = 256
_REST_S = 0.008  # after so many frames, for whoever plays
_TYPES: dict[str, tuple[str, int, float]] = {
    "u8": ("B", 128, 128.0),
    "s16": ("h", 0, 32_768.0),
    "s32": ("i", 0, 2.0**31),
    "s64": ("q", 0, 2.0**63),
    "flt": ("f", 0, 1.0),
    "dbl": ("d", 0, 1.0),
}
"""FFmpeg's formats of samples: the type of a memoryview, what silence is, full scale."""


class Meter:
    """Frames in, windows out. Looks at a second at a time, for frames are many and short."""

    def __init__(self) -> None:
        self.lanes = 0
        """How many channels are measured; 0 before the first frame."""
        self.first = 0
        """The window that `take` begins with."""
        self._done = bytearray()
        self._window = 0
        self._peaks: list[float] = []
        self._fifo = AudioFifo()
        self._rate = 0
        self._looked = 0  # samples at this rate, from the recording's beginning on
        self._added = 0

    def add(self, at_s: float, frame: AudioFrame) -> None:
        """Look at a frame that begins at this second."""
        rate = frame.sample_rate
        apart = abs(at_s * rate - self._added)  # a clock that is rounded is no gap
        if rate != self._rate or apart > rate * WINDOW_S:
            self._begin(at_s, frame)
        frame.pts = None
        try:
            self._fifo.write(frame)
        except ValueError:  # other samples than before
            self._begin(at_s, frame)
            self._fifo.write(frame)
        self._added += frame.samples
        while self._added - self._looked >= rate:
            self._look(self._fifo.read(rate))

    def _begin(self, at_s: float, frame: AudioFrame) -> None:
        """What comes does not follow from what came. Raises `Unplayable`."""
        self._look_at_rest()
        if frame.format.name.removesuffix("p") not in _TYPES:
            raise Unplayable("damaged", "samples of an unknown kind")
        self._fifo, self._rate = AudioFifo(), frame.sample_rate
        self._looked = self._added = round(at_s * self._rate)

    def _look_at_rest(self) -> None:
        if self._added > self._looked:
            self._look(self._fifo.read())

    def _look(self, frame: AudioFrame | None) -> None:
        assert frame is not None
        lanes, full = _samples(frame)
        if not self._peaks:
            self.lanes, self._peaks = len(lanes), [0.0] * len(lanes)
        rate, count, at, start = frame.sample_rate, frame.samples, self._looked, 0
        step = rate // _ENOUGH_HZ | 1  # odd: an even one could keep step with a tone
        while start < count:
            window = max(self._window, (at + start) * _PER_S // rate)
            self._reach(window)
            end = min(count, max(start + 1, -(-(window + 1) * rate // _PER_S) - at))
            for number, lane in enumerate(lanes[: self.lanes]):
                peak = _peak(lane[start:end], step) / full
                self._peaks[number] = max(self._peaks[number], peak)
            start = end
        self._looked += count

    def take(self, *, all_of_it: bool = False) -> bytes:
        """The windows that are complete and were not taken yet."""
        if all_of_it:
            self._look_at_rest()
        if all_of_it and self._peaks:
            self._reach(self._window + 1)
        out = bytes(self._done)
        self._done.clear()
        self.first += len(out) // max(1, self.lanes)
        return out

    def _reach(self, window: int) -> None:
        while self._window < window:
            for lane, peak in enumerate(self._peaks):
                self._done.append(_byte(peak))
                self._peaks[lane] = 0.0
            self._window += 1


def _byte(peak: float) -> int:
    return min(255, round(255 * math.sqrt(peak))) if peak == peak else 0


def _samples(frame: AudioFrame) -> tuple[list[Any], float]:
    """A view of each channel that is measured, centred on 0 or not, and full scale."""
    code, _, full = _TYPES[frame.format.name.removesuffix("p")]
    channels = frame.layout.nb_channels
    if frame.format.is_planar:
        views = [memoryview(plane).cast("B") for plane in frame.planes[:LANES]]
        size = frame.samples * frame.format.bytes
        return [view[:size].cast(code) for view in views], full  # type: ignore[call-overload]
    size = frame.samples * frame.format.bytes * channels
    whole = memoryview(frame.planes[0]).cast("B")[:size].cast(code)  # type: ignore[call-overload]
    return [whole[lane::channels] for lane in range(min(LANES, channels))], full


def _peak(samples: Any, step: int) -> float:
    """The highest of every other sample, the lowest of those between: half the work."""
    if samples.format == "B":
        return float(max(abs(value - 128) for value in samples[::step]))
    low = samples[step :: 2 * step]
    return float(max(max(samples[:: 2 * step]), -min(low) if len(low) else 0, 0))


def measure(pull: IdlePull, tell: Tell, give_way: Callable[[], None]) -> None:
    """Tell the peaks as they come, until the end or until `pull` is closed.

    `give_way` sleeps for as long as playing needs the machine more.
    """
    meter = Meter()
    told_at = 0.0

    def flush() -> None:
        nonlocal told_at
        told_at = time.monotonic()
        first, body = meter.first, meter.take()
        if body:
            tell(first, meter.lanes, False, body)

    pull.before_waiting = flush
    with suppress(Interrupted, Unplayable):
        media = Media(pull, pull.size, hurry=False)
        try:
            for number, (at_s, frame) in enumerate(media.frames()):
                meter.add(at_s, frame)
                if time.monotonic() - told_at > _TELL_S:
                    flush()
                if number % _FRAMES_AT_ONCE == 0:
                    give_way()
                    time.sleep(_REST_S)
        finally:
            media.close()
        first, body = meter.first, meter.take(all_of_it=True)
        if meter.lanes:
            tell(first, meter.lanes, True, body)
