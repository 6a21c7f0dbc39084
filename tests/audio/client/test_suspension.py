"""What plays while the program is stopped."""

from __future__ import annotations

from tests.audio.client.fake_engine import FakeWorld
from tui.audio.client.suspension import Suspension


async def test_what_plays_is_paused_while_the_program_is_stopped(playing: FakeWorld) -> None:
    suspension = Suspension()
    suspension.begin(playing.player)
    assert playing.status == "paused"
    suspension.end()
    assert playing.status == "playing"
    playing.player.pause()
    suspension.end()
    assert playing.status == "paused", "it was resumed already"


async def test_what_was_paused_by_hand_stays_so(playing: FakeWorld) -> None:
    suspension = Suspension()
    playing.player.pause()
    suspension.begin(playing.player)
    suspension.end()
    assert playing.status == "paused"


async def test_what_is_still_loading_is_paused_too(playing: FakeWorld) -> None:
    suspension = Suspension()
    playing.player.seek_to(30.0)
    assert playing.status == "loading"
    suspension.begin(playing.player)
    assert playing.status == "paused"
    suspension.end()
    assert playing.status == "loading"


def test_without_a_player_there_is_nothing_to_do() -> None:
    suspension = Suspension()
    suspension.begin(None)
    suspension.end()
