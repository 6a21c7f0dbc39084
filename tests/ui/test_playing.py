"""Playing and saving recordings; RINGBACK_AUDIO=none plays them in silence, at their own pace."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from providers.sandbox import Sandbox
from tests.ui.driving import (
    detail,
    main,
    player,
    run_app,
    settled,
    status,
    table,
    until,
)
from tui.services import Services
from widgets.player_line import PlayerLine
from widgets.waveform import Waveform

Home = Callable[..., Services]


def position_s(line: str) -> int:
    found = re.search(r"(\d+):(\d\d) / ", line)
    assert found, line
    return int(found[1]) * 60 + int(found[2])


async def test_a_recording_plays_pauses_seeks_and_stops(synced: Home) -> None:
    async with run_app(synced("nectar"), "rec dur>60 dur<300").run_test(size=(120, 30)) as pilot:
        await settled(pilot)
        await pilot.press("right", "0", "s", "right_square_bracket", "full_stop")
        assert "nothing is playing; space plays the call's recording" in status(pilot)
        await pilot.press("space")
        await until(pilot, lambda: "Playing" in player(pilot) and position_s(player(pilot)) >= 1)
        await pilot.press("right")
        await until(pilot, lambda: position_s(player(pilot)) >= 6)
        screen = main(pilot)
        screen.player.playback.seek_by(0.5)
        assert screen.player.playback.view.status == "loading", (
            "what is heard there is still to come"
        )
        screen.player.play()
        await until(pilot, lambda: "Paused" in player(pilot))
        stood = position_s(player(pilot))
        await pilot.press("left")
        await until(pilot, lambda: position_s(player(pilot)) <= stood - 4)
        await pilot.press("right_square_bracket", "plus")
        await until(pilot, lambda: "1.25x  vol 110%" in player(pilot))
        await pilot.press("enter")
        await pilot.pause()
        assert re.search(r">1 .* playing", detail(pilot)), "the detail marks what plays"
        wave = main(pilot).query_one(Waveform)
        await until(pilot, lambda: wave.display)
        await pilot.click(wave, offset=(wave._area()[0], 0))
        await until(pilot, lambda: position_s(player(pilot)) == 0)
        await pilot.press("s")
        line = main(pilot).query_one(PlayerLine)
        await until(pilot, lambda: not line.display and not wave.display)


@pytest.mark.parametrize(
    ("status_code", "says"),
    [(403, "refuses access"), (404, "was deleted at the vendor"), (200, "a page, not sound")],
)
async def test_a_recording_that_cannot_be_had_says_why(
    home: Home, fresh: Sandbox, status_code: int, says: str
) -> None:
    services = home("nectar", sandbox=fresh)
    async with run_app(services, "rec").run_test(size=(120, 30)) as pilot:
        await settled(pilot)
        body = b"<html>please log in</html>" if status_code == 200 else b""
        fresh.fail("media", status=status_code, times=5, body=body)
        await pilot.press("space")
        await until(pilot, lambda: player(pilot).startswith(" Failed"))
        assert says in player(pilot)


async def test_a_call_without_a_recording_says_so(synced: Home) -> None:
    async with run_app(synced("nectar"), "-rec missed").run_test(size=(120, 30)) as pilot:
        await settled(pilot)
        await pilot.press("space")
        await until(pilot, lambda: player(pilot).startswith(" Failed"))
        assert "this call has no recording" in player(pilot)


async def test_all_recordings_of_a_call_are_saved(
    synced: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    services = synced("cinnox")
    async with run_app(services, "rec").run_test(size=(120, 30)) as pilot:
        await settled(pilot)
        with services.open_archive() as archive:
            window = table(pilot)._rows.window(0, 400)
            wanted = next(row for row in window if (row.recordings or 0) > 1)
            assert archive.call(wanted.key) is not None
        table(pilot).move_to_key(wanted.key)
        await pilot.press("w")
        await until(pilot, lambda: "saved" in status(pilot))
        assert len(os.listdir(tmp_path)) == wanted.recordings


async def test_where_the_list_is_separate_it_is_asked_for_and_kept(synced: Home) -> None:
    async with run_app(synced("liner"), "dur>60 -rec").run_test(size=(120, 30)) as pilot:
        await settled(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: "asking the vendor" not in detail(pilot))
        assert "not asked for yet" not in detail(pilot)


@pytest.mark.parametrize("plays", [True, False])
async def test_what_plays_pauses_while_the_program_is_stopped(synced: Home, plays: bool) -> None:
    async with run_app(synced("nectar"), "rec dur>60 dur<300").run_test(size=(120, 30)) as pilot:
        await settled(pilot)
        await pilot.press("space")
        await until(pilot, lambda: "Playing" in player(pilot))
        if not plays:
            await pilot.press("space")
        await until(pilot, lambda: ("Playing" if plays else "Paused") in player(pilot))
        pilot.app._suspend_signal()
        playback = main(pilot).player.playback
        assert playback.view.status == "paused", "before it is stopped"
        pilot.app._resume_signal()
        await pilot.pause()
        await until(pilot, lambda: ("Playing" if plays else "Paused") in player(pilot))
