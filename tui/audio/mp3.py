"""Where in time a byte of an MP3 is. FFmpeg knows only after reading all that lies before.

With a constant bit rate the number of a frame follows from its place, so that a far seek needs
a few kilobytes and is exact all the same.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

_TAGS = (b"Xing", b"VBRI")  # in the first frame; a constant rate has "Info", or nothing


class Steady(NamedTuple):
    """An MP3 whose frames are all of one length, or one byte longer."""

    first: int
    """The byte at which the first frame of sound begins."""
    frame_bytes: Fraction
    frame_s: Fraction

    def pts(self, pos: int, base: Fraction) -> int:
        """Of the frame that begins at this byte, in units of `base` seconds."""
        return round(round((pos - self.first) / self.frame_bytes) * self.frame_s / base)

    def has(self, size: int) -> bool:
        """Whether a frame may be of this size."""
        return abs(size - self.frame_bytes) < 1


def steady(head: bytes, first: int, bit_rate: int, rate: int, samples: int) -> Steady | None:
    """What the first frame promises: `samples` a frame. None where the bit rate varies."""
    if any(tag in head for tag in _TAGS) or not (bit_rate and rate and samples):
        return None
    return Steady(first, Fraction(samples * bit_rate, 8 * rate), Fraction(samples, rate))
