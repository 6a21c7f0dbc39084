"""Silence that is shortened, and stretches that end at their sample: pure functions."""

from __future__ import annotations

from array import array

import pytest

from tests.audio import sounds
from tests.audio.heard import Heard
from tests.slow_params import few
from tui.audio.engine.demuxer import FRAME, RATE, Chunk
from tui.audio.engine.filters import until, without_silence


def ramp(seconds: float) -> bytes:
    return sounds.wav(sounds.ramp(seconds), RATE, 2)


def frames(pcm: bytes) -> list[tuple[int, int]]:
    return Heard(pcm).frames()


def chunk(seconds: float, value: int, at_s: float, speed: float = 1.0) -> Chunk:
    pcm = array("h", [value, -value] * round(seconds / speed * RATE)).tobytes()
    return Chunk(pcm, at_s, speed)


def lengths(chunks: list[Chunk]) -> list[tuple[bool, float]]:
    """Stretches of sound and silence, in seconds of what is heard."""
    out: list[tuple[bool, float]] = []
    for one in chunks:
        loud, seconds = array("h", one.pcm)[0] != 0, len(one.pcm) / FRAME / RATE
        if out and out[-1][0] == loud:
            out[-1] = (loud, round(out[-1][1] + seconds, 3))
        else:
            out.append((loud, round(seconds, 3)))
    return out


@pytest.mark.parametrize(
    ("silence_s", "left_s"),
    few(4, [(0.3, 0.3), (1.0, 1.0), (1.1, 0.5), (9.0, 0.5), (600.0, 0.5)]),
)
def test_long_silences_are_shortened_and_short_ones_stay(silence_s: float, left_s: float) -> None:
    given = [chunk(1.0, 900, 0.0)]
    at_s = 1.0
    while at_s < 1.0 + silence_s - 1e-6:
        length_s = min(0.07, 1.0 + silence_s - at_s)
        given.append(chunk(length_s, 0, at_s))
        at_s += length_s
    given.append(chunk(1.0, 900, at_s))
    out = list(without_silence(given))
    assert lengths(out) == [(True, 1.0), (False, pytest.approx(left_s, abs=0.021)), (True, 1.0)]
    speech = next(one for one in reversed(out) if array("h", one.pcm)[0] == 0)
    assert speech.at_s + len(speech.pcm) / FRAME / RATE == pytest.approx(at_s, abs=0.011)


def test_what_is_quiet_on_one_side_only_is_no_silence() -> None:
    one_side = Chunk(array("h", [0, 900] * 3 * RATE).tobytes(), 0.0, 1.0)
    out = list(without_silence([one_side]))
    assert b"".join(one.pcm for one in out) == one_side.pcm


def test_silence_counts_in_seconds_of_the_recording() -> None:
    given = [chunk(1.0, 900, 0.0, 2.0), chunk(1.5, 0, 1.0, 2.0), chunk(1.0, 900, 2.5, 2.0)]
    left_s = lengths(list(without_silence(given)))[1][1]
    assert left_s * 2.0 == pytest.approx(0.5, abs=0.04)


def test_a_stretch_ends_at_its_sample() -> None:
    given = [Chunk(ramp(1.0)[44:], 3.0, 1.0), chunk(1.0, 5, 4.0)]
    (only,) = until(given, 3.25)
    assert frames(only.pcm) == [(0, RATE // 4 - 1)]
    assert len(list(until(given, 4.5))) == 2
