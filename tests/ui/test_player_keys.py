"""Each key of the player, with a player that only remembers what it was told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.ui.driving import main, page, player, run_app, settled, status, until
from tests.ui.test_playing import Home
from tui.audio.client.state import PlayerState
from tui.audio.peaks import Peaks
from tui.playback.listening import Playing
from tui.screens.main import MainScreen


class Remembering:
    """In the player's place: state and peaks of a stereo recording that plays."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.state = PlayerState("playing", 12.0, 60.0, channels=2)
        self.peaks: Peaks | None = Peaks((bytearray(b"\xb4" * 1200), bytearray(1200)), True)
        self.position_s = 12.0

    def __getattr__(self, name: str) -> Any:
        def method(*values: Any) -> None:
            self.told.append((name, *values))

        return method

    async def warm(self) -> None:
        pass

    async def close(self) -> None:
        pass


KEYS = [
    ("l", ("mark_loop",)),
    ("L", ("next_turn", 1)),
    ("H", ("next_turn", -1)),
    ("vertical_line", ("set_side", "left")),
    ("i", ("set_skip_silence", True)),
    ("m", ("set_volume", 0.0)),
    ("plus", ("set_volume", 1.1)),
    ("minus", ("set_volume", 1.0)),
    ("right", ("seek_by", 5)),
    ("shift+left", ("seek_by", -30)),
    ("0", ("seek_fraction", 0)),
    ("space", ("toggle",)),
    ("right_square_bracket", ("set_speed", 1.25)),
    ("equals_sign", ("set_speed", 1.0)),
    ("s", ("stop",)),
]


def playing(pilot: Pilot[None], index: int) -> tuple[MainScreen, Remembering]:
    """The screen, with a player that only remembers what it was told about the cursor's call."""
    screen, fake = main(pilot), Remembering()
    found = screen.ctx.current_call()
    assert found is not None
    screen.player.playback._player = fake  # type: ignore[assignment]
    screen.player.playback.playing = Playing(found[0].name, found[1], index)
    return screen, fake


async def test_each_key_tells_the_player(synced: Home) -> None:
    async with run_app(synced("nectar"), "rec").run_test(size=(120, 30)) as pilot:
        await settled(pilot)
        screen, fake = playing(pilot, 0)
        screen.player.playback._changed(fake.state)
        for key, told in KEYS:
            fake.told.clear()
            await pilot.press(key)
            await until(pilot, lambda told=told: told in fake.told)


async def test_autoplay_and_the_words_and_their_reasons(synced: Home) -> None:
    async with run_app(synced("nectar"), "rec").run_test(size=(120, 30)) as pilot:
        await settled(pilot)
        screen, fake = main(pilot), Remembering()
        found = screen.ctx.current_call()
        assert found is not None
        await pilot.press("W")
        assert "nothing is playing" in status(pilot)
        await pilot.press("m")
        assert "muted" in status(pilot)
        await pilot.press("m", "A")
        assert "the next recording is played when one has ended" in status(pilot)
        screen.player.playback._player = fake  # type: ignore[assignment]
        screen.player.playback.playing = Playing(found[0].name, found[1], 0)
        screen.player.playback._changed(fake.state)
        await until(pilot, lambda: "auto" in player(pilot))
        await pilot.press("A")
        await until(pilot, lambda: "no autoplay" in status(pilot))
        assert "auto" not in player(pilot)
        peaks, fake.peaks = fake.peaks, Peaks()
        await pilot.press("W")
        assert "not measured yet" in status(pilot)
        fake.peaks = peaks
        await pilot.press("W")
        await until(pilot, lambda: "left 0:00 to 1:00" in page(pilot))
        await pilot.press("escape")
        screen.player.playback._changed(replace(fake.state, side="right", message="a reason"))
        assert "right only" in player(pilot) and "a reason" in player(pilot)


async def test_a_recording_that_failed_is_tried_again_and_not_the_calls_first(
    synced: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with run_app(synced("nectar"), "rec").run_test(size=(120, 30)) as pilot:
        await settled(pilot)
        screen, fake = playing(pilot, 1)
        screen.player.playback._changed(replace(fake.state, status="failed", message="a reason"))
        played: list[int] = []
        monkeypatch.setattr(
            screen.player, "_play", lambda account, call, index: played.append(index)
        )
        await pilot.press("space")
        await until(pilot, lambda: played == [1])
