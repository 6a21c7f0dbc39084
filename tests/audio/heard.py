"""Which frames of a recording were heard, in which order, and when."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from tests.audio import sounds
from tests.audio.sound_servers import RATE, samples


class Run(NamedTuple):
    """Frames that were heard one behind the other."""

    first: int
    last: int
    at: int
    """The frame of what was heard at which it begins."""

    @property
    def end(self) -> int:
        """The frame of what was heard after it."""
        return self.at + self.last - self.first


class Heard:
    """A recording of `sounds.ramp`: which of its frames was heard when."""

    def __init__(self, raw: bytes) -> None:
        frames = samples(raw)
        self.runs: list[Run] = []
        last = -2
        for i in range(0, len(frames), 2):
            frame = (frames[i + 1] - 1) * 30_000 + frames[i] - 1 if frames[i] else -2
            if frame >= 0 and frame != last + 1:
                self.runs.append(Run(frame, frame, i // 2))
            elif frame >= 0:
                self.runs[-1] = self.runs[-1]._replace(last=frame)
            last = frame

    def frames(self) -> list[tuple[int, int]]:
        """First and last of each run, those in one that only silence parts."""
        joined: list[tuple[int, int]] = []
        for first, last, _ in self.runs:
            if joined and first == joined[-1][1] + 1:
                joined[-1] = (joined[-1][0], last)
            else:
                joined.append((first, last))
        return joined

    def longest_silence(self) -> tuple[Run, Run]:
        """The runs before and after it; a busy machine makes short ones of its own."""
        return max(pairwise(self.runs), key=lambda runs: runs[1].at - runs[0].end)


def ramp(seconds: float) -> bytes:
    """A WAV file in which every frame is different."""
    return sounds.wav(sounds.ramp(seconds), RATE, 2)
