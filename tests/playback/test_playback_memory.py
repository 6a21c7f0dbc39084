"""What is kept of a recording that was played: how far, why not, and its waveform."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from providers.model import Recording
from tests.playback.world import World, heard, until
from tui.archive.records import Heard
from tui.audio.peaks import Peaks
from tui.playback.controller import PlaybackController
from tui.recordings.cache import RecordingCache
from widgets.player_line import PlayerView


@pytest.fixture(autouse=True)
def kept(world: World) -> None:
    """The call is in the archive: of others nothing is remembered."""
    with world.services.open_archive() as archive, archive.transaction():
        archive.save("desk", [world.call])


def known(world: World, call_id: str = "9") -> Heard | None:
    with world.services.open_archive() as archive:
        return archive.listening.of_call("desk", call_id).get("r")


def note(world: World, position_s: float) -> None:
    with world.services.open_archive() as archive:
        archive.listening.note("desk", "9", "r", position_s, 40.0, None)


async def test_why_a_recording_could_not_be_played_is_kept(
    world: World, playback: PlaybackController
) -> None:
    world.host.answer = lambda asked: 404
    await playback.play(world.account, world.call)
    assert playback.view.status == "failed"
    await playback.close()
    found = known(world)
    assert found and found.trouble == "gone"


async def test_where_it_was_left_it_goes_on_and_says_so(world: World) -> None:
    note(world, 20.0)
    views: list[PlayerView] = []
    said: list[str] = []
    playback = PlaybackController(world.services, world.network, views.append, said.append)
    try:
        await playback.play(world.account, world.call)
        await heard(playback, 20.2)
        assert said == ["from 0:20, where it was left"]
        assert not any(0 < view.position_s < 20 for view in views)
        assert [view.status for view in views if view.status == "playing"], "each change is told"
        playback.stop()
        await playback.play(world.account, world.call, start_s=5.0)
        await heard(playback, 5.1)
        assert len(said) == 1, "a place that was asked for is not said"
        at_s = playback.view.position_s
    finally:
        await playback.close()
    found = known(world)
    assert found and at_s <= found.position_s < 20.0


async def test_a_paused_recording_is_left_where_it_stands(
    world: World, playback: PlaybackController
) -> None:
    await playback.play(world.account, world.call, start_s=10.0)
    await heard(playback, 10.1)
    playback.toggle()
    await until(lambda: playback.view.status == "paused")
    at_s = playback.view.position_s
    playback.stop()
    await playback.close()
    found = known(world)
    assert found and abs(found.position_s - at_s) < 0.3


async def test_the_waveform_is_kept_beside_the_recording_and_shown_at_once(
    world: World, playback: PlaybackController
) -> None:
    cache = RecordingCache(world.services.paths.cached_recordings)
    await playback.play(world.account, world.call)
    await until(lambda: playback.wave and playback.wave.complete)
    await until(lambda: cache.find_peaks("desk", world.call, 0))
    kept = Peaks.from_bytes(cache.find_peaks("desk", world.call, 0) or b"")
    assert kept.complete and kept.lanes
    playback.stop()
    assert [playback.wave] == [None]
    cache.keep_peaks("desk", world.call, 0, Peaks((bytearray(b"\x07" * 800),), True).to_bytes())
    await playback.play(world.account, world.call)
    await heard(playback)
    wave = playback.wave
    assert wave is not None and set(wave.lanes[0]) == {7}, "what is kept is not measured again"


async def test_a_waveform_that_cannot_be_read_is_measured_again(
    world: World, playback: PlaybackController
) -> None:
    cache = RecordingCache(world.services.paths.cached_recordings)
    cache.keep_peaks("desk", world.call, 0, b"no waveform")
    await playback.play(world.account, world.call)
    await until(lambda: playback.wave and playback.wave.complete)
    await until(lambda: cache.find_peaks("desk", world.call, 0) != b"no waveform")


async def test_another_recording_that_is_chosen_meanwhile_is_the_one_that_plays(
    world: World, playback: PlaybackController
) -> None:
    world.host.delay_s = 0.3
    other = replace(world.call, id="8", recordings=(Recording("r", world.host.url + "/other"),))
    first = asyncio.create_task(playback.play(world.account, world.call))
    await until(lambda: world.host.asked)
    world.host.delay_s = 0.0
    await playback.play(world.account, other)
    await first
    await heard(playback)
    assert playback.playing and playback.playing.call.id == "8"
    playback.stop()
    await until(lambda: not world.partials())


async def test_a_failure_of_what_is_no_longer_wanted_is_not_shown(
    world: World, playback: PlaybackController
) -> None:
    world.host.delay_s = 0.3
    world.host.answer = lambda asked: 404 if asked.path == "/old" else None
    first = asyncio.create_task(playback.play(world.account, world.call))
    await until(lambda: world.host.asked)
    other = replace(world.call, id="8", recordings=(Recording("r", world.host.url + "/other"),))
    world.desk.now = world.call  # there is no other address of the first
    await asyncio.gather(first, playback.play(world.account, other))
    await heard(playback)
    assert playback.view.status == "playing"
    await playback.close()
    assert known(world) is None


async def test_whether_there_is_sound_to_go_about_in(
    world: World, playback: PlaybackController
) -> None:
    assert (playback.has_sound, playback.pauses) == (False, False)
    world.host.delay_s = 0.3
    playing = asyncio.create_task(playback.play(world.account, world.call))
    await until(lambda: playback.view.status == "loading")
    assert (playback.has_sound, playback.pauses) == (False, False), "nothing has come yet"
    await playing
    await heard(playback)
    assert (playback.has_sound, playback.pauses) == (True, True)
    playback.stop()
    assert (playback.has_sound, playback.pauses) == (False, False)


def test_nothing_is_done_without_a_player(world: World) -> None:
    views: list[PlayerView] = []
    playback = PlaybackController(world.services, world.network, views.append, lambda _: None)
    playback.reroute()
    playback.toggle()
    playback.seek_by(5.0)
    playback.seek_to(0.5)
    playback.next_turn(1)
    playback.mark_loop()
    playback.next_side()
    playback.pause_while_stopped()
    assert views == [] and playback.wave is None and playback.turns_text() == ""
