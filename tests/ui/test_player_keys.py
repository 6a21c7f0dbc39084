"""Each key of the player, with a player that only remembers what it was told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.ui.calls_page import CallsPage, open_page
from tests.ui.test_playing import Home
from tui.audio.client.state import PlayerState
from tui.audio.peaks import Peaks


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


def playing(page: CallsPage, index: int) -> Remembering:
    """A player that only remembers what it was told about the cursor's call."""
    fake = Remembering()
    page.put_player(fake, index)
    return fake


async def test_each_key_tells_the_player(synced: Home) -> None:
    async with open_page(synced("nectar"), "rec", size=(120, 30)) as page:
        await page.idle()
        fake = playing(page, 0)
        page.player_says(fake.state)
        for key, told in KEYS:
            fake.told.clear()
            await page.press(key)
            await page.until(lambda told=told: told in fake.told)  # type: ignore[misc]


async def test_autoplay_and_the_words_and_their_reasons(synced: Home) -> None:
    async with open_page(synced("nectar"), "rec", size=(120, 30)) as page:
        await page.idle()
        await page.press("W")
        assert "nothing is playing" in page.status
        await page.press("m")
        assert "muted" in page.status
        await page.press("m", "A")
        assert "the next recording is played when one has ended" in page.status
        fake = playing(page, 0)
        page.player_says(fake.state)
        await page.until(lambda: "auto" in page.player)
        await page.press("A")
        await page.until(lambda: "no autoplay" in page.status)
        assert "auto" not in page.player
        peaks, fake.peaks = fake.peaks, Peaks()
        await page.press("W")
        assert "not measured yet" in page.status
        fake.peaks = peaks
        await page.press("W")
        await page.until(lambda: "left 0:00 to 1:00" in page.text)
        await page.press("escape")
        page.player_says(replace(fake.state, side="right", message="a reason"))
        assert "right only" in page.player and "a reason" in page.player


async def test_a_recording_that_failed_is_tried_again_and_not_the_calls_first(
    synced: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_page(synced("nectar"), "rec", size=(120, 30)) as page:
        await page.idle()
        fake = playing(page, 1)
        page.player_says(replace(fake.state, status="failed", message="a reason"))
        played: list[int] = []
        monkeypatch.setattr(page.screen, "_play", lambda account, call, index: played.append(index))
        await page.press("space")
        await page.until(lambda: played == [1])
