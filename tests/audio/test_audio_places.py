"""The second that is shown is the second that sounds: formats x header faults x places."""

from __future__ import annotations

import io
import math
from array import array
from functools import cache

import pytest

from tests.audio import odd
from tests.few import few
from tui.audio.filters import FRAME, RATE, Chunk
from tui.audio.measure import Measured, measure
from tui.audio.media import Media
from tui.audio.peaks import WINDOW_S
from tui.audio.places import Places
from tui.audio.pull import IdlePull, Pull

PLACES_S = (0.0, 1.45, 3.3, 5.75)
_LOOK_S = 0.1
_STEP = 4
_AGREES_S = 0.1
_TONES = [300 + 100 * k for k in range(odd.SECONDS)]


def pitch(pcm: bytes, at_s: float) -> int:
    """Which of the staircase's tones is loudest in the tenth of a second from there on."""
    first = round(at_s * RATE)
    part = memoryview(pcm).cast("h")[2 * first : 2 * (first + round(_LOOK_S * RATE)) : 2]
    samples = part.tolist()[::_STEP]

    def power(hz: int) -> float:
        turn = 2 * math.cos(2 * math.pi * hz * _STEP / RATE)
        last = before = 0.0
        for sample in samples:
            last, before = sample + turn * last - before, last
        return last * last + before * before - turn * last * before

    return max(_TONES, key=power)


def length_s(pcm: bytes) -> float:
    return len(pcm) / FRAME / RATE


class Whole:
    """A recording as it is measured: its end, its waveform, its places."""

    def __init__(self, data: bytes) -> None:
        self.places = Places()
        self.windows = self.lanes = 0
        self.end: Measured | None = None
        pull = Pull(len(data), lambda at, n: pull.feed(at, data[at : at + n]))
        idle = IdlePull(pull, lambda at, n: pull.feed(at, data[at : at + n]))
        measure(idle, self.places, self._peaks, self._end, lambda: None)

    def _peaks(self, at: int, lanes: int, done: bool, body: bytes) -> None:
        self.windows, self.lanes = at + len(body) // lanes, lanes

    def _end(self, end: Measured) -> None:
        self.end = end


@cache
def whole(name: str, fault: str) -> Whole:
    return Whole(odd.made(name, fault))


def heard(data: bytes, start_s: float, places: Places | None, *, near: bool) -> list[Chunk]:
    media = Media(io.BytesIO(data), len(data), places=places, near=near)
    try:
        return list(media.chunks(start_s))
    finally:
        media.close()


def same_second(pcm: bytes, start_s: float, true: bytes) -> None:
    """The tones follow each other as they do in the truth from there on, around each change."""
    left_s = length_s(true) - start_s
    assert length_s(pcm) == pytest.approx(left_s, abs=_AGREES_S)
    for second in range(math.ceil(start_s), odd.SECONDS):
        for at_s in (second - 0.15 - start_s, second + 0.35 - start_s):
            if 0.05 < at_s < left_s - _LOOK_S - 0.1:
                assert pitch(pcm, at_s) == pitch(true, start_s + at_s), (second, at_s)


@pytest.mark.parametrize(("name", "fault"), few(1000, odd.TABLE))
@pytest.mark.parametrize("way", ["read", "far", "measured"])
def test_what_sounds_is_what_is_shown(name: str, fault: str, way: str) -> None:
    data, true = odd.made(name, fault), odd.truth(name, fault)
    places = whole(name, fault).places if way == "measured" else None
    for start_s in PLACES_S:
        chunks = heard(data, start_s, places, near=way != "far")
        pcm = b"".join(chunk.pcm for chunk in chunks)
        same_second(pcm, start_s, true)
        assert chunks[0].at_s == pytest.approx(start_s, abs=0.01)
        assert chunks[-1].end_s == pytest.approx(length_s(true), abs=_AGREES_S)


@pytest.mark.parametrize(("name", "fault"), odd.TABLE)
def test_length_and_waveform_agree_with_what_sounds(name: str, fault: str) -> None:
    found, true_s = whole(name, fault), length_s(odd.truth(name, fault))
    assert found.end is not None
    assert found.end.length_s == pytest.approx(true_s, abs=_AGREES_S)
    assert found.windows * WINDOW_S == pytest.approx(true_s, abs=_AGREES_S)
    assert found.end.stated_s is None, "nothing is missing"
