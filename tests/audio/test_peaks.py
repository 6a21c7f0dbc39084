"""Peaks and turns: made up, and measured by a real engine from real files."""

from __future__ import annotations

import asyncio
import io
import math
from array import array
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from providers.sandbox.speech import STYLES, conversation, encode
from tests.audio import sounds
from tests.audio.conftest import Listener
from tests.few import few
from tui.audio.client.notices import NO_TURN, ONE_SIDE
from tui.audio.client.player import FileSource
from tui.audio.client.turns import Turn, next_turn, turns, words
from tui.audio.engine.demuxer import Demuxer
from tui.audio.engine.peak_meter import PeakMeter
from tui.audio.peaks import WINDOW_S, Peaks

Listen = Callable[..., Listener]


def lanes(*texts: str, noise: int = 5) -> Peaks:
    """Made-up lanes: a character is 0.1 s, ``#`` is speech."""
    return Peaks(
        tuple(
            bytearray(b"".join(bytes([150 if c == "#" else noise] * 2) for c in t)) for t in texts
        ),
        True,
    )


def told(peaks: Peaks) -> list[tuple[str, float, float]]:
    return [tuple(turn) for turn in turns(peaks)]


def test_a_turn_is_a_stretch_of_one_side() -> None:
    left = "##########____________________"
    right = "__________##########__________"
    assert told(lanes(left, right)) == [
        ("left", 0.0, 1.0), ("right", 1.0, 2.0), ("silence", 2.0, 3.0),
    ]  # fmt: skip


def test_short_pauses_are_bridged_and_long_ones_are_not() -> None:
    assert told(lanes("#####______#####")) == [("speech", 0.0, 1.6)]
    assert told(lanes("#####_______#####")) == [
        ("speech", 0.0, 0.5), ("silence", 0.5, 1.2), ("speech", 1.2, 1.7),
    ]  # fmt: skip


def test_clicks_are_no_turns_and_short_overlaps_no_cross_talk() -> None:
    assert told(lanes("__________#_________")) == [("silence", 0.0, 2.0)]
    assert told(lanes("###########_________", "__________##########")) == [
        ("left", 0.0, 1.1), ("right", 1.1, 2.0),
    ]  # fmt: skip
    assert told(lanes("#############_______", "__________##########")) == [
        ("left", 0.0, 1.0), ("both", 1.0, 1.3), ("right", 1.3, 2.0),
    ]  # fmt: skip


@pytest.mark.parametrize("noise", [0, 10, 40, 60])
def test_noise_is_no_speech(noise: int) -> None:
    assert told(lanes("__________##########__________", noise=noise))[1] == ("speech", 1.0, 2.0)
    assert told(lanes("_" * 30, noise=noise)) == [("silence", 0.0, 3.0)]


def test_who_speaks_all_the_time_is_not_taken_for_noise() -> None:
    assert told(lanes("#" * 20)) == [("speech", 0.0, 2.0)]
    assert turns(Peaks()) == []


def test_the_next_turn_and_the_one_before() -> None:
    some = [Turn("silence", 0, 2), Turn("left", 2, 6), Turn("right", 6, 9), Turn("silence", 9, 20)]
    assert [next_turn(some, at, 1) for at in (0.0, 2.0, 5.0, 6.0, 9.0)] == [2, 6, 6, None, None]
    assert [next_turn(some, at, -1) for at in (2.5, 3.5, 6.5, 8.0, 0.5)] == [None, 2, 2, 6, None]


def test_turns_in_words() -> None:
    some = [Turn("left", 0, 12.4), Turn("silence", 12.4, 21), Turn("both", 21, 3700)]
    assert words(some, {"left": "agent"}) == [
        "agent 0:00 to 0:12",
        "silence 9 s",
        "both 0:21 to 1:01:40",
    ]
    assert words(some)[0] == "left 0:00 to 0:12"


def test_peaks_can_be_kept() -> None:
    peaks = Peaks()
    peaks.put(0, 2, bytes([1, 2, 3, 4]), False)
    peaks.put(3, 2, bytes([9, 8]), True)
    assert peaks.lanes == (bytearray([1, 3, 0, 9]), bytearray([2, 4, 0, 8]))
    assert (peaks.complete, peaks.revision, peaks.length_s) == (True, 2, pytest.approx(0.2))
    again = Peaks.from_bytes(peaks.to_bytes())
    assert (again.lanes, again.complete) == (peaks.lanes, True)


@pytest.mark.parametrize("wrong", [b"", b"RBPK", b"x" * 40])
def test_what_are_no_peaks_is_refused(wrong: bytes) -> None:
    with pytest.raises(ValueError, match="peaks"):
        Peaks.from_bytes(wrong)
    good = lanes("##").to_bytes()
    for changed in (good[:-1], good + b"x", good[:4] + b"\x09" + good[5:]):
        with pytest.raises(ValueError, match="peaks"):
            Peaks.from_bytes(changed)


