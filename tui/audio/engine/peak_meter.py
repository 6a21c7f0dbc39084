"""The peaks of a whole recording, measured beside the playing and never in its way."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from itertools import chain, pairwise
from typing import NamedTuple, Protocol

from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from tui.audio.engine.byte_reader import Interrupted
from tui.audio.engine.demuxer import Demuxer, File
from tui.audio.engine.demuxer_choice import Unplayable
from tui.audio.engine.ffmpeg_filters import check, format_of
from tui.audio.engine.seek_index import SeekIndex
from tui.audio.peaks import LANES, LONGEST, WINDOW_S

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # from 3.13 on it is a package of its own
    import audioop

Tell = Callable[[int, int, bool, bytes], None]
"""First window, channels, whether that was all, the windows."""

_PER_S = round(1 / WINDOW_S)
_TELL_S = 0.15
_WINDOWS_AT_ONCE = 1 << 16  # half an hour


class PeakMeter:
    """Frames in, windows out. Looks at a second at a time, for frames are many and short."""

    def __init__(self) -> None:
        self.lanes = 0
        """How many channels are measured; 0 before the first frame."""
        self.first = 0
        """The window that `take` begins with."""
        self._done = bytearray()
        self._window = 0
        self._peaks: tuple[int, ...] = ()
        self._fifo = AudioFifo()
        self._format: tuple[str, int, str] | None = None
        self._rate = 0
        self._looked = 0  # samples at this rate, from the recording's beginning on
        self._added = 0

    def add(self, at_s: float, frame: AudioFrame) -> None:
        """Look at a frame that begins at this second."""
        rate = frame.sample_rate
        apart = abs(at_s * rate - self._added)  # a clock that is rounded is no gap
        if format_of(frame) != self._format or apart > rate * WINDOW_S:
            self._begin(at_s, frame)
        frame.pts = None
        self._fifo.write(frame)
        self._added += frame.samples
        while self._added - self._looked >= rate:
            self._look(self._fifo.read(rate))

    def _begin(self, at_s: float, frame: AudioFrame) -> None:
        """What comes does not follow from what came."""
        check(frame)
        self._look_at_rest()
        self._fifo, self._rate = AudioFifo(), frame.sample_rate
        self._format = format_of(frame)  # the queue of another would write beyond its end
        self._looked = self._added = round(at_s * self._rate)
        self._to_s16 = AudioResampler("s16p")

    def _look_at_rest(self) -> None:
        if self._added > self._looked:
            self._look(self._fifo.read())

    def _look(self, frame: AudioFrame | None) -> None:
        assert frame is not None
        lanes = self._lanes(frame)
        if not self.lanes:
            self.lanes = len(lanes)
            self._peaks = (0,) * self.lanes
        lanes = (lanes * LANES)[: self.lanes]  # one side among two is on both
        rate, at, count = self._rate, self._looked, frame.samples
        first = max(self._window, at * _PER_S // rate)
        last = max(first, (at + count - 1) * _PER_S // rate)
        ends = [-(-window * rate // _PER_S) - at for window in range(first + 1, last + 1)]
        pieces = [slice(2 * start, 2 * end) for start, end in pairwise((0, *ends, count))]
        peaks = [[audioop.max(lane[piece], 2) for piece in pieces] for lane in lanes]
        self._reach(first)
        for lane, before in zip(peaks, self._peaks, strict=True):
            lane[0] = max(lane[0], before)
        *whole, self._peaks = zip(*peaks, strict=True)
        self._done += bytes(map(_level, chain.from_iterable(whole)))
        self._window = last
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

    def _lanes(self, frame: AudioFrame) -> list[memoryview]:
        """The samples of each channel that is measured, of 16 bits."""
        frames = self._to_s16.resample(frame)
        planes = [[memoryview(p)[: f.samples * 2] for p in f.planes[:LANES]] for f in frames]
        return [memoryview(b"".join(parts)) for parts in zip(*planes, strict=True)]

    def _reach(self, window: int) -> None:
        """All windows before this one are complete."""
        if window > LONGEST:
            raise Unplayable("damaged", "its clock goes beyond any recording")
        while self._window < window:
            self._done += bytes(map(_level, self._peaks))
            self._peaks = (0,) * self.lanes
            self._window += 1


@lru_cache(maxsize=1 << 16)
def _level(peak: int) -> int:
    return min(255, round(255 * math.sqrt(peak / 32_768)))


class Measured(NamedTuple):
    """What is known of a recording that was read to its end."""

    length_s: float
    channels: int
    damaged: bool
    stated_s: float | None
    """What its header promises, where that is more."""


class Bytes(File, Protocol):
    """A file whose bytes may still have to come."""

    before_waiting: Callable[[], None]
    """Called before the reader has to wait."""

    @property
    def size(self) -> int | None:
        """All bytes of it, where that is known."""


def measure(
    file: Bytes, seek_index: SeekIndex, tell: Tell, tell_end: Callable[[Measured], None]
) -> None:
    """Tell the peaks as they come, until the end or until `file` raises `Interrupted`.

    The end is told before the last of them. `seek_index` gets the seek
    points. Raises `Unplayable`, and whatever else FFmpeg makes of a damaged file.
    """
    meter = PeakMeter()
    told_at = 0.0

    def tell_all(first: int, body: bytes, *, done: bool = False) -> None:
        step = _WINDOWS_AT_ONCE * meter.lanes
        while len(body) > step:
            tell(first, meter.lanes, False, body[:step])
            first, body = first + _WINDOWS_AT_ONCE, body[step:]
        tell(first, meter.lanes, done, body)

    def flush() -> None:
        nonlocal told_at
        told_at = time.monotonic()
        first, body = meter.first, meter.take()
        if body:
            tell_all(first, body)

    file.before_waiting = flush
    with suppress(Interrupted):
        media = Demuxer(file, file.size, hurry=False, seek_index=seek_index)
        try:
            for at_s, frame in media.frames():
                meter.add(at_s, frame)
                if time.monotonic() - told_at > _TELL_S:
                    flush()
        finally:
            media.close()
        first, body = meter.first, meter.take(all_of_it=True)
        if not meter.lanes:
            raise Unplayable("no_sound", "there is no sound in it")
        stated_s = media.stated_s if media.ends_early(media.end_s) else None
        tell_end(Measured(media.end_s, media.channels, media.damaged, stated_s))
        tell_all(first, body, done=True)
