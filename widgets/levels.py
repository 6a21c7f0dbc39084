"""How loud speech is at least, in the two measures of this program."""

from __future__ import annotations

from math import sqrt

SPEECH_DB = -45
"""Of full scale: below it nobody speaks."""
_SPEECH: float = 10 ** (SPEECH_DB / 20)
SPEECH_SAMPLE = round(32_768 * _SPEECH)
"""As a sample of 16 bits."""
SPEECH_PEAK = round(255 * sqrt(_SPEECH))
"""As a byte of the peaks, which are square roots."""
