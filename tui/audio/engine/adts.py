"""The frames of an AAC stream (ADTS), by their headers."""

from __future__ import annotations

from fractions import Fraction

_RATES = (
    *(96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000),
    *(22_050, 16_000, 12_000, 11_025, 8000, 7350),
)
_SAMPLES = 1024  # a block; what doubles the rate doubles them too
_HEADER = 7


def frame_seconds(frame: bytes) -> Fraction:
    """How long this frame lasts; 0 where it is none."""
    if len(frame) < _HEADER or frame[0] != 0xFF or frame[1] & 0xF6 != 0xF0:
        return Fraction(0)
    rate = frame[2] >> 2 & 15
    if rate >= len(_RATES):
        return Fraction(0)
    return Fraction(_SAMPLES * (1 + (frame[6] & 3)), _RATES[rate])
