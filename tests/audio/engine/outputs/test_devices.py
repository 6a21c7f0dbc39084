"""What would be heard: content through ALSA, time through a PulseAudio daemon of our own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.audio import sound_servers, sounds
from tests.audio.heard import Heard, ramp
from tests.audio.listener import Listen, Listener
from tests.audio.sound_servers import RATE, needs_alsa, needs_pulse, pulse_in, sounding
from tests.slow_params import few
from tui.audio.client.probe import FIRST, IN_TURN, probe
from tui.audio.engine.outputs.devices import DevicePeriod


@pytest.fixture
def pulse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sound_servers.Pulse]:
    with pulse_in(tmp_path, monkeypatch, nearby=True) as server:
        yield server


OTHER_KINDS = sorted(sounds.KINDS.keys() - {"mp3-8k-mono", "wav-48k-stereo"})


async def through_device(
    folder_of_all: Path, kind: str, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Play a file, and see that the device got each of its samples."""
    folder = folder_of_all / kind
    folder.mkdir()
    environment, capture = sound_servers.alsa(folder)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)  # the engine's process copies it at its start
    listener = Listener(folder, "miniaudio")
    await listener.play(data)
    state = await listener.over(30.0)
    await listener.player.close()
    assert (state.status, state.output) == ("ended", "miniaudio (ALSA)"), kind
    assert sounding(capture.read_bytes()) == sounding(sounds.reference(data)), kind


