"""The queue between the decoder and the device: what is pulled, and what is heard of it.

The clock is the test's: a device pulls when the test says so.
"""

from __future__ import annotations

from array import array

import pytest

from tests.audio import sounds
from tests.audio.heard import Heard
from tui.audio.engine.pcm import FRAME, RATE, Chunk
from tui.audio.engine.pcm_queue import KEEP_S, KNEE, PREFILL_S, QUEUE_S, PcmQueue


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


class Device:
    """A queue with a ramp of 30 s before it, and a device that pulls from it."""

    def __init__(self, latency_s: float = 0.0, *, real_time: bool = True) -> None:
        self.clock = Clock()
        self.queue = PcmQueue(self.clock)
        self.queue.attach(latency_s, real_time=real_time)
        self.generation = self.queue.restart(1, 0.0)
        self._ramp = sounds.ramp(30.0).tobytes()

    def put(self, seconds: float, at_s: float = 0.0) -> bool:
        pcm = self._ramp[round(at_s * RATE) * FRAME :][: round(seconds * RATE) * FRAME]
        return self.queue.put(self.generation, Chunk(pcm, at_s, 1.0))

    def pull(self, seconds: float, after_s: float = 0.0) -> list[tuple[int, int]]:
        """Which frames come."""
        self.clock.now_s += after_s
        return Heard(self.queue.pull(round(seconds * RATE))).frames()

    def heard_s(self, after_s: float = 0.0) -> float:
        self.clock.now_s += after_s
        return self.queue.heard().at_s

    def state(self) -> str:
        return self.queue.heard().state


def frames(start_s: float, end_s: float) -> list[tuple[int, int]]:
    return [(round(start_s * RATE), round(end_s * RATE) - 1)]


def test_sound_begins_when_there_is_enough_of_it() -> None:
    device = Device()
    assert device.put(PREFILL_S - 0.01)
    assert (device.pull(0.05), device.state()) == ([], "waiting")
    assert device.put(0.02, PREFILL_S - 0.01)
    assert (device.pull(0.05), device.state()) == (frames(0.0, 0.05), "flowing")


def test_less_than_that_comes_when_there_is_no_more() -> None:
    device = Device()
    device.put(0.03)
    device.queue.finish(device.generation, 0.03)
    assert device.pull(0.05) == frames(0.0, 0.03)
    device.clock.now_s += 0.05
    assert device.heard_s() == pytest.approx(0.03)
    assert device.state() == "ended"


def test_what_is_heard_follows_the_clock_and_the_devices_delay() -> None:
    device = Device(latency_s=0.2)
    device.put(1.0)
    device.pull(0.1)
    assert device.heard_s() == 0.0
    for _ in range(4):
        device.pull(0.1, after_s=0.1)
    assert device.heard_s() == pytest.approx(0.3)
    assert device.heard_s(after_s=0.05) == pytest.approx(0.35), "between two pulls too"
    assert device.heard_s(after_s=5.0) == pytest.approx(0.5), "no further than was given"


def test_a_device_that_tells_no_delay_is_held_to_the_clock() -> None:
    """It takes sound far ahead: the playhead must not run ahead of what is heard."""
    device = Device()
    device.put(0.9)
    for _ in range(8):
        device.pull(0.1)
    assert device.heard_s() < 0.11
    assert device.queue.too_fast_s() == pytest.approx(0.3)
    assert device.heard_s(after_s=0.4) == pytest.approx(0.4, abs=0.11)
    device.pull(0.1)
    assert device.queue.too_fast_s() < 0.01
    assert device.heard_s(after_s=0.1) == pytest.approx(0.5, abs=0.11)


def test_a_file_takes_sound_as_fast_as_it_comes() -> None:
    device = Device(real_time=False)
    device.put(0.9)
    device.pull(0.9)
    assert device.heard_s() == pytest.approx(0.9)
    assert device.queue.too_fast_s() == 0.0


def test_the_end_is_when_the_last_sound_was_heard() -> None:
    device = Device(latency_s=0.2)
    device.put(0.3)
    device.queue.finish(device.generation, 0.3)
    device.pull(0.3)
    device.pull(0.1, after_s=0.3)
    assert device.state() == "flowing"
    device.pull(0.1, after_s=0.1)
    device.heard_s()
    device.pull(0.1, after_s=0.1)
    assert device.heard_s() == pytest.approx(0.3)
    assert device.state() == "flowing"
    device.pull(0.3, after_s=0.3)
    assert device.state() == "ended", "it may be slower than it says"


def test_an_end_that_was_never_to_be_heard_tells_its_second() -> None:
    device = Device()
    generation = device.queue.restart(2, 55.0)
    device.queue.finish(generation - 1, 9.0)
    assert (device.heard_s(), device.state()) == (55.0, "waiting")
    device.queue.finish(generation, 30.0)
    assert (device.queue.heard().seq, device.heard_s(), device.state()) == (2, 30.0, "ended")


def test_a_pause_gives_nothing_and_loses_nothing() -> None:
    device = Device()
    device.put(0.5)
    device.pull(0.2)
    device.queue.pause(True)
    assert device.pull(0.1, after_s=0.2) == []
    held_s = device.heard_s(after_s=3.0)
    assert held_s == pytest.approx(0.2)
    assert not device.queue.is_starving()
    device.queue.pause(False)
    assert device.pull(0.1) == frames(0.2, 0.3)


def test_who_was_held_gives_nothing_to_this_device_but_to_the_next() -> None:
    device = Device()
    device.put(0.5)
    device.queue.hold()
    assert device.pull(0.1) == []
    device.queue.attach(0.0)
    assert device.pull(0.1) == frames(0.0, 0.1)


