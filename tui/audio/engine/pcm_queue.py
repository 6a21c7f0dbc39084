"""Between the decoder and the device: a short queue of sound, and the ledger of what was heard.

The decoder's thread puts, the device's thread pulls, the engine's threads ask and steer. The
queue holds at most `QUEUE_S` of sound, so an hour takes no more memory than a second.
"""

from __future__ import annotations

import math
import threading
import time
from array import array
from collections import deque
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from tui.audio.engine.pcm import FRAME, RATE, Chunk

QUEUE_S = 1.0
"""How far ahead of the device is decoded, in seconds."""
PREFILL_S = 0.1
"""How much is queued before sound begins; must stay below `QUEUE_S`."""
KEEP_S = 0.04
"""What stays queued while the decoder begins anew, at another speed for example."""
KNEE = 0.75
"""Of full scale: what a volume above 1 would lift beyond it is rounded off softly."""

_TAKE_BACK_S = 0.05
_PIECE = RATE // 20 * FRAME
_AHEAD_S = 0.5  # a device that takes more than this ahead of the clock is no real device
_DRIFT = 1.01  # crystals differ, by far less than this


class Heard(NamedTuple):
    """What the listener hears now: `state` is ``waiting``, ``flowing`` or ``ended``."""

    seq: int
    at_s: float
    state: str


class _Span(NamedTuple):
    """From frame `start` of the device's life on it was given this stretch of the recording."""

    start: int
    chunk: Chunk

    @property
    def end(self) -> int:
        return self.start + len(self.chunk.pcm) // FRAME

    def second(self, frame: int) -> float:
        """Of the recording, at this frame of the device's life."""
        return self.chunk.at_s + (frame - self.start) / RATE * self.chunk.speed


def _split(chunk: Chunk, frames: int) -> tuple[Chunk, Chunk]:
    """The chunk's first `frames` frames, and the rest."""
    pcm, at = chunk.pcm, frames * FRAME
    rest_s = chunk.at_s + frames / RATE * chunk.speed
    return chunk._replace(pcm=pcm[:at]), chunk._replace(pcm=pcm[at:], at_s=rest_s)


