"""Who speaks when: from made-up peaks, from calls, and by the keys."""

from __future__ import annotations

import io
from array import array
from itertools import pairwise
from pathlib import Path

import pytest

from providers.sandbox.speech import STYLES, conversation, encode
from tests.audio import sounds
from tests.audio.listener import Listen
from tests.slow_params import few
from tui.audio.client.notices import NO_TURN, ONE_SIDE
from tui.audio.client.player import FileSource
from tui.audio.client.turns import Turn, describe_turns, next_turn, turns
from tui.audio.engine.demuxer import Demuxer
from tui.audio.engine.peak_meter import PeakMeter
from tui.audio.peaks import WINDOW_S, Peaks


def lanes(*texts: str, noise: int = 5) -> Peaks:
    """Made-up lanes: a character is 0.1 s, ``#`` is speech."""
    return Peaks(
        tuple(
            bytearray(b"".join(bytes([150 if c == "#" else noise] * 2) for c in t)) for t in texts
        ),
        True,
    )


def told(peaks: Peaks) -> list[tuple[str, float, float]]:
    return [(turn.who, turn.start_s, turn.end_s) for turn in turns(peaks)]


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
    assert turns(Peaks()) == ()


def test_the_next_turn_and_the_one_before() -> None:
    some = [Turn("silence", 0, 2), Turn("left", 2, 6), Turn("right", 6, 9), Turn("silence", 9, 20)]
    assert [next_turn(some, at, 1) for at in (0.0, 2.0, 5.0, 6.0, 9.0)] == [2, 6, 6, None, None]
    assert [next_turn(some, at, -1) for at in (2.5, 3.5, 6.5, 8.0, 0.5)] == [None, 2, 2, 6, None]


def test_turns_in_words() -> None:
    some = [Turn("left", 0, 12.4), Turn("silence", 12.4, 21), Turn("both", 21, 3700)]
    assert describe_turns(some, {"left": "agent"}) == [
        "agent 0:00 to 0:12",
        "silence 9 s",
        "both 0:21 to 1:01:40",
    ]
    assert describe_turns(some)[0] == "left 0:00 to 0:12"


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
            true = "both" if all(speaks) else "left" if speaks[0] else "right"
            right += who in (true, "both")
    assert right / loud > 0.97


async def test_each_recording_has_its_own_turns(listen: Listen, tmp_path: Path) -> None:
    """Of both all is known already, and neither was measured further."""
    source = FileSource(sounds.write(tmp_path, "a.wav", sounds.telephone(9.0)))
    player = listen("none").player
    for silence in (20, 40):
        await player.play(source, peaks=lanes("." * silence + "#" * (90 - silence)))
        player.pause()
        player.next_turn(1)
        assert player.state.position_s == pytest.approx(silence / 10)
