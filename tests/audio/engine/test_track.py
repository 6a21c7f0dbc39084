"""Loops, skipped silence, sides and changes on the way, to the sample, without a device.

A real decoder's thread fills a real feed; the test pulls, as a device would.
"""

from __future__ import annotations

import threading
import time
from array import array
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.audio import sounds
from tests.audio.engine.outputs.test_devices import Heard
from tests.few import few
from tui.audio.engine.decoder import Hands
from tui.audio.engine.demuxer import FRAME, RATE, Chunk
from tui.audio.engine.filters import until, without_silence
from tui.audio.engine.pcm_queue import KEEP_S, PcmQueue
from tui.audio.engine.track import Track

OPENING: dict[str, Any] = {
    "id": 1, "seq": 1, "start": 0.0, "speed": 1.0, "volume": 1.0, "paused": False,
    "skip": False, "side": "both", "loop": None, "peaks": False,
}  # fmt: skip


class Desk:
    """A track, the feed it fills, and all that it said."""

    def __init__(self, data: bytes, hands: Hands, **opening: Any) -> None:
        self.said: list[dict[str, Any]] = []
        self.asked: list[tuple[int, int, bool]] = []
        self._data = data
        self.feed = PcmQueue()
        opening = {**OPENING, "size": len(data), **opening}
        self._made = threading.Event()
        self.track = Track(opening, self.feed, self._say, hands)
        self._made.set()

    def _say(self, what: str, body: bytes = b"", **fields: Any) -> None:
        if what == "get":
            at, n = fields["at"], fields["n"]
            self.asked.append((at, n, "idle" in fields))
            threading.Thread(target=self._answer, args=(at, n)).start()
        else:
            self.said.append({"is": what, "body": body, **fields})

    def _answer(self, at: int, n: int) -> None:
        self._made.wait()
        self.track.pull.feed(at, self._data[at : at + n])

    def pull(self, seconds: float) -> bytes:
        """So much sound, as soon as it is there; less at the end."""
        out, wanted, deadline = b"", round(seconds * RATE), time.monotonic() + 10
        while len(out) // FRAME < wanted:
            assert time.monotonic() < deadline
            self.feed.wait_for_sound(0.1)
            out += self.feed.pull(min(2400, wanted - len(out) // FRAME))
            if self.feed.heard().state == "ended":
                break
        return out

    def settle(self) -> None:
        """Until the decoder waits for room, or is through."""
        deadline = time.monotonic() + 5
        while not (self.feed._finished or self.feed._queued >= 0.3 * RATE):
            assert time.monotonic() < deadline
            time.sleep(0.002)


Made = Callable[..., Desk]


@pytest.fixture(scope="module")
def free() -> Iterator[list[Hands]]:
    """Processes that decode, for one desk after another."""
    free: list[Hands] = []
    yield free
    for hands in free:
        hands.close()


@pytest.fixture
def desk(free: list[Hands]) -> Iterator[Made]:
    made: list[tuple[Desk, Hands]] = []

    def make(data: bytes, **opening: Any) -> Desk:
        hands = free.pop() if free else Hands()
        desk = Desk(data, hands, **opening)
        made.append((desk, hands))
        desk.feed.attach(0.0, real_time=False)
        return desk

    yield make
    for desk, hands in made:
        desk.track.close()
        desk.feed.restart(-1, 0.0)
        free.append(hands)


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


def test_after_the_end_of_a_loop_comes_its_beginning(desk: Made) -> None:
    playing = desk(ramp(3.0), loop=[0.5, 1.25])
    a, b = RATE // 2, RATE * 5 // 4
    assert frames(playing.pull(1.25 + 0.75 * 2 + 0.3)) == [
        (0, b - 1), (a, b - 1), (a, b - 1), (a, a + round(0.3 * RATE) - 1),
    ]  # fmt: skip


def test_beyond_a_loop_it_plays_to_the_end(desk: Made) -> None:
    playing = desk(ramp(2.0), loop=[0.5, 1.0], start=1.5)
    assert frames(playing.pull(9.0)) == [(RATE * 3 // 2, 2 * RATE - 1)]
    playing.track.seek(2, 0.9)
    assert frames(playing.pull(0.3))[:2] == [
        (round(0.9 * RATE), RATE - 1), (RATE // 2, RATE // 2 + round(0.2 * RATE) - 1),
    ]  # fmt: skip


def test_a_loop_as_long_as_the_recording(desk: Made) -> None:
    playing = desk(ramp(0.5), loop=[0.0, 60.0])
    assert frames(playing.pull(1.2))[:2] == [(0, RATE // 2 - 1)] * 2


def test_a_loop_behind_the_end_ends(desk: Made) -> None:
    playing = desk(ramp(0.5), loop=[5.0, 6.0])
    assert frames(playing.pull(3.0)) == [(0, RATE // 2 - 1)]


def test_a_loop_that_is_taken_away_plays_on(desk: Made) -> None:
    playing = desk(ramp(3.0), loop=[0.5, 1.0])
    heard = playing.pull(1.2)
    playing.track.loop = None
    playing.track.change()
    heard += playing.pull(9.0)
    assert frames(heard) == [(0, RATE - 1), (RATE // 2, 3 * RATE - 1)]


@pytest.mark.parametrize("speed", few(1, [0.5, 3.0, 1.5]))
def test_a_new_speed_is_heard_within_a_tenth_of_a_second_and_nothing_is_lost(
    speed: float, desk: Made
) -> None:
    playing = desk(ramp(6.0))
    heard = playing.pull(1.0)
    playing.settle()
    playing.track.speed = speed
    playing.track.change()
    time.sleep(0.2)
    heard += playing.pull(0.4)
    ((first, last), *_) = frames(heard)
    assert first == 0
    assert RATE <= last + 1 <= (1.0 + 0.1) * RATE  # from then on it is another sound
    playing.track.speed = 1.0
    playing.track.change()
    time.sleep(0.2)
    playing.pull(0.2)
    rest = frames(playing.pull(9.0))
    assert len(rest) == 1
    assert rest[0][1] == 6 * RATE - 1


@pytest.mark.parametrize("kind", few(2, ["mp3-8k-mono", "wav-ulaw", "mp4-picture", "opus", "webm"]))
def test_every_sample_in_order_and_none_twice_whatever_is_pressed(
    kind: str, desk: Made, longer: dict[str, bytes]
) -> None:
    """Without any silence, to skip it changes nothing but makes the decoder begin anew."""
    playing = desk(longer[kind])
    heard = b""
    for number in range(8):
        heard += playing.pull(0.25)
        playing.settle()
        playing.track.skip = number % 2 == 0
        playing.track.change()
        playing.track.change()
    heard += playing.pull(9.0)
    assert heard == sounds.reference(longer[kind])


def test_a_change_on_the_way_to_another_place_arrives_there(desk: Made) -> None:
    playing = desk(ramp(3.0))
    playing.pull(0.2)
    playing.track.seek(2, 2.0)
    playing.track.change()
    assert frames(playing.pull(9.0)) == [(2 * RATE, 3 * RATE - 1)]


def test_a_change_after_the_end_starts_nothing(desk: Made) -> None:
    playing = desk(ramp(0.5))
    playing.pull(9.0)
    playing.track.change()
    time.sleep(0.1)
    assert playing.feed.pull(480) == b""
    assert playing.feed.heard().state == "ended"


def test_a_change_in_a_pause_repeats_nothing(desk: Made) -> None:
    playing = desk(ramp(2.0))
    heard = playing.pull(0.5)
    playing.feed.pause(True)
    playing.settle()
    playing.track.change()
    time.sleep(0.1)
    playing.feed.pause(False)
    assert frames(heard + playing.pull(9.0)) == [(0, 2 * RATE - 1)]


def test_one_side_is_heard_on_both_ears_from_the_next_sample_on(desk: Made) -> None:
    playing = desk(ramp(1.0))
    both = array("h", playing.pull(0.2))
    playing.feed.side("left")
    left = array("h", playing.pull(0.2))
    playing.feed.side("right")
    right = array("h", playing.pull(0.2))
    at = round(0.2 * RATE)
    assert both[:2] == array("h", [1, 1])
    assert left[::2] == left[1::2] == sounds.ramp(1.0)[2 * at : 4 * at : 2]
    assert right[::2] == right[1::2] == sounds.ramp(1.0)[4 * at + 1 : 6 * at : 2]


def test_a_boosted_volume_is_true_below_the_knee_and_rounded_above(desk: Made) -> None:
    values = [0, 1, -1, 5000, -5000, 12_000, 20_000, -20_000, 32_767, -32_768] * 480
    playing = desk(sounds.wav(array("h", values), RATE, 2))
    playing.feed.volume(2.0)
    out = array("h", playing.pull(0.02))[:10]
    assert out[:6] == array("h", [0, 2, -2, 10_000, -10_000, 24_000])
    assert 24_575 < out[6] == -out[7] < out[8] == -out[9] <= 32_767


def test_what_stays_queued_is_shorter_than_a_key_may_take() -> None:
    assert KEEP_S <= 0.1
