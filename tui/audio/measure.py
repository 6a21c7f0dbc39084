"""The peaks of a whole recording, measured beside the playing and never in its way."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame

from tui.audio.media import Media
from tui.audio.peaks import LANES, WINDOW_S
from tui.audio.pull import IdlePull, Interrupted
from tui.audio.sniff import Unplayable

Tell = Callable[[int, int, bool, bytes], None]
"""First window, channels, whether that was all, the windows."""

_PER_S = round(1 / WINDOW_S)
_TELL_S = 0.15
_FRAMES_AT_ONCE = 256
_REST_S = 0.008  # after so many frames, for whoever plays


def _level(code: int) -> int:
    """A peak's byte (see `tui.audio.peaks`) for a sample in µ-law (ITU-T G.711)."""
    exponent, mantissa = ~code >> 4 & 7, ~code & 15
    magnitude = (mantissa * 8 + 132 << exponent) - 132
    return round(255 * math.sqrt(magnitude / 32_768))


_LEVELS = bytes(map(_level, range(256)))
_QUIETER = tuple(bytes(range(level)) for level in range(256))
"""For each level those below it."""


class Meter:
    """Frames in, windows out. Looks at a second at a time, for frames are many and short."""

    def __init__(self) -> None:
        self.lanes = 0
        """How many channels are measured; 0 before the first frame."""
        self.first = 0
        """The window that `take` begins with."""
        self._done = bytearray()
        self._window = 0
        self._levels = bytearray()
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
        """What comes does not follow from what came."""
        self._look_at_rest()
        self._fifo, self._rate = AudioFifo(), frame.sample_rate
        self._looked = self._added = round(at_s * self._rate)
        self._coder = _coder(frame)

    def _look_at_rest(self) -> None:
        if self._added > self._looked:
            self._look(self._fifo.read())

    def _look(self, frame: AudioFrame | None) -> None:
        assert frame is not None
        channels = frame.layout.nb_channels
        coded = b"".join(map(bytes, self._coder.encode(frame))).translate(_LEVELS)
        lanes = [coded[lane::channels] for lane in range(min(LANES, channels))]
        if not self.lanes:
            self.lanes = len(lanes)
            self._levels = bytearray(self.lanes)
        rate, count, at, start = frame.sample_rate, frame.samples, self._looked, 0
        while start < count:
            window = max(self._window, (at + start) * _PER_S // rate)
            self._reach(window)
            end = min(count, max(start + 1, -(-(window + 1) * rate // _PER_S) - at))
            for number, lane in enumerate(lanes[: self.lanes]):
                loudest = _loudest(lane[start:end])
                self._levels[number] = max(self._levels[number], loudest)
            start = end
        self._looked += count

    def take(self, *, all_of_it: bool = False) -> bytes:
        """The windows that are complete and were not taken yet."""
        if all_of_it:
            self._look_at_rest()
        if all_of_it and self.lanes:
            self._reach(self._window + 1)
        out = bytes(self._done)
        self._done.clear()
        self.first += len(out) // max(1, self.lanes)
        return out

    def _reach(self, window: int) -> None:
        while self._window < window:
            self._done += self._levels
            self._levels = bytearray(self.lanes)
            self._window += 1


def _loudest(levels: bytes) -> int:
    """The highest of them, by halving: several times quicker than `max`."""
    low, high = 0, 256
    while high - low > 1:
        middle = (low + high) // 2
        if loud := levels.translate(None, _QUIETER[middle]):
            levels, low = loud, middle
        else:
            high = middle
    return low


def _coder(frame: AudioFrame) -> AudioCodecContext:
    """To µ-law: a byte for each sample, quick to make, and fine enough at every loudness."""
    coder = av.CodecContext.create("pcm_mulaw", "w")
    assert isinstance(coder, AudioCodecContext)
    coder.format, coder.layout, coder.rate = "s16", frame.layout, frame.sample_rate
    coder.time_base = Fraction(1, frame.sample_rate)
    return coder


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