@needs_alsa
@pytest.mark.parametrize("kind", few(2, ["mp3-8k-mono", "wav-48k-stereo", *OTHER_KINDS]))
async def test_every_kind_reaches_the_device_sample_by_sample(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await through_device(tmp_path, kind, sounds.KINDS[kind](0.4), monkeypatch)


@needs_alsa
async def test_probe_finds_the_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment, _ = sound_servers.alsa(tmp_path)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert await probe() in ("miniaudio (ALSA)" + FIRST, "miniaudio (ALSA)" + IN_TURN)


@needs_alsa
@pytest.mark.slow
async def test_a_device_that_swallows_sound_is_held_to_the_clock(
    listen: Listen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment, _ = sound_servers.alsa(tmp_path)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    listener = listen("miniaudio")
    await listener.play(ramp(2.0))
    await listener.until("playing")
    begun = time.monotonic()
    await listener.over()
    assert time.monotonic() - begun > 1.7, "unheld it takes 0.05 s"


@needs_pulse
async def test_pause_seek_and_end_lose_and_repeat_nothing(
    pulse: sound_servers.Pulse, listen: Listen
) -> None:
    pulse.record()
    listener = listen("miniaudio")
    await listener.play(ramp(4.0))
    await listener.until(lambda state: state.position_s > 0.5)
    listener.player.pause()
    paused_at = pulse.recorded_s()
    await asyncio.sleep(0.5)
    listener.player.resume()
    await listener.until(lambda state: state.position_s > 1.2)
    listener.player.seek_to(3.0)
    assert (await listener.over()).output == "miniaudio (PulseAudio)"
    heard = Heard(pulse.stop())

    (first, left_at), (sought, last) = heard.frames()
    assert (first, sought, last) == (0, 3 * RATE, 4 * RATE - 1)
    assert 1.2 * RATE < left_at < 2.2 * RATE
    # a busy machine makes short silences of its own
    before, after = heard.longest_silence()
    assert before.end / RATE - paused_at < 0.15
    assert 0.3 < (after.at - before.end) / RATE < 0.7


@needs_pulse
@pytest.mark.slow
async def test_the_position_is_the_one_that_is_heard(
    pulse: sound_servers.Pulse, listen: Listen
) -> None:
    pulse.record()
    listener = listen("miniaudio")
    await listener.play(ramp(3.0))
    seen: list[tuple[float, float]] = []
    await listener.until(lambda state: state.position_s > 0.2)
    while listener.state.position_s < 2.5:
        await asyncio.sleep(0.02)
        seen.append((pulse.recorded_s(), listener.player.position_s))
    begin = Heard(pulse.stop()).runs[0][2] / RATE
    apart = sorted(abs(at - begin - position) for at, position in seen)
    assert len(apart) > 30
    assert apart[len(apart) * 9 // 10] < 0.06


@needs_pulse
@pytest.mark.slow
async def test_an_idle_player_lets_go_of_the_device(
    pulse: sound_servers.Pulse, listen: Listen
) -> None:
    pulse.record()
    recorder = pulse.clients()
    listener = listen("miniaudio")
    for _ in range(2):
        await listener.play(ramp(0.3))
        await listener.over()
        assert pulse.clients() > recorder
        async with asyncio.timeout(8):
            while pulse.clients() > recorder:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
    heard = Heard(pulse.stop())
    assert [run[:2] for run in heard.runs] == [(0, int(0.3 * RATE) - 1)] * 2


@needs_pulse
@pytest.mark.slow
async def test_a_paused_call_goes_on_after_its_device_was_let_go(
    pulse: sound_servers.Pulse, listen: Listen
) -> None:
    pulse.record()
    listener = listen("miniaudio")
    await listener.play(ramp(2.0))
    await listener.until(lambda state: state.position_s > 0.5)
    listener.player.pause()
    await asyncio.sleep(6.0)
    assert pulse.clients() == 1
    listener.player.resume()
    await listener.over()
    assert Heard(pulse.stop()).frames() == [(0, 2 * RATE - 1)]


@needs_pulse
@pytest.mark.slow
async def test_a_sound_server_that_dies_costs_no_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listen: Listen
) -> None:
    with pulse_in(tmp_path, monkeypatch) as server:
        listener = listen("miniaudio")
        await listener.play(sounds.wav(sounds.tone(30.0, 8000), 8000))
        await listener.until(lambda state: state.position_s > 0.5)
        server.kill()
        state = await listener.until(lambda state: state.output == "none", 8.0)
        assert "no sound device" in state.message
        held = state.position_s
        await listener.until(lambda state: state.position_s > held + 0.5)


@needs_pulse
@pytest.mark.slow
async def test_a_busy_program_leaves_no_gap(pulse: sound_servers.Pulse, listen: Listen) -> None:
    """The screen's process may hold the interpreter for long: the engine has its own."""
    big = json.dumps([{"id": i, "text": "x" * 40} for i in range(40_000)])
    over = threading.Event()

    def hog() -> None:
        while not over.is_set():
            json.loads(big)

    pulse.record()
    listener = listen("miniaudio")
    await listener.play(ramp(8.0))
    await listener.until("playing")
    thread = threading.Thread(target=hog)
    thread.start()
    try:
        await listener.over(30.0)
    finally:
        over.set()
        thread.join()
    heard = Heard(pulse.stop())
    assert heard.frames() == [(0, 8 * RATE - 1)]
    said = [state.status for _, state in listener.states]
    assert "loading" not in said[said.index("playing") :]
    # a machine whose cores are all busy costs the sound server some milliseconds here and there;
    # played by the program itself the same stretch had seconds of silence
    silence = heard.runs[-1][2] - heard.runs[0][2] - heard.runs[-1][0]
    assert silence / RATE < 0.8


@pytest.mark.slow
async def test_an_hour_takes_no_more_memory_than_a_minute(listen: Listen, tmp_path: Path) -> None:
    hour = sounds.ulaw(sounds.tone(1.0, 8000))
    start = hour.index(b"data") + 8
    hour = hour[: start - 4] + (8000 * 3600).to_bytes(4, "little") + hour[start:] * 3600
    listener = listen("none")
    await listener.play(hour)
    await listener.until("playing")
    listener.player.seek_to(3597.0)
    assert (await listener.over(30.0)).position_s == pytest.approx(3600, abs=0.5)
    peak = next(line for line in status_of(listener.pid).splitlines() if line.startswith("VmHWM"))
    assert int(peak.split()[1]) < 150_000, peak


def status_of(pid: int) -> str:
    return Path(f"/proc/{pid}/status").read_text()


@needs_pulse
@pytest.mark.slow
@pytest.mark.parametrize("speed", [0.75, 1.5, 2.0])
async def test_pitch_and_pace_of_a_staircase_at_another_speed(
    speed: float, pulse: sound_servers.Pulse, listen: Listen
) -> None:
    """Second k sounds at 300 + 100 k Hz: at another speed the tones stay, and come in its time."""
    pulse.record()
    listener = listen("miniaudio")
    listener.player.set_speed(speed)
    await listener.play(sounds.wav(sounds.staircase(6, 16_000), 16_000))
    await listener.over()
    raw = sound_servers.left(pulse.stop())
    start = next(i for i, sample in enumerate(raw) if sample)
    end = next(i for i in range(len(raw) - 1, 0, -1) if raw[i])
    assert (end - start) / RATE == pytest.approx(6 / speed, rel=0.01)
    for second in range(6):
        middle = start + int((second + 0.5) / speed * RATE)
        part = raw[middle - 8000 : middle + 8000]
        rises = [i for i, (a, b) in enumerate(pairwise(part)) if a < 0 <= b]
        periods = sorted(b - a for a, b in pairwise(rises))
        usual = periods[len(periods) // 10 : -(len(periods) // 10)]  # a busy machine leaves gaps
        hz = RATE * len(usual) / sum(usual)
        assert hz == pytest.approx(300 + 100 * second, rel=0.01), second


@needs_pulse
@pytest.mark.slow
async def test_a_loop_and_other_keys_lose_no_sample(
    pulse: sound_servers.Pulse, listen: Listen
) -> None:
    """Silence is skipped and not, where there is none; then a stretch is heard again and again."""
    pulse.record()
    listener = listen("miniaudio")
    await listener.play(ramp(6.0))
    for at_s in (0.5, 0.8, 1.1, 1.4):
        await listener.reached(at_s)
        listener.player.set_skip_silence(not listener.state.skip_silence)
    listener.player.mark_loop()
    await listener.until(lambda _: listener.player.position_s > 2.0)
    listener.player.mark_loop()
    a, b = listener.state.loop or (0.0, None)
    assert b is not None
    await asyncio.sleep(2.5 * (b - a))
    listener.player.mark_loop()
    listener.player.seek_to(5.5)
    await listener.over()
    (first, left_at), *loops, last = Heard(pulse.stop()).frames()
    assert (first, last) == (0, (round(5.5 * RATE), 6 * RATE - 1))
    assert left_at / RATE < b + 0.5
    assert len(loops) >= 2
    assert all(start == pytest.approx(a * RATE, abs=1) for start, _ in loops)
    assert all(end == pytest.approx(b * RATE - 1, abs=1) for _, end in loops[:-1])


@needs_pulse
@pytest.mark.slow
async def test_a_new_speed_does_not_wait_for_the_queue(
    pulse: sound_servers.Pulse, listen: Listen
) -> None:
    """At twice the speed the ramp is another sound: the last frame of the true one tells when."""
    pulse.record()
    listener = listen("miniaudio")
    await listener.play(ramp(8.0))
    await listener.until(lambda _: listener.player.position_s > 1.0)
    pressed_s = pulse.recorded_s()
    listener.player.set_speed(2.0)
    await asyncio.sleep(1.0)
    heard = Heard(pulse.stop())
    end = heard.frames()[0][1]  # a gap is none of the speed's doing
    run = next(run for run in heard.runs if run.last == end)
    late_s = run.end / RATE - pressed_s
    print(f"a new speed is heard after {late_s:.3f} s")
    # 0.08 s queued and 0.15 s in the device; with the whole queue it would be 0.45 s
    assert late_s < 0.35


def test_a_device_that_runs_dry_again_gets_more_sound_ahead() -> None:
    now = [100.0]
    period = DevicePeriod(lambda: now[0])

    def pull(after_s: float, *, swallows: bool = False) -> bool:
        now[0] += after_s
        return period.has_underrun(swallows=swallows)

    assert period.period_ms == 50
    period.begin()
    assert not pull(5.0), "it had nothing yet"
    assert not any(pull(0.05) for _ in range(100))
    assert not pull(0.2), "once may be anything"
    assert not any(pull(0.05) for _ in range(2000)), "long ago"
    assert not pull(0.2)
    assert pull(0.2)
    assert period.period_ms == 100
    period.begin()
    assert not any(pull(after_s) for after_s in (3.0, 0.15, 0.3, 0.1))
    assert pull(0.3)
    assert period.period_ms == 200
    period.begin()
    assert not any(pull(1.0) for _ in range(5)), "no longer than that"
    other = DevicePeriod(lambda: now[0])
    other.begin()
    assert not any(other.has_underrun(swallows=True) for now[0] in range(200, 210)), (
        "it has no clock"
    )


@needs_pulse
@pytest.mark.slow
async def test_a_device_that_ran_dry_loses_and_repeats_nothing(
    pulse: sound_servers.Pulse, listen: Listen
) -> None:
    pulse.record()
    listener = listen("miniaudio")
    await listener.play(ramp(6.0))
    for at_s in (1.0, 2.0, 3.0):
        await listener.reached(at_s)
        os.kill(listener.pid, signal.SIGSTOP)
        await asyncio.sleep(0.5)
        os.kill(listener.pid, signal.SIGCONT)
    await listener.over()
    await asyncio.sleep(0.5)
    assert Heard(pulse.stop()).frames() == [(0, 6 * RATE - 1)]
