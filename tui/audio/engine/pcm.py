"""Sound as it leaves the decoder: 48 kHz stereo s16, in pieces that know their second."""

from __future__ import annotations

from typing import NamedTuple

RATE = 48_000
"""Sample rate of everything that is decoded, in Hz."""
FRAME = 4
"""Bytes of one frame: two channels of 16 bits."""

_EARLY_S = 0.5  # what is missing at the end before it is called cut off


class Chunk(NamedTuple):
    """A stretch of sound: s16 stereo at `RATE`, which of the recording's seconds, how fast."""

    pcm: bytes
    at_s: float
    speed: float

    @property
    def end_s(self) -> float:
        """The recording's second after it."""
        return self.at_s + len(self.pcm) / FRAME / RATE * self.speed


def ends_early(stated_s: float | None, end_s: float) -> bool:
    """Whether sound that ended at this second is less than the header promises."""
    return (stated_s or 0.0) - end_s > _EARLY_S
