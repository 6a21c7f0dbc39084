"""What makes listening to calls quick: the rewind after a pause, loops, skipped silence."""

from __future__ import annotations

import asyncio
from array import array
from itertools import pairwise
from pathlib import Path

import pytest

from tests.audio import sounds
from tests.audio.listener import Listen
from tui.audio.client.notices import LOOP_TOO_SHORT


def long_wav() -> bytes:
    return sounds.wav(sounds.tone(20.0, 8000), 8000)


async def test_in_a_loop_it_does_not_go_back_beyond_its_beginning(listen: Listen) -> None:
    listener = listen("none")
    player = listener.player
    await listener.play(sounds.telephone(), start_s=10.0)
    player.pause()
    player.mark_loop()
    player.seek_to(12.0)
    player.mark_loop()
    assert (listener.state.loop, listener.state.position_s) == ((10.0, 12.0), 10.0)
    player.seek_to(11.0)
    player.resume(rewind_s=5.0)
    assert listener.state.position_s == 10.0


@pytest.mark.slow
async def test_a_loop_is_marked_heard_and_left(listen: Listen) -> None:
    listener = listen("none")
    player = listener.player
    await listener.play(sounds.telephone(), start_s=5.0)
    await listener.until("playing")
    player.mark_loop()
    begun = listener.state.loop
    assert begun is not None
    assert begun[1] is None
    player.mark_loop()
    assert listener.state.message == LOOP_TOO_SHORT
    await asyncio.sleep(0.5)
    player.mark_loop()
    loop = player.state.loop
    assert loop is not None
    a, b = loop
    assert b is not None
    assert 0.3 < b - a < 2.0
    positions = []
    for _ in range(60):
        await asyncio.sleep(0.03)
        positions.append(player.position_s)
    assert all(a - 0.01 <= at <= b + 0.01 for at in positions)
    assert sum(after < before - 0.1 for before, after in pairwise(positions)) >= 1
    player.mark_loop()
    assert listener.state.loop is None
    await listener.until(lambda state: state.position_s > b + 0.3)


async def test_skipped_silence_takes_no_time_and_keeps_the_position(
    listen: Listen, tmp_path: Path
) -> None:
    silence = array("h", bytes(2 * 8000 * 9))
    data = sounds.wav(sounds.tone(1.0, 8000) + silence + sounds.tone(1.0, 8000), 8000)
    listener = listen(f"wav:{tmp_path}/out.wav")
    listener.player.set_skip_silence(True)
    await listener.play(data)
    state = await listener.over()
    assert (state.status, state.skip_silence) == ("ended", True)
    assert state.position_s == pytest.approx(11.0, abs=0.05)
    heard_s = len((tmp_path / "out.wav").read_bytes()[44:]) / 4 / 48_000
    assert heard_s == pytest.approx(2.5, abs=0.05)


async def test_what_was_chosen_holds_for_the_next_recording(listen: Listen, tmp_path: Path) -> None:
    data = sounds.wav(sounds.ramp(0.2), 48_000, 2)
    listener = listen(f"wav:{tmp_path}/out.wav")
    listener.player.set_side("right")
    for _ in range(2):
        await listener.play(data)
        assert (await listener.over()).side == "right"
        heard = memoryview((tmp_path / "out.wav").read_bytes()[44:]).cast("h")
        assert list(heard[::2]) == list(heard[1::2]) == list(sounds.ramp(0.2)[1::2])