def test_another_place_forgets_what_was_queued() -> None:
    device = Device()
    device.put(0.5)
    device.pull(0.1)
    before = device.queue.revision
    old, device.generation = device.generation, device.queue.restart(2, 9.0)
    assert device.queue.revision > before
    assert (device.pull(0.1), device.heard_s(), device.state()) == ([], 9.0, "waiting")
    assert device.queue.is_starving()
    assert not device.queue.put(old, Chunk(bytes(FRAME * 9600), 0.5, 1.0))
    device.put(0.2, 9.0)
    assert not device.queue.is_starving()
    assert device.pull(0.1) == frames(9.0, 9.1)


def test_a_change_keeps_what_the_device_takes_next() -> None:
    device = Device()
    device.put(0.8)
    device.pull(0.2)
    generation = device.queue.renew()
    assert not device.put(0.1, 0.8), "it would come behind what is forgotten"
    assert device.queue.cut(generation - 1) is None
    assert device.queue.cut(generation) == pytest.approx(0.2 + KEEP_S)
    assert device.pull(0.3) == frames(0.2, 0.2 + KEEP_S)


def test_a_change_in_a_pause_keeps_nothing() -> None:
    device = Device()
    device.put(0.8)
    device.pull(0.2)
    device.queue.pause(True)
    assert device.queue.cut(device.queue.renew()) == pytest.approx(0.2)


def test_a_change_after_all_was_given_starts_nothing() -> None:
    device = Device()
    device.put(0.2)
    device.queue.finish(device.generation, 0.2)
    assert device.queue.cut(device.queue.renew()) == pytest.approx(KEEP_S)
    device.generation = device.queue.renew()
    device.queue.finish(device.generation, 0.2)
    device.pull(0.2)
    assert device.queue.cut(device.queue.renew()) is None


def test_what_a_device_has_not_read_can_be_taken_back() -> None:
    device = Device()
    device.put(0.9)
    pull = device.queue.pull
    assert Heard(pull(round(0.3 * RATE), 0, 0)).frames() == frames(0.0, 0.3)
    assert device.heard_s() == 0.0
    again = pull(round(0.2 * RATE), round(0.1 * RATE), round(0.05 * RATE))
    assert Heard(again).frames() == frames(0.1, 0.3)
    assert device.heard_s() == pytest.approx(0.05)
    behind = pull(round(0.1 * RATE), round(0.5 * RATE), round(0.4 * RATE))
    assert Heard(behind).frames() == frames(0.3, 0.4), "a gap, and no sound is lost"
    assert device.heard_s() == pytest.approx(0.3)
    assert device.heard_s(after_s=0.15) == pytest.approx(0.35)


def test_the_queue_is_bounded() -> None:
    device = Device()
    assert device.put(QUEUE_S)
    device.pull(0.05)
    assert device.put(0.05, QUEUE_S)
    assert device.pull(9.0) == frames(0.05, QUEUE_S + 0.05)


def test_what_stays_queued_is_shorter_than_a_key_may_take() -> None:
    assert KEEP_S <= 0.1
    assert KEEP_S < PREFILL_S < QUEUE_S


def test_who_waits_for_sound_is_woken_by_enough_of_it_or_by_the_end() -> None:
    device = Device()
    device.put(0.2)
    device.queue.wait_for_sound(60.0)
    device.queue.wait_for_sound(60.0, round(0.2 * RATE))
    device.queue.finish(device.generation, 0.2)
    device.queue.wait_for_sound(60.0, RATE)
    device.queue.wait_for_news(device.queue.revision - 1, 60.0)


def test_silence_of_a_device_is_counted_from_its_last_pull() -> None:
    device = Device()
    device.pull(0.1)
    device.clock.now_s += 2.5
    assert device.queue.silent_for() == pytest.approx(2.5)
    device.queue.attach(0.0)
    assert device.queue.silent_for() == 0.0


def pulled(samples: list[int], volume: float = 1.0, side: str = "both") -> list[int]:
    queue = PcmQueue()
    queue.volume(volume)
    queue.side(side)
    generation = queue.restart(1, 0.0)
    queue.put(generation, Chunk(array("h", samples).tobytes(), 0.0, 1.0))
    queue.finish(generation, 0.0)
    return array("h", queue.pull(len(samples) // 2)).tolist()


def test_one_side_is_on_both_ears() -> None:
    assert pulled([1, 2, 3, 4]) == [1, 2, 3, 4]
    assert pulled([1, 2, 3, 4], side="left") == [1, 1, 3, 3]
    assert pulled([1, 2, 3, 4], side="right") == [2, 2, 4, 4]
    assert pulled([100, 200], volume=0.5, side="right") == [100, 100]


def test_volume_is_exact_below_the_knee_and_never_beyond_full_scale() -> None:
    assert pulled([0, 1000, -1000, -32_768], 0.5) == [0, 500, -500, -16_384]
    assert pulled([32_767, -32_768], 0.0) == [0, 0]
    knee = round(KNEE * 32_767) // 2
    assert pulled([knee, -knee], 2.0) == [2 * knee, -2 * knee]
    loud = pulled([knee + 100, 20_000, 30_000, 32_767, -32_768, -20_000], 2.0)
    assert 2 * knee < loud[0] < loud[1] < loud[2] < loud[3] <= 32_767
    assert loud[0] == pytest.approx(2 * knee + 200, abs=5)
    assert loud[4] <= -loud[3]
    assert loud[5] == -loud[1]
