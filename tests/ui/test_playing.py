"""Playing and saving recordings; RINGBACK_AUDIO=none plays them in silence, at their own pace."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from providers.sandbox import Sandbox
from tests.ui.calls_page import open_page
from tui.services import Services
from widgets.player_line import PlayerLine

Home = Callable[..., Services]


def position_s(line: str) -> int:
    found = re.search(r"(\d+):(\d\d) / ", line)
    assert found, line
    return int(found[1]) * 60 + int(found[2])


async def test_a_recording_plays_pauses_seeks_and_stops(synced: Home) -> None:
    async with open_page(synced("nectar"), "rec dur>60 dur<300", size=(120, 30)) as page:
        await page.idle()
        await page.press("right", "0", "s", "right_square_bracket", "full_stop")
        assert "nothing is playing; space plays the call's recording" in page.status
        await page.press("space")
        await page.until(lambda: "Playing" in page.player and position_s(page.player) >= 1)
        await page.press("right")
        await page.until(lambda: position_s(page.player) >= 6)
        screen = page.screen
        screen.player.playback.seek_by(0.5)
        assert screen.player.playback.view.status == "loading", (
            "what is heard there is still to come"
        )
        screen.player.play()
        await page.until(lambda: "Paused" in page.player)
        stood = position_s(page.player)
        await page.press("left")
        await page.until(lambda: position_s(page.player) <= stood - 4)
        await page.press("right_square_bracket", "plus")
        await page.until(lambda: "1.25x  vol 110%" in page.player)
        await page.press("enter")
        await page.pause()
        assert re.search(r">1 .* playing", page.detail), "the detail marks what plays"
        wave = page.sound.waveform
        await page.until(lambda: wave.display)
        await page.click(wave, page.sound.wave_area[0], 0)
        await page.until(lambda: position_s(page.player) == 0)
        await page.press("s")
        line = page.screen.query_one(PlayerLine)
        await page.until(lambda: not line.display and not wave.display)


@pytest.mark.parametrize(
    ("status_code", "says"),
    [(403, "refuses access"), (404, "was deleted at the vendor"), (200, "a page, not sound")],
)
async def test_a_recording_that_cannot_be_had_says_why(
    home: Home, fresh: Sandbox, status_code: int, says: str
) -> None:
    services = home("nectar", sandbox=fresh)
    async with open_page(services, "rec", size=(120, 30)) as page:
        await page.idle()
        body = b"<html>please log in</html>" if status_code == 200 else b""
        fresh.fail("media", status=status_code, times=5, body=body)
        await page.press("space")
        await page.until(lambda: page.player.startswith(" Failed"))
        assert says in page.player


async def test_a_call_without_a_recording_says_so(synced: Home) -> None:
    async with open_page(synced("nectar"), "-rec missed", size=(120, 30)) as page:
        await page.idle()
        await page.press("space")
        await page.until(lambda: page.player.startswith(" Failed"))
        assert "this call has no recording" in page.player


async def test_all_recordings_of_a_call_are_saved(
    synced: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    services = synced("cinnox")
    async with open_page(services, "rec", size=(120, 30)) as page:
        await page.idle()
        with services.open_archive() as archive:
            window = page.calls(400)
            wanted = next(row for row in window if (row.recordings or 0) > 1)
            assert archive.call(wanted.key) is not None
        page.table.move_to_key(wanted.key)
        await page.press("w")
        await page.until(lambda: "saved" in page.status)
        assert len(os.listdir(tmp_path)) == wanted.recordings


async def test_a_download_that_fails_says_why_and_leaves_nothing(
    home: Home, fresh: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with open_page(home("nectar", sandbox=fresh), "rec", size=(120, 30)) as page:
        await page.idle()
        fresh.fail("media", status=403, times=5)
        await page.press("w")
        await page.until(lambda: "Error: " in page.status and "refuses access" in page.status)
        await page.idle()
        page.unflash()
        assert "download" not in page.status and os.listdir(tmp_path) == []


async def test_where_the_list_is_separate_it_is_asked_for_and_kept(synced: Home) -> None:
    async with open_page(synced("liner"), "dur>60 -rec", size=(120, 30)) as page:
        await page.idle()
        await page.press("enter")
        await page.until(lambda: "asking the vendor" not in page.detail)
        assert "not asked for yet" not in page.detail


@pytest.mark.parametrize("plays", [True, False])
async def test_what_plays_pauses_while_the_program_is_stopped(synced: Home, plays: bool) -> None:
    async with open_page(synced("nectar"), "rec dur>60 dur<300", size=(120, 30)) as page:
        await page.idle()
        await page.press("space")
        await page.until(lambda: "Playing" in page.player)
        if not plays:
            await page.press("space")
        await page.until(lambda: ("Playing" if plays else "Paused") in page.player)
        page.suspend()
        playback = page.screen.player.playback
        assert playback.view.status == "paused", "before it is stopped"
        page.resume()
        await page.pause()
        await page.until(lambda: ("Playing" if plays else "Paused") in page.player)
