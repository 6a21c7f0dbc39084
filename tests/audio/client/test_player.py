"""The player with a real engine: what it reports, what it obeys, and what it leaves behind."""

from __future__ import annotations

import asyncio
from array import array
from itertools import pairwise
from pathlib import Path

import pytest

from tests.audio import sounds
from tests.audio.listener import Listen
from tests.audio.processes import is_alive
from tests.slow_params import few
from tui.audio.client.notices import CUT_OFF, DAMAGED


def long_wav(seconds: float = 20.0) -> bytes:
    return sounds.wav(sounds.tone(seconds, 8000), 8000)


async def exited(pid: int) -> None:
    async with asyncio.timeout(3):
        while is_alive(pid):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_it_plays_in_real_time_and_says_so(listen: Listen, kinds: dict[str, bytes]) -> None:
    listener = listen("none")
    await listener.play(kinds["mp3-44k-stereo"])
    state = await listener.over()
    said = [state.status for _, state in listener.states]
    assert [now for before, now in pairwise(["", *said]) if before != now] == [
        "loading", "playing", "ended",
    ]  # fmt: skip
    assert state.position_s == pytest.approx(0.8, abs=0.05)
    assert state.length_s == pytest.approx(0.8, abs=0.05)
    began = next(at for at, state in listener.states if state.status == "playing")
    assert listener.states[-1][0] - began == pytest.approx(0.8, abs=0.2)


@pytest.mark.parametrize("kind", few(2, ["mp3-8k-mono", "mp4-moov-last", "wav-48k-stereo", "opus"]))
async def test_a_wav_output_holds_exactly_the_sound(
    kind: str, listen: Listen, tmp_path: Path, kinds: dict[str, bytes]
) -> None:
    out = tmp_path / "out.wav"
    listener = listen(f"wav:{out}")
    for _ in range(2):  # the second recording begins the file anew
        await listener.play(kinds[kind])
        assert (await listener.over()).status == "ended"
        assert out.read_bytes()[44:] == sounds.reference(kinds[kind])


async def test_a_recording_shorter_than_the_queue_is_whole(listen: Listen, tmp_path: Path) -> None:
    data = sounds.wav(sounds.ramp(0.004), 48_000, 2)
    listener = listen(f"wav:{tmp_path}/out.wav")
    await listener.play(data)
    assert (await listener.over()).status == "ended"
    assert (tmp_path / "out.wav").read_bytes()[44:] == data[44:]


async def test_start_and_seek_are_exact(listen: Listen, tmp_path: Path) -> None:
    data = sounds.wav(sounds.ramp(2.0), 48_000, 2)
    listener = listen(f"wav:{tmp_path}/out.wav")
    await listener.play(data, start_s=1.5)
    await listener.over()
    assert (tmp_path / "out.wav").read_bytes()[44:] == data[44 + 72_000 * 4 :]


@pytest.mark.slow
async def test_pause_stops_the_position_and_resume_goes_on(listen: Listen) -> None:
    listener = listen("none")
    await listener.play(sounds.telephone())
    await listener.until(lambda state: state.position_s > 0.3)
    listener.player.pause()
    assert listener.state.status == "paused"
    await asyncio.sleep(0.15)
    held = listener.player.position_s
    await asyncio.sleep(0.4)
    assert listener.player.position_s == held
    listener.player.toggle()
    await listener.until("playing")
    await listener.until(lambda state: state.position_s > held + 0.2)
    assert listener.state.position_s < held + 1.0


async def test_seeks_add_up_and_stay_inside(listen: Listen) -> None:
    listener = listen("none")
    await listener.play(sounds.telephone())
    await listener.until("playing")
    for _ in range(3):
        listener.player.seek_by(5.0)
    assert listener.state.position_s == pytest.approx(15.0, abs=0.5)
    listener.player.seek_by(-100.0)
    assert listener.state.position_s == 0.0
    await listener.until("playing")
    listener.player.pause()
    listener.player.seek_to(12.0)
    assert (listener.state.status, listener.state.position_s) == ("paused", 12.0)
    listener.player.resume()
    await listener.until(lambda state: state.position_s > 12.2)
    listener.player.seek_to(1000.0)
    state = await listener.over()
    assert state.status == "ended"
    assert state.position_s == pytest.approx(20.0, abs=0.01)


@pytest.mark.slow
async def test_after_the_end_it_can_go_back(listen: Listen, kinds: dict[str, bytes]) -> None:
    listener = listen("none")
    await listener.play(kinds["m4a"])
    await listener.over()
    listener.player.toggle()
    assert (await listener.until(lambda state: state.status == "playing")).position_s < 0.3
    assert (await listener.over()).status == "ended"


async def test_speed_is_kept_for_the_next_recording(listen: Listen, tmp_path: Path) -> None:
    listener = listen(f"wav:{tmp_path}/out.wav")
    listener.player.set_speed(9.0)
    assert listener.state.speed == 3.0
    listener.player.set_speed(2.0)
    for _ in range(2):
        await listener.play(sounds.telephone(1.6))
        state = await listener.over()
        heard_s = len(sounds.wav_frames(tmp_path / "out.wav")) / sounds.FRAME / sounds.RATE
        assert heard_s == pytest.approx(0.8, abs=0.05)
        assert state.speed == 2.0
        assert state.position_s == pytest.approx(1.6, abs=0.1)