@pytest.mark.parametrize(
    ("at", "channels", "body"), [(0, 3, b"abc"), (0, 2, b"a"), (10**9, 1, b"a"), (-1, 1, b"a")]
)
def test_windows_that_cannot_be_are_refused(at: int, channels: int, body: bytes) -> None:
    with pytest.raises(ValueError):
        Peaks().put(at, channels, body, False)


def steps(rate: int, channels: int) -> array[int]:
    """Half a second at each loudness, another on the second channel."""
    loud = [0, 1000, 8000, 30_000, 200]
    out = array("h")
    for i in range(round(2.5 * rate)):
        for channel in range(channels):
            high = loud[(i * 2 // rate + channel) % 5]
            out.append(high if i // 4 % 2 else -high)
    return out


def level(peak: int) -> int:
    return round(255 * math.sqrt(peak / 32_768))


@pytest.mark.parametrize(
    ("rate", "channels"), few(2, [(8000, 1), (44_100, 2), (11_025, 2), (48_000, 1)])
)
def test_a_window_is_as_loud_as_its_loudest_sample(rate: int, channels: int) -> None:
    data = sounds.wav(steps(rate, channels), rate, channels)
    media, meter = Demuxer(io.BytesIO(data), len(data)), PeakMeter()
    for at_s, frame in media.frames():
        meter.add(at_s, frame)
    body = meter.take(all_of_it=True)
    media.close()
    assert (meter.lanes, len(body)) == (channels, 50 * channels)
    for channel in range(channels):
        lane = body[channel::channels]
        for half, peak in enumerate([0, 1000, 8000, 30_000, 200]):
            half = (half - channel) % 5
            assert set(lane[half * 10 + 1 : half * 10 + 9]) == {level(peak)}


def test_no_sample_is_passed_over() -> None:
    samples = array("h", bytes(2 * 8000))
    places = range(7, 8000, 401)  # one in each window, each time elsewhere
    for place in places:
        samples[place] = 20_000 if place % 2 else -20_000
    data = sounds.wav(samples, 8000)
    media, meter = Demuxer(io.BytesIO(data), len(data)), PeakMeter()
    for at_s, frame in media.frames():
        meter.add(at_s, frame)
    media.close()
    assert set(meter.take(all_of_it=True)) == {level(20_000)}


@pytest.mark.parametrize("kind", few(3, sounds.all_kinds(0.1)))
async def test_every_kind_is_measured_to_its_end(
    kind: str, listen: Listen, longer: dict[str, bytes]
) -> None:
    listener = listen("none")
    await listener.play(longer[kind])
    await listener.until(lambda _: bool(listener.player.peaks and listener.player.peaks.complete))
    peaks, state = listener.player.peaks, listener.state
    assert peaks is not None
    stereo = not any(word in kind for word in ("mono", "ulaw", "moov", "adts"))
    assert len(peaks.lanes) == state.channels == (2 if stereo else 1)
    assert peaks.length_s == pytest.approx(2.5, abs=0.2)
    assert state.peaks_revision == peaks.revision
    first, last = peaks.lanes[0][2], peaks.lanes[0][46]
    assert first == pytest.approx(level(6240), abs=14)
    assert last == pytest.approx(level(11_600), abs=14)


class Counting(FileSource):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.asked: list[tuple[int, int, bool]] = []
        self.under_way = self.most = 0

    async def read(self, offset: int, n: int, *, idle: bool = False) -> bytes:
        self.asked.append((offset, n, idle))
        self.under_way += idle
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(0.002)
        self.under_way -= idle
        return await super().read(offset, n)


async def test_no_byte_is_asked_twice_and_idle_ones_one_by_one(
    listen: Listen, tmp_path: Path
) -> None:
    data = sounds.encode(sounds.tone(120.0, 8000), 8000, 1, "mp3", "libmp3lame", bit_rate=32_000)
    source = Counting(sounds.write(tmp_path, "a.mp3", data))
    listener = listen("none")
    await listener.player.play(source)
    await listener.until(lambda _: bool(listener.player.peaks and listener.player.peaks.complete))
    bytes_asked = sum(min(n, max(0, len(data) - at)) for at, n, _ in source.asked)
    assert bytes_asked <= len(data) + 16_384
    assert any(idle for _, _, idle in source.asked)
    assert source.most == 1


async def test_known_peaks_are_not_measured_again(listen: Listen, tmp_path: Path) -> None:
    source = Counting(sounds.write(tmp_path, "a.wav", sounds.wav(sounds.tone(3.0, 8000), 8000)))
    known = lanes("#" * 30)
    listener = listen("none")
    await listener.player.play(source, peaks=known)
    await listener.until(lambda state: state.position_s > 0.5)
    assert listener.player.peaks is known
    assert known.revision == 0
    assert not any(idle for _, _, idle in source.asked)


async def test_measuring_ends_with_the_recording(listen: Listen, tmp_path: Path) -> None:
    data = sounds.ulaw(sounds.tone(20.0, 8000))
    at = data.index(b"data") + 8
    data = data[: at - 4] + (160_000 * 300).to_bytes(4, "little") + data[at:] * 300
    source = Counting(sounds.write(tmp_path, "a.wav", data))
    listener = listen("none")
    await listener.player.play(source)
    await listener.until(lambda state: state.peaks_revision > 0)
    listener.player.stop()
    assert listener.player.peaks is None
    await asyncio.sleep(0.3)
    asked = len(source.asked)
    await asyncio.sleep(0.5)
    assert len(source.asked) == asked


async def test_a_source_that_cannot_be_read_idly_costs_no_sound(
    listen: Listen, tmp_path: Path
) -> None:
    class Refusing(FileSource):
        async def read(self, offset: int, n: int, *, idle: bool = False) -> bytes:
            if idle:
                raise OSError(5, "Input/output error")
            return await super().read(offset, n)

    data = sounds.wav(sounds.tone(40.0, 8000), 8000)
    listener = listen("none")
    await listener.player.play(Refusing(sounds.write(tmp_path, "a.wav", data)), start_s=39.5)
    assert (await listener.over()).status == "ended"


def talk(voices: str, noise: int = 0) -> bytes:
    """A stereo call: a character is half a second of L, R, B (both) or silence."""
    loud = sounds.tone(0.5, 8000)
    out = array("h")
    for who in voices:
        for sample in loud:
            out.append(sample if who in "LB" else noise)
            out.append(sample if who in "RB" else noise)
    return sounds.wav(out, 8000, 2)


async def test_keys_go_from_turn_to_turn(listen: Listen) -> None:
    listener = listen("none")
    await listener.play(talk("....LLLL....RRRRRR" + "." * 20))
    player = listener.player
    await listener.until(lambda _: bool(player.peaks and player.peaks.complete))
    player.pause()
    player.next_turn(1)
    assert listener.state.position_s == pytest.approx(2.0)
    player.next_turn(1)
    assert listener.state.position_s == pytest.approx(6.0)
    player.next_turn(1)
    assert listener.state.message == NO_TURN
    player.next_turn(-1)
    assert listener.state.position_s == pytest.approx(2.0)
    player.next_turn(-1)
    assert listener.state.position_s == 0.0


async def test_a_mono_recording_has_one_side(listen: Listen) -> None:
    listener = listen("none")
    await listener.play(sounds.wav(sounds.tone(2.0, 8000), 8000))
    await listener.until(lambda state: state.channels == 1)
    listener.player.set_side("left")
    assert (listener.state.side, listener.state.message) == ("both", ONE_SIDE)


@pytest.mark.parametrize("seed", few(1, [1, 2, 3]))
@pytest.mark.parametrize("style", few(1, ["mp3-sides", "mp3-sides-long", "mp4-sides"]))
def test_two_voices_of_a_telephone_call_are_turns(seed: int, style: str) -> None:
    """Wherever one voice of a made-up conversation is loud, the turn is told to be its own."""
    sides = conversation(seed, 40, (0, 1))
    data = encode(sides, STYLES[style])
    media, meter, peaks = Demuxer(io.BytesIO(data), len(data)), PeakMeter(), Peaks()
    for at_s, frame in media.frames():
        meter.add(at_s, frame)
    media.close()
    peaks.put(0, meter.lanes, meter.take(all_of_it=True), True)
    found = turns(peaks)
    assert found[0].start_s == 0.0
    assert all(a.end_s == b.start_s and a.who != b.who for a, b in pairwise(found))
    assert {"left", "right", "silence"} <= {turn.who for turn in found}
    step, right, loud = round(8000 * WINDOW_S), 0, 0
    for window in range(1, 40 * 20 - 2):
        at_s = (window + 0.5) * WINDOW_S
        who = next(turn.who for turn in found if turn.end_s > at_s)
        part = [max(map(abs, side[window * step : (window + 1) * step])) for side in sides]
        speaks = [peak > 4000 for peak in part]
        if any(speaks):
            loud += 1
            right += {(1, 0): "left", (0, 1): "right", (1, 1): "both"}[
                *map(int, speaks)
            ] == who or (who == "both")
    assert right / loud > 0.97
