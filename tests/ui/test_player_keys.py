"""Each key of the player, with a player that only remembers what it was told."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC
from typing import Any

import pytest

from providers.model import Recording
from tests.archive.calls import call
from tests.ui.calls_page import CallsPage, open_page
from tests.ui.test_playing import Home
from tui.audio.client.state import PlayerState
from tui.audio.peaks import Peaks
from tui.config.accounts import make_account
from tui.config.paths import Paths
from tui.config.settings import put
from tui.services import Services


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
    page.sound.put_player(fake, index)
    return fake


async def test_each_key_tells_the_player(synced: Home) -> None:
    async with open_page(synced("nectar"), "rec", size=(120, 30)) as page:
        await page.idle()
        fake = playing(page, 0)
        page.sound.player_says(fake.state)
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
        page.sound.player_says(fake.state)
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
        page.sound.player_says(replace(fake.state, side="right", message="a reason"))
        assert "right only" in page.player and "a reason" in page.player


async def test_a_recording_that_failed_is_tried_again_and_not_the_calls_first(
    synced: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_page(synced("nectar"), "rec", size=(120, 30)) as page:
        await page.idle()
        fake = playing(page, 1)
        page.sound.player_says(replace(fake.state, status="failed", message="a reason"))
        plays = page.sound.note_plays(monkeypatch)
        await page.press("space")
        await page.until(lambda: [index for _, index in plays] == [1])


@pytest.fixture
def desk(paths: Paths) -> Services:
    """Calls 3, 2 and 1, of which 2 has no recording and the others three each."""
    services = Services(paths, {**os.environ, "RINGBACK_USER": "ann"}, UTC)
    services.accounts.add(make_account("desk", "nectar", "http://127.0.0.1:9", {"call_ids": "1"}))
    put(paths, "audio", "autoplay", True)
    files = tuple(Recording(name) for name in "abc")
    with services.open_archive() as archive:
        archive.read_by("desk", 99)  # their raw is none of a vendor's: there is nothing to read
        with archive.transaction():
            heard = {"has_recording": True, "recordings": files}
            silent = {"has_recording": False, "recordings": ()}
            archive.save("desk", [call(n, **(silent if n == 2 else heard)) for n in (1, 2, 3)])
    return services


@pytest.mark.parametrize(
    ("id_", "ended", "then"),
    [("3", 0, [("3", 1)]), ("3", 1, [("3", 2)]), ("3", 2, [("1", 0)]), ("1", 2, [])],
)
async def test_autoplay_goes_through_all_recordings_of_a_call_and_on_to_the_next(
    desk: Services,
    monkeypatch: pytest.MonkeyPatch,
    id_: str,
    ended: int,
    then: list[tuple[str, int]],
) -> None:
    async with open_page(desk, size=(120, 30)) as page:
        await page.idle()
        page.table.move_to([row.id for row in page.calls()].index(id_))
        fake, plays = playing(page, ended), page.sound.note_plays(monkeypatch)
        page.sound.player_says(fake.state)
        page.sound.player_says(replace(fake.state, status="ended", position_s=60.0))
        await page.until(
            lambda: plays or "autoplay: no further call has a recording" in page.status
        )
        await page.idle()
        assert plays == then


async def test_without_autoplay_the_end_is_the_end(
    desk: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(desk.paths, "audio", "autoplay", False)
    async with open_page(desk, size=(120, 30)) as page:
        await page.idle()
        fake, plays = playing(page, 0), page.sound.note_plays(monkeypatch)
        page.sound.player_says(fake.state)
        page.sound.player_says(replace(fake.state, status="ended", position_s=60.0))
        await page.idle()
        assert plays == [] and "Ended" in page.player


async def test_autoplay_leaves_out_what_cannot_be_had_and_gives_up_after_some(
    desk: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_page(desk, size=(120, 30)) as page:
        await page.idle()
        failed = replace(Remembering().state, status="failed", message="a reason")
        for _ in range(2):  # what is left out is counted anew when one has played
            page.table.move_to(0)
            fake, plays = playing(page, 0), page.sound.note_plays(monkeypatch, failed)
            page.sound.player_says(fake.state)
            page.sound.player_says(replace(fake.state, status="ended", position_s=60.0))
            await page.until(lambda: "autoplay stops after 3 failures: a reason" in page.status)
            await page.idle()
            assert plays == [("3", 1), ("3", 2), ("1", 0)]
            page.unflash()


async def test_what_somebody_chose_and_cannot_be_had_is_left_to_him(
    desk: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_page(desk, size=(120, 30)) as page:
        await page.idle()
        fake = Remembering()
        page.sound.put_player(fake, 0)
        plays = page.sound.note_plays(
            monkeypatch, replace(fake.state, status="failed", message="why")
        )
        await page.press("full_stop")
        await page.idle()
        assert plays == [("3", 1)] and page.player.startswith(" Failed")
        assert "left out" not in page.status
