"""The player's keys over the real engine (output none), and what is remembered of listening."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tomllib
from pathlib import Path

import pytest

from providers.sandbox import Sandbox
from tests.audio.processes import engines_of, worker_of
from tests.ui.calls_page import CallsPage, open_page
from tests.ui.test_playing import Home, position_s
from tui.cli import main as run_command
from tui.config.settings import put
from tui.services import Services
from widgets.text_modal import TextModal

LONG = "rec dur>60 dur<300"


async def playing(page: CallsPage, key: int | None = None) -> None:
    """This call (else the one under the cursor) plays, and its sound is drawn whole."""
    await page.idle()
    if key is not None:
        page.table.move_to_key(key)
    await page.press("space")
    await page.until(lambda: "Playing" in page.player)
    await page.until(lambda: page.sound.wave_is_whole)


def heard(services: Services, page: CallsPage) -> object:
    """What the archive knows of the recording that plays."""
    now = page.sound.playing
    assert now is not None
    with services.open_archive() as archive:
        return next(iter(archive.listening.of_call(now.account, now.call.id).values()), None)


async def test_turns_loop_silence_side_and_mute(synced: Home) -> None:
    async with open_page(synced("nectar"), LONG, size=(120, 30)) as page:
        await page.idle()
        await page.press("l", "L", "H", "vertical_line", "W")
        assert "nothing is playing; space plays the call's recording" in page.status
        await playing(page)
        state = page.sound.audio.state
        before = position_s(page.player)
        await page.press("L")
        await page.until(lambda: position_s(page.player) > before)
        await page.press("m")
        await page.until(lambda: "muted" in page.player)
        await page.press("m")
        await page.until(lambda: "vol 100%" in page.player)
        await page.press("i")
        await page.until(lambda: "skip" in page.player)
        await page.press("l")
        await page.until(lambda: "-?" in page.player)
        await page.press("right", "l")
        await page.until(lambda: "loop" in page.player and "-?" not in page.player)
        wave = page.sound.waveform
        await page.until(lambda: "]" in wave.render_line(0).text)
        await page.press("l")
        await page.until(lambda: "loop" not in page.player)
        if state.channels == 1:
            await page.press("vertical_line")
            await page.until(lambda: "one side only" in page.text)
        await page.press("W")
        await page.until(lambda: isinstance(page.top, TextModal))
        text = page.text
        assert " to " in text and ("speech 0:" in text or "left 0:" in text), text


async def test_to_a_part_of_the_recording_from_the_palette(synced: Home) -> None:
    async with open_page(synced("nectar"), LONG, size=(120, 30)) as page:
        await page.idle()
        commands = {one.title: one for one in page.app.get_system_commands(page.top)}
        await playing(page)
        await commands["Go to 50 %"].callback()
        state = page.sound.view
        assert state.length_s
        half = int(state.length_s / 2)
        await page.until(lambda: half <= position_s(page.player) <= half + 3)


async def test_it_goes_on_where_it_was_left(synced: Home) -> None:
    services = synced("nectar")
    async with open_page(services, LONG, size=(120, 30)) as page:
        await playing(page)
        await page.press("shift+right")
        await page.until(lambda: position_s(page.player) >= 30 and "Playing" in page.player)
        title, key = page.sound.view.title, page.key
    async with open_page(services, LONG, size=(120, 30)) as page:
        await playing(page, key)
        await page.until(lambda: "~" in page.row or "part" in page.row)
        assert page.sound.view.title == title
        assert position_s(page.player) >= 29
        assert "where it was left" in page.status
        await page.press("s", "enter")
        await page.until(lambda: "left at 0:3" in page.detail)


async def test_the_end_is_heard_and_starts_anew(synced: Home) -> None:
    services = synced("nectar")
    async with open_page(services, LONG, size=(120, 30)) as page:
        await playing(page)
        length_s = page.sound.view.length_s
        assert length_s
        page.screen.player.playback.seek_to(1 - 1 / length_s)
        await page.until(lambda: "Ended" in page.player and "heard" in page.player)
        await page.until(lambda: getattr(heard(services, page), "heard_at", None))
        assert heard(services, page).left_s == 0  # type: ignore[attr-defined]
        page.look()
        await page.until(lambda: "R+" in page.row or "R heard" in page.row)
        await page.press("enter")
        await page.until(lambda: "heard " in page.detail)


async def test_why_it_cannot_be_played_is_kept_and_forgotten_when_it_plays(
    home: Home, fresh: Sandbox
) -> None:
    services = home("nectar", sandbox=fresh)
    async with open_page(services, "rec", size=(120, 30)) as page:
        await page.idle()
        fresh.fail("media", status=403, times=5)
        await page.press("space")
        await page.until(lambda: page.player.startswith(" Failed"))
        await page.until(lambda: "R!" in page.row or "refused" in page.row)
        await page.press("enter")
        await page.until(lambda: "refuses access (seen" in page.detail)
        await page.until(lambda: _plays(page), 30)
        await page.until(lambda: "refuses access (seen" not in page.detail)


def _plays(page: CallsPage) -> bool:
    if page.player.startswith(" Failed"):
        page.screen.player.play()
    return "Playing" in page.player


async def test_speed_and_volume_are_kept_and_nothing_else(synced: Home) -> None:
    services = synced("nectar")
    put(services.paths, "audio", "rewind_s", 3.0)
    async with open_page(services, LONG, size=(120, 30)) as page:
        await playing(page)
        assert page.sound.audio.rewind_s == 3.0
        await page.press("right_square_bracket", "plus", "m")
        await page.until(lambda: "1.25x" in page.player and "muted" in page.player)
    written = tomllib.loads(services.paths.config_file.read_text())["audio"]
    assert written == {"rewind_s": 3.0, "speed": 1.25, "volume": 110}
    async with open_page(services, LONG, size=(120, 30)) as page:
        await playing(page)
        await page.until(lambda: "1.25x" in page.player and "vol 110%" in page.player)


async def test_autoplay_goes_to_the_next_call_and_leaves_out_what_cannot_be_had(
    home: Home, fresh: Sandbox
) -> None:
    services = home("nectar", sandbox=fresh)
    async with open_page(services, "rec", size=(120, 30)) as page:
        await playing(page)
        first = page.sound.playing
        assert first is not None
        await page.press("A")
        await page.until(lambda: "auto" in page.player)
        row = page.row
        length_s = page.sound.view.length_s
        assert length_s
        fresh.fail("media", status=404, times=1)
        page.screen.player.playback.seek_to(1 - 0.5 / length_s)

        def moved_on() -> bool:
            now = page.sound.playing
            return now is not None and now.call.id != first.call.id and "Playing" in page.player

        await page.until(moved_on, 30)
        assert page.row != row, "the cursor goes with it"
    assert "autoplay = true" in services.paths.config_file.read_text()


async def test_a_waveform_is_kept_beside_its_recording(synced: Home) -> None:
    services = synced("nectar")
    async with open_page(services, LONG, size=(120, 30)) as page:
        await playing(page)
        folder = services.paths.cached_recordings
        await page.until(lambda: list(folder.rglob("*.peaks")))
        (file,) = folder.rglob("*.peaks")
        assert len(list(file.parent.glob(f"{file.stem}.*"))) == 2
        assert file.stat().st_mode & 0o777 == 0o600
        key = page.key
    async with open_page(services, LONG, size=(120, 30)) as page:
        await playing(page, key)
        peaks = page.sound.audio.peaks
        assert peaks is not None and peaks.to_bytes() == file.read_bytes()


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
async def test_what_crashes_when_it_is_measured_plays_then_and_later(
    synced: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    services = synced("nectar")
    folder, why = services.paths.cached_recordings, "no waveform: measuring it has crashed"
    async with open_page(services, LONG, size=(120, 30)) as page:
        await page.idle()
        await page.press("space")
        await page.until(lambda: engines_of(os.getpid()))
        [engine] = engines_of(os.getpid())
        await page.until(lambda: worker_of(engine, "measure"))
        os.kill(worker_of(engine, "measure") or 0, signal.SIGSEGV)
        await page.until(lambda: list(folder.rglob("*.peaks")))
        await page.until(lambda: "Playing" in page.player)
        assert why in page.text
        key = page.key
    assert key is not None
    async with open_page(services, LONG, size=(120, 30)) as page:
        await page.idle()
        page.table.move_to_key(key)
        await page.press("space")
        await page.until(lambda: "Playing" in page.player)
        await page.press("W")
        await page.until(lambda: isinstance(page.top, TextModal))
        assert why in page.text
    capsys.readouterr()
    await asyncio.to_thread(run_command, ["doctor"])
    assert f"waveforms  1 in the cache: {why}" in capsys.readouterr().out


async def test_who_goes_to_the_end_in_a_pause_hears_no_other_call(synced: Home) -> None:
    async with open_page(synced("nectar"), LONG, size=(120, 30)) as page:
        await playing(page)
        await page.press("A", "space")
        await page.until(lambda: "Paused" in page.player)
        playback = page.screen.player.playback
        title = playback.view.title
        playback.seek_to(1.0)
        await page.until(lambda: playback.view.position_s == playback.view.length_s)
        await page.pause(0.5)
        assert playback.view.status in ("paused", "finished") and playback.view.title == title


async def test_what_plays_where_nobody_hears_it_is_not_heard(
    synced: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "asound.conf").write_text("")
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(tmp_path / "asound.conf"))
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path}/no-pulse-here")
    monkeypatch.setenv("RINGBACK_AUDIO", "miniaudio")
    services = synced("nectar")
    async with open_page(services, LONG, size=(120, 30)) as page:
        await playing(page)
        await page.until(lambda: "playing in silence" in page.text)
        now = page.sound.playing
        await page.press("shift+right", "space", "s")
        await page.idle()
    assert now is not None
    with services.open_archive() as archive:
        assert not archive.listening.of_call(now.account, now.call.id)
