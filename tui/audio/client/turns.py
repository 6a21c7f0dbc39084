"""Who speaks when, from the peaks of a recording: pure functions.

A lane speaks where it is louder than its own noise. A pause within a sentence does not end a
turn, a click does not begin one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Literal, NamedTuple

from tui.audio.peaks import WINDOW_S, Peaks
from widgets.levels import SPEECH_PEAK

Who = Literal["left", "right", "both", "speech", "silence"]

BRIDGED_S = 0.7
"""A shorter pause belongs to the turn before it."""
IGNORED_S = 0.2
"""A shorter sound is none, and a shorter overlap no cross-talk."""
BACK_S = 1.0
"""Who goes back later than this into a turn means the beginning of that very turn."""

_MAXIMUM = 100  # -16 dB: above it nobody is background
_ABOVE_NOISE = 1.6  # 8 dB, since a peak's byte is a square root
_NOISE_SHARE = 0.1  # the quietest tenth of a lane is its noise


class Turn(NamedTuple):
    """A stretch of the recording, in seconds; ``speech`` is that of a mono recording."""

    who: Who
    start_s: float
    end_s: float


def turns(peaks: Peaks) -> Sequence[Turn]:
    """The whole recording from 0 to as far as it is measured, without gaps."""
    return _turns_at(peaks, peaks.revision)


@lru_cache(maxsize=1)  # an hour takes 30 ms, and keys ask again and again
def _turns_at(peaks: Peaks, _revision: int) -> Sequence[Turn]:
    lanes = [_speech_windows(lane) for lane in peaks.lanes]
    if not lanes:
        return ()
    names: tuple[Who, ...] = ("silence", "speech") if len(lanes) == 1 else _SIDES
    codes = lanes[0] if len(lanes) == 1 else bytes(a + 2 * b for a, b in zip(*lanes, strict=True))
    runs = _merge_short_runs([(names[code], len(list(run))) for code, run in groupby(codes)])
    out: list[Turn] = []
    at = 0
    for who, length in runs:
        out.append(Turn(who, round(at * WINDOW_S, 2), round((at + length) * WINDOW_S, 2)))
        at += length
    return tuple(out)


_SIDES: tuple[Who, ...] = ("silence", "left", "right", "both")
_Run = tuple[Who, int]


def _threshold(lane: bytes | bytearray) -> float:
    """What is louder is speech: adapted to the lane's noise."""
    noise = sorted(lane)[int(len(lane) * _NOISE_SHARE)] if lane else 0
    return max(SPEECH_PEAK, min(_MAXIMUM, noise * _ABOVE_NOISE))


def _speech_windows(lane: bytes | bytearray) -> bytes:
    """1 for each window in which somebody speaks, pauses bridged and clicks left out."""
    threshold = _threshold(lane)
    loud = lane.translate(bytes(value >= threshold for value in range(256)))
    heard = _flip_short_runs(loud, 1, IGNORED_S)
    return _flip_short_runs(heard, 0, BRIDGED_S, inside=True)


def _flip_short_runs(
    lane: bytes | bytearray, value: int, shorter_s: float, inside: bool = False
) -> bytes:
    """Runs of `value` that are too short become the other; `inside`: not those at the ends."""
    out, at = bytearray(), 0
    for found, run in groupby(lane):
        length = len(list(run))
        at_end = inside and (at == 0 or at + length == len(lane))
        short = found == value and length * WINDOW_S < shorter_s - WINDOW_S / 2 and not at_end
        out += bytes([found ^ short]) * length
        at += length
    return bytes(out)


def _merge_short_runs(runs: list[_Run]) -> list[_Run]:
    """Short silences and overlaps between two turns go to the turn before them."""
    merged: list[_Run] = []
    for number, (who, length) in enumerate(runs):
        last = number == len(runs) - 1
        least_s = {"silence": BRIDGED_S, "both": IGNORED_S}.get(who, 0.0)
        short = length * WINDOW_S < least_s - WINDOW_S / 2
        if merged and (who == merged[-1][0] or (short and not last and merged[-1][0] != "silence")):
            merged[-1] = (merged[-1][0], merged[-1][1] + length)
        else:
            merged.append((who, length))
    return merged


def next_turn(turns: Sequence[Turn], at_s: float, step: int) -> float | None:
    """Where the next turn of speech begins (`step` 1) or the one before (-1), in seconds.

    None when there is none. Going back in the middle of a turn means its own beginning.
    """
    starts = [turn.start_s for turn in turns if turn.who != "silence"]
    if step > 0:
        return next((start for start in starts if start > at_s + WINDOW_S), None)
    return next((start for start in reversed(starts) if start < at_s - BACK_S), None)


def describe_turns(turns: Iterable[Turn], names: Mapping[str, str] | None = None) -> list[str]:
    """``left 0:00 to 0:12``, ``silence 9 s``: a line for each turn, for those who listen to it.

    `names` says who is who: ``{"left": "agent"}``.
    """
    return [_describe(turn, names or {}) for turn in turns]


def _describe(turn: Turn, names: Mapping[str, str]) -> str:
    who = names.get(turn.who, turn.who)
    if turn.who == "silence":
        return f"{who} {max(1, round(turn.end_s - turn.start_s))} s"
    return f"{who} {clock(turn.start_s)} to {clock(turn.end_s)}"


def clock(seconds: float) -> str:
    """``m:ss``, or ``h:mm:ss`` from an hour on."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