async def test_volume_scales_the_samples_and_rounds_the_loudest_off(
    listen: Listen, tmp_path: Path
) -> None:
    data = sounds.wav(sounds.tone(0.3, 48_000, 2), 48_000, 2)
    source = memoryview(data[44:]).cast("h")
    loud = sounds.wav(array("h", [30_000, -30_000] * 4800), 48_000, 2)
    listener = listen(f"wav:{tmp_path}/out.wav")
    listener.player.set_volume(0.5)
    await listener.play(data)
    await listener.over()
    half = memoryview((tmp_path / "out.wav").read_bytes()[44:]).cast("h")
    assert len(half) == len(source)
    assert all(abs(a * 0.5 - b) <= 0.5 for a, b in zip(source, half, strict=True))
    listener.player.set_volume(5.0)
    await listener.play(loud)
    await listener.over()
    out = memoryview((tmp_path / "out.wav").read_bytes()[44:]).cast("h")
    assert {abs(sample) for sample in out} == {32_764}


async def test_the_next_recording_replaces_this_one_in_the_same_engine(listen: Listen) -> None:
    listener = listen("none")
    await listener.play(sounds.telephone())
    await listener.until("playing")
    first = listener.pid
    await listener.play(sounds.telephone(5.0))
    state = await listener.until(lambda state: state.status == "playing")
    assert state.length_s == pytest.approx(5.0)
    assert listener.pid == first


async def test_many_recordings_at_once_end_with_the_last(
    listen: Listen, kinds: dict[str, bytes]
) -> None:
    listener = listen("none")
    await asyncio.gather(
        *(listener.play(kinds[k]) for k in ("m4a", "opus", "flac")),
        listener.play(sounds.telephone(7.0)),
    )
    state = await listener.until("playing")
    assert state.length_s == pytest.approx(7.0)


@pytest.mark.slow
async def test_stop_forgets(listen: Listen) -> None:
    listener = listen("none")
    await listener.play(sounds.telephone())
    await listener.until("playing")
    listener.player.stop()
    assert (listener.state.status, listener.state.length_s) == ("idle", None)
    seen = len(listener.states)
    await asyncio.sleep(0.5)
    assert len(listener.states) == seen


@pytest.mark.parametrize(
    ("data", "words"),
    few(
        2,
        [
            (b"", "empty"),
            (b"<html>Please log in</html>", "web page"),
            (b"#EXTM3U\nhttps://example.org/a.mp3\n", "playlist"),
            (b"\x07garbage" * 1000, "no known kind"),
            (b"OggS" + b"\0" * 500, ""),
        ],
    ),
    ids=["empty", "page", "playlist", "garbage", "ogg"],
)
async def test_what_cannot_be_played_fails_in_words(
    data: bytes, words: str, listen: Listen, kinds: dict[str, bytes]
) -> None:
    listener = listen("none")
    await listener.play(data)
    state = await listener.over()
    assert state.status == "failed"
    assert state.message.startswith("this cannot be played: ")
    assert words in state.message
    await listener.play(kinds["m4a"])
    assert (await listener.until(lambda state: state.status == "playing")).message == ""


async def test_damage_is_reported_once_and_the_rest_is_played(
    listen: Listen, tmp_path: Path
) -> None:
    tone = sounds.tone(3.0, 44_100, 2)
    data = sounds.encode(tone, 44_100, 2, "mp3", "libmp3lame", bit_rate=128_000)
    middle = len(data) // 2
    listener = listen(f"wav:{tmp_path}/out.wav")
    await listener.play(data[:middle] + b"\xff\x00" * 2000 + data[middle + 4000 :], start_s=1.0)
    await listener.until(lambda state: state.message == DAMAGED)
    assert (await listener.over()).status == "ended"
    messages = [state.message for _, state in listener.states]
    assert sum(a != DAMAGED == b for a, b in pairwise(messages)) == 1


@pytest.mark.parametrize("kind", few(1, ["mp3-8k-mono", "m4a", "webm", "flac"]))
async def test_a_cut_file_is_played_and_said_to_be_cut(
    kind: str, listen: Listen, longer: dict[str, bytes], tmp_path: Path
) -> None:
    listener = listen(f"wav:{tmp_path}/out.wav")
    await listener.play(longer[kind][: len(longer[kind]) * 3 // 5], start_s=0.8)
    state = await listener.over()
    assert state.status == "ended"
    assert state.incomplete
    assert state.message.startswith(CUT_OFF[:22])
    await listener.play(longer[kind], start_s=1.5)
    assert (await listener.over()).message == ""


@pytest.mark.slow
async def test_after_an_end_that_was_reached_in_a_pause_it_plays_from_the_start(
    listen: Listen,
) -> None:
    listener = listen("none")
    await listener.play(sounds.telephone(5.0))
    await listener.until("playing")
    listener.player.pause()
    listener.player.seek_to(5.0)
    await listener.until("ended")
    listener.player.toggle()
    assert (await listener.until("playing")).position_s < 1.0
