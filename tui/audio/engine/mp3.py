"""The frames of an MP3, by their headers.

With a constant bit rate the number of a frame follows from its place, so that a far seek needs
a few kilobytes. That is a promise of the first frame: whoever lands has to see whether it holds.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

_VARY = (b"Xing", b"VBRI")  # in the first frame; a constant rate has "Info", or nothing
_FIRST_FRAME = 2048


class ConstantBitRate(NamedTuple):
    """An MP3 whose frames are all of one length, or one byte longer."""

    first: int
    """The byte at which the first frame of sound begins."""
    frame_bytes: Fraction
    frame_s: Fraction

    def place(self, second: float) -> int:
        """The byte at which the frame with this second of the stream begins."""
        return self.first + int(int(second / self.frame_s) * self.frame_bytes)

    def second(self, pos: int, size: int) -> float | None:
        """Of the frame of `size` bytes that begins at this byte; None where none of it can."""
        number = round((pos - self.first) / self.frame_bytes)
        least = int(self.frame_bytes)
        apart = abs(pos - self.first - number * self.frame_bytes)
        if apart > 1 or not least <= size <= least + 1:
            return None
        return float(number * self.frame_s)


def constant_bit_rate(
    head: bytes, first: int, bit_rate: int, rate: int, samples: int
) -> ConstantBitRate | None:
    """What the first frame promises: `samples` a frame. None where the bit rate varies."""
    if any(tag in head for tag in _VARY) or not (bit_rate and rate and samples):
        return None
    return ConstantBitRate(first, Fraction(samples * bit_rate, 8 * rate), Fraction(samples, rate))


def counted_frames(head: bytes) -> int | None:
    """How many frames there are, where whoever wrote it has said so in the first one."""
    for tag in (*_VARY, b"Info"):
        at = head.find(tag, 0, _FIRST_FRAME)
        if at >= 0 and tag == b"VBRI":
            return int.from_bytes(head[at + 14 : at + 18]) or None
        if at >= 0 and len(head) >= at + 12 and head[at + 7] & 1:
            return int.from_bytes(head[at + 8 : at + 12]) or None
    return None
