"""From a call to its sound: the vendor, the recording's host, the cache and the silent player."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from providers.errors import AuthError, MissingToken, RecordingError, Unreachable
from tests.playback.world import SOUND, Desk, World, heard, slowly, until
from tests.recordings.host import Asked
from tests.slow_params import few
from tui.playback import controller as module
from tui.playback.controller import PlaybackController
from tui.recordings.cache import RecordingCache
from tui.recordings.fetcher import RecordingFetcher
from tui.recordings.progressive_download import ProgressiveDownload


async def test_it_plays_while_it_comes_and_then_it_is_the_cache(
    world: World, playback: PlaybackController
) -> None:
    await slowly(world, playback)
    assert world.host.sent < len(SOUND)
    assert world.tokens_asked == 0, "an open address needs no token"
    world.host.rate = None
    cache = RecordingCache(world.services.paths.cached_recordings)
    await until(lambda: cache.find("desk", world.call, 0))
    assert world.host.sent == len(SOUND) and world.host.twice() == 0
    playback.stop()
    found = cache.find("desk", world.call, 0)
    assert found and found.path.read_bytes() == SOUND and not world.partials()
    world.host.answer = lambda asked: 503
    await playback.play(world.account, world.call)
    await heard(playback)
    assert world.host.sent == len(SOUND) and world.tokens_asked == 0, "now it works offline"


async def test_quitting_while_it_downloads_and_plays(
    world: World, playback: PlaybackController
) -> None:
    await slowly(world, playback)
    began = time.monotonic()
    await playback.close()
    await asyncio.to_thread(world.network.close)
    assert time.monotonic() - began < 1.5  # 0.1 s on a quiet machine
    assert not world.partials()
    await until(lambda: world.host.open == 0)


@pytest.mark.parametrize("moment", few(1, ["asking", "coming"]))
async def test_stopping_ends_the_download_at_once(
    world: World, playback: PlaybackController, moment: str
) -> None:
    world.host.rate, world.host.delay_s = 60_000, 2.0 if moment == "asking" else 0.0
    playing = asyncio.create_task(playback.play(world.account, world.call))
    await until(lambda: world.host.asked)
    if moment == "coming":
        await heard(playback)
    playing.cancel()
    playback.stop()
    await asyncio.gather(playing, return_exceptions=True)
    await until(lambda: not world.partials())
    sent = world.host.sent
    await until(lambda: world.host.open == 0)
    assert world.host.sent - sent < 20_000


async def test_an_expired_address_is_renewed_before_it_plays(
    world: World, playback: PlaybackController
) -> None:
    world.host.answer = lambda asked: 403 if asked.path == "/old" else None
    await playback.play(world.account, world.call)
    await heard(playback)
    assert [one.path for one in world.host.asked[:2]] == ["/old", "/new"]
    assert world.desk.asked == 1


@pytest.mark.parametrize("status", few(1, [403, 404, 410]))
async def test_an_address_that_expires_while_it_plays_is_renewed(
    world: World, playback: PlaybackController, status: int
) -> None:
    await slowly(world, playback)
    world.host.answer = lambda asked: status if asked.path == "/old" else None
    playback.seek_to(0.9)
    await heard(playback, 36.2)
    assert world.desk.asked == 1 and world.host.asked[-1].path == "/new"
    world.host.rate = None
    cache = RecordingCache(world.services.paths.cached_recordings)
    await until(lambda: cache.find("desk", world.call, 0))
    found = cache.find("desk", world.call, 0)
    assert found and found.path.read_bytes() == SOUND


async def test_another_recording_under_the_new_address_is_not_mixed_in(
    world: World, playback: PlaybackController
) -> None:
    await slowly(world, playback)

    def answer(asked: Asked) -> int | None:
        if asked.path == "/new":
            world.host.data = SOUND[:-2]
        return 403 if asked.path == "/old" else None

    world.host.answer = answer
    playback.seek_to(0.9)
    await until(lambda: playback.view.status == "failed")
    assert "was replaced at the vendor" in playback.view.message


@pytest.mark.parametrize(
    ("status", "error", "says"),
    [
        (403, None, "the recording's host refuses access"),
        (404, None, "was deleted at the vendor"),
        (410, AuthError("Token refused", "the vendor refuses it"), "address has expired"),
        (403, MissingToken("Token missing", "there is none", "Give one"), "Token missing"),
        (500, None, "cannot be reached"),
    ],
)
async def test_why_there_is_no_sound(
    world: World, playback: PlaybackController, status: int, error: Exception | None, says: str
) -> None:
    world.host.answer = lambda asked: status
    world.desk.error = error
    await playback.play(world.account, world.call)
    assert playback.view.status == "failed" and says in playback.view.message
    assert world.host.url not in playback.view.message
    assert not world.partials()


async def test_what_plays_while_it_comes_is_saved_without_fetching_it_twice(
    world: World, playback: PlaybackController, tmp_path: Path
) -> None:
    await slowly(world, playback)
    said: list[str] = []
    saving = asyncio.create_task(
        playback.download(world.account, world.call, tmp_path / "out", said.append)
    )
    await until(lambda: any("MB" in text for text in said))
    playback.stop()  # whoever saves goes on
    world.host.rate = None
    (path,) = await saving
    assert path.read_bytes() == SOUND
    assert world.host.sent == len(SOUND) and world.host.twice() == 0
    assert not world.partials()


async def test_a_recording_of_a_call_just_over_is_looked_for_again(
    world: World, playback: PlaybackController, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY_S", 0.05)
    just_now = timedelta(minutes=2)
    world.desk.now = world.at("", just_now)
    playing = asyncio.create_task(playback.play(world.account, world.at("", just_now)))
    await until(lambda: world.desk.asked >= 2)
    assert playback.view.status == "loading"
    assert "the recording is not there yet; looking again every" in playback.view.message
    world.desk.now = world.at("/new", just_now)
    await heard(playback)
    await playing


async def test_looking_again_survives_a_vendor_that_is_out_of_reach_for_a_moment(
    world: World, playback: PlaybackController, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY_S", 0.05)
    just_now = timedelta(minutes=2)
    world.desk.now = world.at("/new", just_now)
    world.desk.error = Unreachable("Unreachable", "no answer in time")
    playing = asyncio.create_task(playback.play(world.account, world.at("", just_now)))
    await until(lambda: world.desk.asked >= 2 or playback.view.status == "failed")
    world.desk.error = None
    await heard(playback)
    await playing


async def test_looking_again_ends_with_a_stop_and_after_a_while(
    world: World, playback: PlaybackController, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY_S", 0.05)
    just_now = timedelta(minutes=2)
    world.desk.now = world.at("", just_now)
    playing = asyncio.create_task(playback.play(world.account, world.desk.now))
    await until(lambda: world.desk.asked >= 1)
    playback.stop()
    await asyncio.wait_for(playing, 2)
    assert playback.view.status == "idle"
    asked = world.desk.asked
    monkeypatch.setattr(module, "LOOK_FOR_S", 0.2)
    await playback.play(world.account, world.desk.now)
    assert playback.view.status == "failed" and "not there yet" in playback.view.message
    assert world.desk.asked > asked
    await playback.play(world.account, world.at("", timedelta(days=1)))
    assert playback.view.status == "failed", "an old one will not come any more"


async def test_a_stream_that_two_use_lives_until_both_have_let_go(world: World) -> None:
    world.host.rate = 100_000
    fetching = RecordingFetcher(world.services, world.network)
    one, two = await asyncio.gather(
        fetching.open(world.account, world.call, 0), fetching.open(world.account, world.call, 0)
    )
    assert one is two and isinstance(one.source, ProgressiveDownload)
    fetching.release(one)
    assert await one.source.read(0, 4) == SOUND[:4]
    fetching.release(two)
    with pytest.raises(OSError):
        await one.source.read(0, 4)
    assert not world.partials()


async def test_a_full_disk_is_said_in_the_player(
    world: World, playback: PlaybackController, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.pwrite

    def full(fd: int, data: bytes, at: int) -> int:
        if at > 50_000:
            raise OSError(28, "No space left on device")
        return real(fd, data, at)

    monkeypatch.setattr(os, "pwrite", full)
    await playback.play(world.account, world.call)
    await until(lambda: playback.view.status == "failed", lambda: playback.view)
    assert "there is no room left on the disk" in playback.view.message
    playback.stop()
    assert not world.partials()


async def test_the_address_is_told_to_nobody(world: World) -> None:
    fetching = RecordingFetcher(world.services, world.network)
    world.host.answer = lambda asked: 403
    with pytest.raises(RecordingError) as caught:
        await fetching.open(world.account, world.call, 0)
    assert world.host.url not in str(caught.value) + repr(caught.value)


async def test_the_vendor_is_left_when_the_recording_turns_out_to_be_here(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = world.call
    cache = RecordingFetcher(world.services, world.network).cache()
    handle, partial = cache.partial()
    os.close(handle)
    cache.keep(partial, "desk", known, 0, "wav")
    left: list[bool] = []

    async def leave(*_: object) -> None:
        left.append(True)

    monkeypatch.setattr(Desk, "__aexit__", leave)
    fetching = RecordingFetcher(world.services, world.network)
    unknown = replace(known, recordings=(), recordings_known=False)
    stream = await fetching.open(world.account, unknown, 0)
    assert stream.call.recordings == world.desk.now.recordings and left
    fetching.release(stream)


async def test_a_key_while_the_vendor_is_asked_does_not_hide_what_is_under_way(
    world: World, playback: PlaybackController
) -> None:
    world.host.delay_s = 0.5
    playing = asyncio.create_task(playback.play(world.account, world.call))
    await until(lambda: "asking the vendor" in playback.view.message)
    playback.change_volume(0.1)
    playback.toggle_skip_silence()
    assert (playback.view.status, playback.view.volume) == ("loading", 110)
    assert "asking the vendor" in playback.view.message
    await playing
    await heard(playback)
    assert playback.view.skip_silence and playback.view.volume == 110
