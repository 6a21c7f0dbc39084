"""The player's keys over the real engine (output none), and what is remembered of listening."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tomllib
from pathlib import Path

import pytest
from textual.pilot import Pilot

from providers.sandbox import Sandbox
from tests.audio.conftest import worker_of
from tests.ui.driving import (
    cursor_row,
    detail,
    main,
    page,
    player,
    run_app,
    settled,
    status,
    table,
    until,
)
from tests.ui.test_playing import Home, position_s
from tui.cli import main as run_command
from tui.config.settings import put
from tui.services import Services
from widgets.text_modal import TextModal
from widgets.waveform import Waveform

LONG = "rec dur>60 dur<300"


async def playing(pilot: Pilot[None], key: int | None = None) -> None:
    """This call (else the one under the cursor) plays, and its sound is drawn whole."""
    await settled(pilot)
    if key is not None:
        table(pilot).move_to_key(key)
    await pilot.press("space")
    wave = main(pilot).query_one(Waveform)
    await until(pilot, lambda: "Playing" in player(pilot))
    await until(pilot, lambda: wave.display and wave._shown and wave._shown.complete)


def heard(services: Services, pilot: Pilot[None]) -> object:
    """What the archive knows of the recording that plays."""
    now = main(pilot).player.playback.playing
    assert now is not None
    with services.open_archive() as archive:
        return next(iter(archive.listening.of_call(now.account, now.call.id).values()), None)


async def test_turns_loop_silence_side_and_mute(synced: Home) -> None:
    async with run_app(synced("nectar"), LONG).run_test(size=(120, 30)) as pilot:
        await settled(pilot)
        await pilot.press("l", "L", "H", "vertical_line", "W")
        assert "nothing is playing; space plays the call's recording" in status(pilot)
        await playing(pilot)
        state = main(pilot).player.playback._player.state  # type: ignore[union-attr]
        before = position_s(player(pilot))
        await pilot.press("L")
        await until(pilot, lambda: position_s(player(pilot)) > before)
        await pilot.press("m")
        await until(pilot, lambda: "muted" in player(pilot))
        await pilot.press("m")
        await until(pilot, lambda: "vol 100%" in player(pilot))
        await pilot.press("i")
        await until(pilot, lambda: "skip" in player(pilot))
        await pilot.press("l")
        await until(pilot, lambda: "-?" in player(pilot))
        await pilot.press("right", "l")
        await until(pilot, lambda: "loop" in player(pilot) and "-?" not in player(pilot))
        wave = main(pilot).query_one(Waveform)
        await until(pilot, lambda: "]" in wave.render_line(0).text)
        await pilot.press("l")
        await until(pilot, lambda: "loop" not in player(pilot))
        if state.channels == 1:
            await pilot.press("vertical_line")
            await until(pilot, lambda: "one side only" in page(pilot))
        await pilot.press("W")
        await until(pilot, lambda: isinstance(pilot.app.screen, TextModal))
        text = pilot.app.screen._text  # type: ignore[attr-defined]
        assert " to " in text and ("speech 0:" in text or "left 0:" in text), text


async def test_to_a_part_of_the_recording_from_the_palette(synced: Home) -> None:
    async with run_app(synced("nectar"), LONG).run_test(size=(120, 30)) as pilot:
        await settled(pilot)
        commands = {one.title: one for one in pilot.app.get_system_commands(pilot.app.screen)}
        await playing(pilot)
        await commands["Go to 50 %"].callback()
        state = main(pilot).player.playback.view
        assert state.length_s
        half = int(state.length_s / 2)
        await until(pilot, lambda: half <= position_s(player(pilot)) <= half + 3)


async def test_it_goes_on_where_it_was_left(synced: Home) -> None:
    services = synced("nectar")
    async with run_app(services, LONG).run_test(size=(120, 30)) as pilot:
        await playing(pilot)
        await pilot.press("shift+right")
        await until(pilot, lambda: position_s(player(pilot)) >= 30 and "Playing" in player(pilot))
        title, key = main(pilot).player.playback.view.title, table(pilot).current_key
    async with run_app(services, LONG).run_test(size=(120, 30)) as pilot:
        await playing(pilot, key)
        await until(pilot, lambda: "~" in cursor_row(pilot) or "part" in cursor_row(pilot))
        assert main(pilot).player.playback.view.title == title
        assert position_s(player(pilot)) >= 29
        assert "where it was left" in status(pilot)
        await pilot.press("s", "enter")
        await until(pilot, lambda: "left at 0:3" in detail(pilot))


async def test_the_end_is_heard_and_starts_anew(synced: Home) -> None:
    services = synced("nectar")
    async with run_app(services, LONG).run_test(size=(120, 30)) as pilot:
        await playing(pilot)
        length_s = main(pilot).player.playback.view.length_s
        assert length_s
        main(pilot).player.playback.seek_to(1 - 1 / length_s)
        await until(pilot, lambda: "Ended" in player(pilot) and "heard" in player(pilot))
        await until(pilot, lambda: getattr(heard(services, pilot), "heard_at", None))
        assert heard(services, pilot).left_s == 0  # type: ignore[attr-defined]
        main(pilot).calls.look()
        await until(pilot, lambda: "R+" in cursor_row(pilot) or "R heard" in cursor_row(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: "heard " in detail(pilot))


async def test_why_it_cannot_be_played_is_kept_and_forgotten_when_it_plays(
    home: Home, fresh: Sandbox
) -> None:
    services = home("nectar", sandbox=fresh)
    async with run_app(services, "rec").run_test(size=(120, 30)) as pilot:
        await settled(pilot)
        fresh.fail("media", status=403, times=5)
        await pilot.press("space")
        await until(pilot, lambda: player(pilot).startswith(" Failed"))
        await until(pilot, lambda: "R!" in cursor_row(pilot) or "refused" in cursor_row(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: "refuses access (seen" in detail(pilot))
        await until(pilot, lambda: _plays(pilot), 30)
        await until(pilot, lambda: "refuses access (seen" not in detail(pilot))


def _plays(pilot: Pilot[None]) -> bool:
    if player(pilot).startswith(" Failed"):
        main(pilot).player.play()
    return "Playing" in player(pilot)


async def test_speed_and_volume_are_kept_and_nothing_else(synced: Home) -> None:
    services = synced("nectar")
    put(services.paths, "audio", "rewind_s", 3.0)
    async with run_app(services, LONG).run_test(size=(120, 30)) as pilot:
        await playing(pilot)
        assert main(pilot).player.playback._player.rewind_s == 3.0  # type: ignore[union-attr]
        await pilot.press("right_square_bracket", "plus", "m")
        await until(pilot, lambda: "1.25x" in player(pilot) and "muted" in player(pilot))
    written = tomllib.loads(services.paths.config_file.read_text())["audio"]
    assert written == {"rewind_s": 3.0, "speed": 1.25, "volume": 110}
    async with run_app(services, LONG).run_test(size=(120, 30)) as pilot:
        await playing(pilot)
        await until(pilot, lambda: "1.25x" in player(pilot) and "vol 110%" in player(pilot))


async def test_autoplay_goes_to_the_next_call_and_leaves_out_what_cannot_be_had(
    home: Home, fresh: Sandbox
) -> None:
    services = home("nectar", sandbox=fresh)
    async with run_app(services, "rec").run_test(size=(120, 30)) as pilot:
        await playing(pilot)
        first = main(pilot).player.playback.playing
        assert first is not None
        await pilot.press("A")
        await until(pilot, lambda: "auto" in player(pilot))
        row = cursor_row(pilot)
        length_s = main(pilot).player.playback.view.length_s
        assert length_s
        fresh.fail("media", status=404, times=1)
        main(pilot).player.playback.seek_to(1 - 0.5 / length_s)

        def moved_on() -> bool:
            now = main(pilot).player.playback.playing
            return now is not None and now.call.id != first.call.id and "Playing" in player(pilot)

        await until(pilot, moved_on, 30)
        assert cursor_row(pilot) != row, "the cursor goes with it"
    assert "autoplay = true" in services.paths.config_file.read_text()


async def test_a_waveform_is_kept_beside_its_recording(synced: Home) -> None:
    services = synced("nectar")
    async with run_app(services, LONG).run_test(size=(120, 30)) as pilot:
        await playing(pilot)
        folder = services.paths.cached_recordings
        await until(pilot, lambda: list(folder.rglob("*.peaks")))
        (file,) = folder.rglob("*.peaks")
        assert len(list(file.parent.glob(f"{file.stem}.*"))) == 2
        assert file.stat().st_mode & 0o777 == 0o600
        key = table(pilot).current_key
    async with run_app(services, LONG).run_test(size=(120, 30)) as pilot:
        await playing(pilot, key)
        peaks = main(pilot).player.playback._player.peaks  # type: ignore[union-attr]
        assert peaks is not None and peaks.to_bytes() == file.read_bytes()


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
async def test_what_crashes_when_it_is_measured_plays_then_and_later(
    synced: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    services = synced("nectar")
    folder, why = services.paths.cached_recordings, "no waveform: measuring it has crashed"
    async with run_app(services, LONG).run_test(size=(120, 30)) as pilot:
        await settled(pilot)
        await pilot.press("space")
        await until(pilot, lambda: main(pilot).player.playback._player)
        link = main(pilot).player.playback._player._way  # type: ignore[union-attr]
        await until(pilot, lambda: link.link and worker_of(link.link.pid, "measure"))
        os.kill(worker_of(link.link.pid, "measure") or 0, signal.SIGSEGV)  # type: ignore[union-attr]
        await until(pilot, lambda: list(folder.rglob("*.peaks")))
        await until(pilot, lambda: "Playing" in player(pilot))
        assert why in page(pilot)
        key = table(pilot).current_key
    async with run_app(services, LONG).run_test(size=(120, 30)) as pilot:
        await settled(pilot)
        table(pilot).move_to_key(key)
        await pilot.press("space")
        await until(pilot, lambda: "Playing" in player(pilot))
        await pilot.press("W")
        await until(pilot, lambda: isinstance(pilot.app.screen, TextModal))
        assert why in page(pilot)
    capsys.readouterr()
    await asyncio.to_thread(run_command, ["doctor"])
    assert f"waveforms  1 in the cache: {why}" in capsys.readouterr().out


async def test_who_goes_to_the_end_in_a_pause_hears_no_other_call(synced: Home) -> None:
    async with run_app(synced("nectar"), LONG).run_test(size=(120, 30)) as pilot:
        await playing(pilot)
        await pilot.press("A", "space")
        await until(pilot, lambda: "Paused" in player(pilot))
        playback = main(pilot).player.playback
        title = playback.view.title
        playback.seek_to(1.0)
        await until(pilot, lambda: playback.view.position_s == playback.view.length_s)
        await pilot.pause(0.5)
        assert playback.view.status in ("paused", "finished") and playback.view.title == title


async def test_what_plays_where_nobody_hears_it_is_not_heard(
    synced: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "asound.conf").write_text("")
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(tmp_path / "asound.conf"))
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path}/no-pulse-here")
    monkeypatch.setenv("RINGBACK_AUDIO", "miniaudio")
    services = synced("nectar")
    async with run_app(services, LONG).run_test(size=(120, 30)) as pilot:
        await playing(pilot)
        await until(pilot, lambda: "playing in silence" in page(pilot))
        now = main(pilot).player.playback.playing
        await pilot.press("shift+right", "space", "s")
        await settled(pilot)
    assert now is not None
    with services.open_archive() as archive:
        assert not archive.listening.of_call(now.account, now.call.id)
