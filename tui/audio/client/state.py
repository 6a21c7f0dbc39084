"""All that can be seen of a player at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Status = Literal["idle", "loading", "playing", "paused", "ended", "failed"]
Side = Literal["both", "left", "right"]
_NEXT: dict[Side, Side] = {"both": "left", "left": "right", "right": "both"}


def next_side(side: Side) -> Side:
    """What one key goes through: both sides of a stereo recording, the left one, the right one."""
    return _NEXT[side]


VOLUMES = (0.0, 2.0)
Loop = tuple[float, float | None]
"""From where to where is repeated; without an end that is still to be marked."""
_LOOP_S = 0.1
_ROUNDED_S = 0.001  # positions are told in milliseconds


def next_loop(loop: Loop | None, at_s: float) -> Loop | None:
    """What marking this second makes of a loop; the same where it would be too short."""
    if loop is None:
        return at_s, None
    if loop[1] is not None:
        return None
    a, b = sorted((loop[0], at_s))
    return loop if b - a < _LOOP_S else (a, b)


@dataclass(frozen=True, slots=True)
class Loudness:
    """How loud it is meant to be (1 is as recorded), and whether it is muted for now."""

    volume: float = 1.0
    muted: bool = False

    @property
    def heard(self) -> float:
        return 0.0 if self.muted else self.volume

    def changed(self, step: float) -> Loudness:
        """Louder or quieter; it is muted no more."""
        return Loudness(round(min(max(self.volume + step, VOLUMES[0]), VOLUMES[1]), 2))

    def toggled(self) -> Loudness:
        """No sound, or as loud as before."""
        return Loudness(self.volume, not self.muted)


@dataclass(frozen=True, slots=True)
class PlayerState:
    """All that a screen shows of the player. Times are seconds of the recording."""

    status: Status = "idle"
    position_s: float = 0.0
    length_s: float | None = None
    speed: float = 1.0
    output: str = ""
    """``miniaudio (PulseAudio)``, ``wav:PATH``, ``none``; as asked for until the engine knows."""
    message: str = ""
    """One line for the user, e.g. why there is no sound."""
    reason: str = ""
    """Why it failed, as a key of `providers.errors.RECORDING_REASONS`, if it is one of those."""
    silent: bool = False
    """Whether it plays where nobody hears it, though it was meant to; the message says why."""
    incomplete: bool = False
    """Whether less of it is there than its header promises; the message says so, once."""
    volume: float = 1.0
    side: Side = "both"
    """Which channel of a stereo recording is heard, on both ears."""
    skip_silence: bool = False
    loop: Loop | None = None
    channels: int | None = None
    """1 or 2; None before it is known."""
    peaks_revision: int = 0
    """Changes when `Player.peaks` has grown."""

    def after(self, seconds: float) -> float:
        """The second that is heard so long after the position was told."""
        now_s = self.position_s + seconds * self.speed
        a, b = self.loop or (0.0, None)
        if b is not None and a <= self.position_s <= b + _ROUNDED_S < now_s:
            now_s = a + (now_s - b) % (b - a)
        return now_s if self.length_s is None else min(now_s, self.length_s)

    def before(self, seconds: float) -> float:
        """The second so long before the position; in a loop, not before its beginning."""
        at_s, loop = self.position_s, self.loop
        first_s = loop[0] if loop and loop[1] is not None and at_s >= loop[0] else 0.0
        return max(first_s, at_s - seconds)

    def open_fields(self) -> dict[str, Any]:
        """How it is to be played, as an engine is told when it opens the recording."""
        return {
            "start": self.position_s,
            "speed": self.speed,
            "volume": self.volume,
            "skip": self.skip_silence,
            "side": self.side,
            "loop": self.loop if self.loop and self.loop[1] is not None else None,
        }
