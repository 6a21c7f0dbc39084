"""Loops, skipped silence, sides and changes on the way, to the sample, without a device.

A real decoder's thread fills a real queue; the test pulls, as a device would.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.audio import sounds
from tests.audio.engine.harness import TrackHarness
from tests.audio.heard import Heard, ramp
from tests.slow_params import few
from tui.audio.engine.decoder import Workers
from tui.audio.engine.demuxer import RATE
from tui.audio.engine.track import parse_loop

Made = Callable[..., TrackHarness]


@pytest.fixture(scope="module")
def free() -> Iterator[list[Workers]]:
    """Processes that decode, for one track after another."""
    free: list[Workers] = []
    yield free
    for workers in free:
        workers.close()


@pytest.fixture
def track(free: list[Workers]) -> Iterator[Made]:
    made: list[tuple[TrackHarness, Workers]] = []

    def make(data: bytes, **opening: Any) -> TrackHarness:
        workers = free.pop() if free else Workers()
        track = TrackHarness(data, workers, **opening)
        made.append((track, workers))
        track.queue.attach(0.0, real_time=False)
        return track

    yield make
    for track, workers in made:
        track.track.close()
        track.queue.restart(-1, 0.0)
        free.append(workers)


def frames(pcm: bytes) -> list[tuple[int, int]]:
    return Heard(pcm).frames()


def test_after_the_end_of_a_loop_comes_its_beginning(track: Made) -> None:
    playing = track(ramp(3.0), loop=[0.5, 1.25])
    a, b = RATE // 2, RATE * 5 // 4
    assert frames(playing.pull(1.25 + 0.75 * 2 + 0.3)) == [
        (0, b - 1), (a, b - 1), (a, b - 1), (a, a + round(0.3 * RATE) - 1),
    ]  # fmt: skip


def test_beyond_a_loop_it_plays_to_the_end(track: Made) -> None:
    playing = track(ramp(2.0), loop=[0.5, 1.0], start=1.5)
    assert frames(playing.pull(9.0)) == [(RATE * 3 // 2, 2 * RATE - 1)]
    playing.track.seek(2, 0.9)
    assert frames(playing.pull(0.3))[:2] == [
        (round(0.9 * RATE), RATE - 1), (RATE // 2, RATE // 2 + round(0.2 * RATE) - 1),
    ]  # fmt: skip


def test_a_loop_as_long_as_the_recording(track: Made) -> None:
    playing = track(ramp(0.5), loop=[0.0, 60.0])
    assert frames(playing.pull(1.2))[:2] == [(0, RATE // 2 - 1)] * 2


def test_a_loop_behind_the_end_ends(track: Made) -> None:
    playing = track(ramp(0.5), loop=[5.0, 6.0])
    assert frames(playing.pull(3.0)) == [(0, RATE // 2 - 1)]


def test_a_loop_that_is_taken_away_plays_on(track: Made) -> None:
    playing = track(ramp(3.0), loop=[0.5, 1.0])
    heard = playing.pull(1.2)
    playing.change(loop=None)
    heard += playing.pull(9.0)
    assert frames(heard) == [(0, RATE - 1), (RATE // 2, 3 * RATE - 1)]


@pytest.mark.parametrize("speed", few(1, [0.5, 3.0, 1.5]))
def test_a_new_speed_is_heard_within_a_tenth_of_a_second_and_nothing_is_lost(
    speed: float, track: Made
) -> None:
    playing = track(ramp(6.0))
    heard = playing.pull(1.0)
    playing.settle()
    playing.change(speed=speed)
    heard += playing.pull(0.4)
    ((first, last), *_) = frames(heard)
    assert first == 0
    assert RATE <= last + 1 <= (1.0 + 0.1) * RATE  # from then on it is another sound
    playing.change(speed=1.0)
    playing.pull(0.2)
    rest = frames(playing.pull(9.0))
    assert len(rest) == 1
    assert rest[0][1] == 6 * RATE - 1


@pytest.mark.parametrize("kind", few(2, ["mp3-8k-mono", "wav-ulaw", "mp4-picture", "opus", "webm"]))
def test_every_sample_in_order_and_none_twice_whatever_is_pressed(
    kind: str, track: Made, longer: dict[str, bytes]
) -> None:
    """Without any silence, to skip it changes nothing but makes the decoder begin anew."""
    playing = track(longer[kind])
    heard = b""
    for number in range(8):
        heard += playing.pull(0.25)
        playing.settle()
        playing.track.skip = number % 2 == 0
        playing.track.change()
        playing.track.change()
    heard += playing.pull(9.0)
    assert heard == sounds.reference(longer[kind])


def test_a_change_on_the_way_to_another_place_arrives_there(track: Made) -> None:
    playing = track(ramp(3.0))
    playing.pull(0.2)
    playing.track.seek(2, 2.0)
    playing.track.change()
    assert frames(playing.pull(9.0)) == [(2 * RATE, 3 * RATE - 1)]


def test_a_change_after_the_end_starts_nothing(track: Made) -> None:
    playing = track(ramp(0.5))
    playing.pull(9.0)
    playing.change()
    assert playing.queue.pull(480) == b""
    assert playing.queue.heard().state == "ended"


def test_a_change_in_a_pause_repeats_nothing(track: Made) -> None:
    playing = track(ramp(2.0))
    heard = playing.pull(0.5)
    playing.settle()
    playing.queue.pause(True)
    playing.change()
    playing.queue.pause(False)
    assert frames(heard + playing.pull(9.0)) == [(0, 2 * RATE - 1)]


def test_one_side_is_heard_on_both_ears_from_the_next_sample_on(track: Made) -> None:
    playing = track(ramp(1.0))
    both = array("h", playing.pull(0.2))
    playing.queue.side("left")
    left = array("h", playing.pull(0.2))
    playing.queue.side("right")
    right = array("h", playing.pull(0.2))
    at = round(0.2 * RATE)
    assert both[:2] == array("h", [1, 1])
    assert left[::2] == left[1::2] == sounds.ramp(1.0)[2 * at : 4 * at : 2]
    assert right[::2] == right[1::2] == sounds.ramp(1.0)[4 * at + 1 : 6 * at : 2]


def test_a_boosted_volume_is_true_below_the_knee_and_rounded_above(track: Made) -> None:
    values = [0, 1, -1, 5000, -5000, 12_000, 20_000, -20_000, 32_767, -32_768] * 480
    playing = track(sounds.wav(array("h", values), RATE, 2))
    playing.queue.volume(2.0)
    out = array("h", playing.pull(0.02))[:10]
    assert out[:6] == array("h", [0, 2, -2, 10_000, -10_000, 24_000])
    assert 24_575 < out[6] == -out[7] < out[8] == -out[9] <= 32_767


@pytest.mark.parametrize(
    ("ends", "loop"),
    [
        ([1, 2], (1.0, 2.0)),
        ([2.0, 2.0], None),
        ([2.0, 1.0], None),
        ([None, None], None),
        ([0.0, None], None),
        ([0, 0.5], (0.0, 0.5)),
        (None, None),
    ],
)
def test_a_loop_has_two_ends_in_their_order(ends: object, loop: object) -> None:
    assert parse_loop(ends) == loop
