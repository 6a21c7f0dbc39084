"""Engines that come and go: where a recording plays on, and from which second."""

from __future__ import annotations

import asyncio

import pytest

from tests.audio.client.fake_engine import FakeWorld, MemorySource
from tui.audio.client import notices
from tui.audio.client.connection import GONE, TAKEN
from tui.audio.client.route import Route

HERE = Route("local", "miniaudio")
ELSEWHERE = Route("local", "wav:/tmp/x.wav")
SPEAKER = Route("speaker", "/run/speaker-1-laptop.sock")
SILENT = Route("none", "none", "no sound here")


async def test_who_cannot_start_an_engine_says_so(world: FakeWorld) -> None:
    world.error = OSError(2, "No such file or directory")
    await world.player.warm()
    assert world.status == "idle"
    await world.player.play(MemorySource())
    assert world.status == "failed"
    assert "cannot be started" in world.state.message
    assert "No such file" in world.state.message


async def test_an_engine_is_warmed_where_there_is_sound(world: FakeWorld) -> None:
    world.route = SILENT
    await world.player.warm()
    assert (world.engines, world.state.output) == ([], "none")
    assert world.state.message == "no sound here"
    world.route = HERE
    await world.player.warm()
    assert len(world.engines) == 1
    assert world.state.message == ""
    await world.player.play(MemorySource())
    assert len(world.engines) == 1


async def test_what_plays_moves_with_its_route(playing: FakeWorld) -> None:
    playing.player.reroute()
    assert len(playing.engines) == 1, "it is the same"
    playing.route = ELSEWHERE
    playing.player.reroute()
    await playing.engine_count(2)
    assert playing.engines[0].ended
    assert playing.engine.route == ELSEWHERE
    assert playing.engine.opened["start"] == pytest.approx(5.0)
    assert playing.engine.opened["paused"] is False
    assert playing.state.output == ELSEWHERE.label


@pytest.mark.parametrize("status", ["paused", "ended"])
async def test_what_does_not_play_leaves_its_engine_and_plays_on_at_the_next(
    status: str, playing: FakeWorld
) -> None:
    """Else it would go on at the old output."""
    if status == "paused":
        playing.player.pause()
    else:
        await playing.at(60.0, "ended")
    playing.route = ELSEWHERE
    playing.player.reroute()
    async with asyncio.timeout(5):
        while not playing.engine.ended:  # noqa: ASYNC110
            await asyncio.sleep(0)
    assert playing.status == status
    playing.player.toggle()
    await playing.engine_count(2)
    assert playing.engine.route == ELSEWHERE
    assert playing.engine.opened["paused"] is False
    start_s = 5.0 if status == "paused" else 0.0
    assert playing.engine.opened["start"] == pytest.approx(start_s, abs=0.01)


async def test_a_crash_is_one_message(playing: FakeWorld) -> None:
    await playing.engine.vanish()
    assert (playing.status, playing.state.message) == ("failed", notices.CRASHED)


async def test_an_engine_that_ends_after_its_recording_is_not_missed(playing: FakeWorld) -> None:
    await playing.at(60.0, "ended")
    await playing.engine.vanish()
    assert playing.status == "ended"
    playing.player.seek_to(30.0)
    await playing.engine_count(2)
    assert playing.engine.opened["start"] == 30.0


async def test_an_engine_that_is_still_ending_costs_the_next_recording_nothing(
    playing: FakeWorld,
) -> None:
    await playing.at(60.0, "ended")
    gone = playing.engine
    gone.lets_go.clear()
    await gone.vanish()
    await playing.player.play(MemorySource())
    assert len(playing.engines) == 2
    await playing.at(0.5)
    gone.lets_go.set()
    await asyncio.sleep(0.01)
    assert playing.shows(status="playing", message="")


@pytest.mark.parametrize(
    ("reason", "paused_before", "goes_on"),
    [(GONE, False, True), (GONE, True, False), (TAKEN, False, False)],
)
async def test_what_played_at_a_speaker_plays_on_when_one_comes_back(
    reason: str, paused_before: bool, goes_on: bool
) -> None:
    world = FakeWorld(SPEAKER)
    try:
        await world.player.play(MemorySource())
        await world.at(5.0)
        if paused_before:
            world.player.pause()
        await world.engine.vanish(reason)
        async with asyncio.timeout(5):
            while world.state.message != reason:  # noqa: ASYNC110
                await asyncio.sleep(0)
        assert world.status == "paused"
        world.route = SILENT
        world.player.reroute()
        await asyncio.sleep(0.01)
        assert world.status == "paused"
        world.route = SPEAKER
        world.player.reroute()
        if goes_on:
            await world.engine_count(2)
            assert world.engine.opened["paused"] is False
            assert world.engine.opened["start"] == pytest.approx(5.0, abs=0.1)
        else:
            await asyncio.sleep(0.01)
            assert (len(world.engines), world.status) == (1, "paused")
            world.player.toggle()
            await world.engine_count(2)
    finally:
        await world.player.close()


async def test_a_speaker_is_not_near_even_to_a_file_here(world: FakeWorld) -> None:
    assert SPEAKER.label == "speaker laptop"
    await world.player.play(MemorySource())
    assert world.engine.opened["near"] is False


async def test_after_close_nothing_plays(playing: FakeWorld) -> None:
    await playing.player.close()
    assert playing.engine.ended
    playing.player.reroute()
    await playing.player.play(MemorySource())
    assert len(playing.engines) == 1
