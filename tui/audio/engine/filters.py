"""What becomes of sound between the decoder and the queue: pure generators over chunks."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from tui.audio.engine.pcm import FRAME, RATE, Chunk
from widgets.levels import SPEECH_SAMPLE

LONGEST_S = 1.0
"""A longer silence is shortened."""
REST_S = 0.25
"""What stays of it at each end."""

_BLOCK_S = 0.01
_GRAIN_S = 0.005  # rounding, far below what can be heard


def until(chunks: Iterable[Chunk], end_s: float) -> Iterator[Chunk]:
    """Up to this second of the recording, exact to the sample."""
    for chunk in chunks:
        frames = round((end_s - chunk.at_s) / chunk.speed * RATE)
        if frames <= len(chunk.pcm) // FRAME:
            if frames > 0:
                yield chunk._replace(pcm=chunk.pcm[: frames * FRAME])
            return
        yield chunk


def without_silence(chunks: Iterable[Chunk]) -> Iterator[Chunk]:
    """Silences of more than `LONGEST_S` are shortened to `REST_S` at each end.

    Every chunk still knows its second of the recording. What comes at the end stays whole, for
    nobody knows yet how long it is.
    """
    silent_s = 0.0
    held: deque[Chunk] = deque()
    for block in _blocks(chunks):
        length_s = _length_s(block)
        if not _is_silent(block.pcm):
            yield from held
            held.clear()
            silent_s = 0.0
            yield block
            continue
        silent_s += length_s
        if silent_s <= REST_S + _GRAIN_S:
            yield block
            continue
        held.append(block)
        if silent_s > LONGEST_S + _GRAIN_S:
            while sum(map(_length_s, held)) > REST_S + _GRAIN_S:
                held.popleft()
    yield from held


def _blocks(chunks: Iterable[Chunk]) -> Iterator[Chunk]:
    """The same in short pieces, each of them silent or not."""
    for chunk in chunks:
        step = max(1, round(_BLOCK_S * RATE / chunk.speed)) * FRAME
        for start in range(0, len(chunk.pcm), step):
            at_s = chunk.at_s + start / FRAME / RATE * chunk.speed
            yield Chunk(chunk.pcm[start : start + step], at_s, chunk.speed)


def _length_s(chunk: Chunk) -> float:
    """Seconds of the recording."""
    return len(chunk.pcm) / FRAME / RATE * chunk.speed


def _is_silent(pcm: bytes) -> bool:
    samples = memoryview(pcm).cast("h")
    return max(samples) < SPEECH_SAMPLE and min(samples) > -SPEECH_SAMPLE