class PcmQueue:
    """One engine's sound, for one device after another. Every method is safe in any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` tells seconds, as `time.monotonic`."""
        self._clock = clock
        self._lock = threading.Condition()
        self._queue: deque[Chunk] = deque()
        self._queued = 0  # frames
        self._seq = 0
        self._generation = 0  # whose sound counts: the generation that the decoder works for
        self._end_s = 0.0  # the recording's second after all that was queued
        self._side = "both"
        self._rewritable = self._cutting = False
        self._paused = False
        self._waiting = True
        self._finished = False
        self._at_s = 0.0
        self._loudness: array[int] | None = None
        self.revision = 0
        """Changes when what comes next does not follow from what was pulled last."""
        self.attach(0.0)

    def attach(self, latency_s: float, *, real_time: bool = True) -> None:
        """A device begins to pull; what it was given is heard `latency_s` seconds later.

        What is not `real_time` takes sound as fast as it comes.
        """
        with self._lock:
            self._real_time = real_time
            self._latency = round(latency_s * RATE)
            self._given = self._drained_at = self._head = 0
            self._spans: deque[_Span] = deque()
            self._pulled_at = self._clock()
            self._ahead = 0.0
            self._held = self._rewritable = self._cutting = False

    # what the user asks for

    def restart(self, seq: int, at_s: float) -> int:
        """Forget what is queued; only sound put under the generation that is returned counts."""
        with self._lock:
            self._seq, self._at_s, self._end_s = seq, at_s, at_s
            self._queue.clear()
            self._queued = 0
            self._spans.clear()
            self._drained_at = 0
            self._waiting, self._finished = True, False
            return self._renew()

    def renew(self) -> int:
        """Take no more sound but under the generation that is returned; see `cut`."""
        with self._lock:
            return self._renew()

    def _renew(self) -> int:
        self._generation += 1
        self._notify()
        return self._generation

    def cut(self, generation: int) -> float | None:
        """Forget what is queued but the next moment: from which second on sound is wanted now.

        None when `generation`, of `renew`, is no longer the newest, or when all is over.
        """
        with self._lock:
            if self._rewritable:  # it gives back what it has not read yet
                self._cutting = True
                self._notify()
                self._lock.wait_for(lambda: not self._cutting, _TAKE_BACK_S)
                self._cutting = False
            if generation != self._generation or (self._finished and not self._queue):
                return None
            self._trim()
            self._finished = False
            return self._end_s

    def _trim(self) -> None:
        """Leave `KEEP_S` in the queue, and nothing in a pause."""
        room = 0 if self._paused else round(KEEP_S * RATE)
        while self._queued > room:
            chunk = self._queue.pop()
            frames = len(chunk.pcm) // FRAME
            kept, rest = _split(chunk, max(0, frames - (self._queued - room)))
            if kept.pcm:
                self._queue.append(kept)
            self._queued -= len(rest.pcm) // FRAME
            self._end_s = rest.at_s

    def hold(self) -> None:
        """Give nothing to the device that pulls now, only to the next one."""
        with self._lock:
            self._held = True

    def pause(self, on: bool) -> None:
        with self._lock:
            self._paused = on
            self._notify()

    def volume(self, factor: float) -> None:
        """0 to 2; above 1 the loudest samples are rounded off."""
        table = None if factor == 1.0 else _loudness(factor)
        with self._lock:
            self._loudness = table
            self._notify()

    def side(self, which: str) -> None:
        """``both``, or one channel on both ears: ``left`` or ``right``."""
        with self._lock:
            self._side = which
            self._notify()

    def _notify(self) -> None:
        self.revision += 1
        self._lock.notify_all()

    # the decoder's side

    def put(self, generation: int, chunk: Chunk) -> bool:
        """Queue sound, waiting for room. False when `generation` is no longer the newest."""
        for start in range(0, len(chunk.pcm), _PIECE):
            at_s = chunk.at_s + start / FRAME / RATE * chunk.speed
            piece = Chunk(chunk.pcm[start : start + _PIECE], at_s, chunk.speed)
            with self._lock:
                while generation == self._generation and self._queued >= QUEUE_S * RATE:
                    self._lock.wait()
                if generation != self._generation:
                    return False
                self._queue.append(piece)
                self._end_s = piece.end_s
                self._queued += len(piece.pcm) // FRAME
                if self._queued >= PREFILL_S * RATE:
                    self._flow()
                self._lock.notify_all()
        return True

    def finish(self, generation: int, end_s: float) -> None:
        """Nothing more will come under `generation`: the recording ends at this second."""
        with self._lock:
            if generation == self._generation:
                self._finished = True
                if not (self._queue or self._spans):  # it was never to be heard
                    self._at_s = end_s
                self._flow()

    def _flow(self) -> None:
        if self._waiting:
            self._waiting = False
            self._notify()

    # the device's side

    def pull(self, frames: int, at: int | None = None, heard: int | None = None) -> bytes:
        """Up to `frames` frames for the device to play now; what is missing is silence.

        A device whose sound can be overwritten says, in frames of its life, where they go and
        what is heard now. What it had from `at` on counts as never given; frames between the
        last one given and `at` went by in silence.
        """
        with self._lock:
            if at is not None:
                self._rewritable = True
                self._revoke(at)
                if self._cutting:
                    self._trim()
                    self._cutting = False
                    self._lock.notify_all()
            pcm = self._take(frames)
            now = self._clock()
            if self._real_time:
                left = self._ahead - (now - self._pulled_at) * _DRIFT
                self._ahead = max(0.0, left) + frames / RATE
            self._pulled_at = now
            self._given += frames
            under_way = max(self._latency, round(self._ahead * RATE))
            self._head = self._given - under_way if heard is None else heard
            loudness, side = self._loudness, self._side
        if side != "both" and pcm:
            pcm = _one_side(pcm, right=side == "right")
        if loudness is not None and pcm:
            pcm = array("h", map(loudness.__getitem__, memoryview(pcm).cast("h"))).tobytes()
        return pcm

    def too_fast_s(self) -> float:
        """How long a device should sleep that swallows sound faster than it can be heard.

        ALSA's null device takes an hour in a second; positions and ends would be nonsense.
        """
        return max(0.0, self._ahead - _AHEAD_S)

    def _take(self, frames: int) -> bytes:
        if not self._can_give():
            return b""
        parts: list[bytes] = []
        room = frames
        while room and self._queue:
            chunk, rest = _split(self._queue.popleft(), room)
            if rest.pcm:
                self._queue.appendleft(rest)
            span = _Span(self._given + frames - room, chunk)
            self._spans.append(span)
            parts.append(chunk.pcm)
            room = self._given + frames - span.end
        self._queued -= frames - room
        self._waiting = not self._queue and not self._finished
        self._lock.notify_all()
        return b"".join(parts)

    def _revoke(self, at: int) -> None:
        self._given = at
        while self._spans and self._spans[-1].end > at:
            span = self._spans.pop()
            played, rest = _split(span.chunk, max(0, at - span.start))
            if played.pcm:
                self._spans.append(_Span(span.start, played))
            self._queue.appendleft(rest)
            self._queued += len(rest.pcm) // FRAME
            self._waiting = False

    # the engine's questions

    def heard(self) -> Heard:
        """Where in the recording the listener is."""
        with self._lock:
            since = round((self._clock() - self._pulled_at) * RATE)
            head = min(self._given, self._head + since)
            while self._spans and self._spans[0].end <= head:
                span = self._spans.popleft()
                self._drained_at = span.end + self._latency  # it may be slower than it says
                self._at_s = span.second(span.end)
            if self._spans and self._spans[0].start <= head:
                self._at_s = self._spans[0].second(head)
            return Heard(self._seq, self._at_s, self._state(head))

    def _state(self, head: int) -> str:
        if self._finished and not self._queue and not self._spans and head >= self._drained_at:
            return "ended"
        return "waiting" if self._waiting and not self._spans else "flowing"

    def is_starving(self) -> bool:
        """Whether the listener waits for sound that the decoder has not made yet."""
        return self._waiting and not (self._paused or self._finished)

    def silent_for(self) -> float:
        """Seconds since a device last asked for sound."""
        return self._clock() - self._pulled_at

    def wait_for_news(self, revision: int, timeout_s: float) -> None:
        """Sleep while `revision` is this one."""
        with self._lock:
            self._lock.wait_for(lambda: self.revision != revision, timeout_s)

    def wait_for_sound(self, timeout_s: float, frames: int = 1) -> None:
        """Sleep until that much can be pulled, or all that is left."""
        with self._lock:
            self._lock.wait_for(
                lambda: self._can_give() and (self._finished or self._queued >= frames), timeout_s
            )

    def _can_give(self) -> bool:
        return bool(self._queue) and not (self._paused or self._waiting or self._held)


def _one_side(pcm: bytes, *, right: bool) -> bytes:
    samples = array("h", pcm)
    chosen = samples[right::2]
    samples[0::2] = samples[1::2] = chosen
    return samples.tobytes()


@lru_cache(maxsize=4)
def _loudness(factor: float) -> array[int]:
    """Every s16 value times `factor`; a negative sample finds itself from the table's end."""
    values = (*range(32_768), *range(-32_768, 0))
    return array("h", (round(v * factor) for v in values) if factor <= 1 else _boosted(factor))


def _boosted(factor: float) -> list[int]:
    """Exact up to the knee; above it a curve that never reaches beyond full scale."""
    top, knee = 32_767, KNEE * 32_767
    room = top - knee
    up = [
        round(v if (v := i * factor) <= knee else knee + room * math.tanh((v - knee) / room))
        for i in range(32_769)
    ]
    return [*up[:32_768], *(-up[-i] for i in range(-32_768, 0))]
