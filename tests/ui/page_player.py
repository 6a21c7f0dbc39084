"""The player behind the main screen, as its user has it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from providers.model import Call
from tui.config.accounts import Account
from tui.playback.controller import PlaybackController
from tui.playback.views import Playing
from widgets.player_line import PlayerView
from widgets.waveform import Waveform

if TYPE_CHECKING:
    from tests.ui.calls_page import CallsPage


class PagePlayer:
    """The player behind the screen, and what is drawn of its recording."""

    def __init__(self, page: CallsPage) -> None:
        self._page = page

    @property
    def _playback(self) -> PlaybackController:
        return self._page.screen.player.playback

    @property
    def waveform(self) -> Waveform:
        return self._page.screen.query_one(Waveform)

    @property
    def view(self) -> PlayerView:
        return self._playback.view

    @property
    def playing(self) -> Playing | None:
        return self._playback.playing

    @property
    def audio(self) -> Any:
        """The player behind the screen; None until something is played."""
        return self._playback._player

    def put_player(self, player: Any, index: int) -> None:
        """Another player, as if it played a recording of the call under the cursor."""
        account, call = self.chosen
        self._playback._player = player
        self._playback.playing = Playing(account.name, call, index)

    def note_plays(
        self, monkeypatch: pytest.MonkeyPatch, failing: Any = None
    ) -> list[tuple[str, int]]:
        """Gets the call's id and the recording's number of what is played from now on; nothing
        sounds. With a `failing` state the player tells that, each time.
        """
        plays: list[tuple[str, int]] = []
        playback = self._playback

        async def play(account: Account, call: Call, index: int, *_: object) -> None:
            plays.append((call.id, index))
            if failing:
                playback.playing = Playing(account.name, call, index)
                self.player_says(replace(failing, status="loading"))
                self.player_says(failing)

        monkeypatch.setattr(playback, "play", play)
        return plays

    def player_says(self, state: Any) -> None:
        """As the player tells what it does."""
        self._playback._changed(state)

    def show_player(self, index: int, view: PlayerView) -> None:
        """The player's line of a recording of the call under the cursor."""
        account, call = self.chosen
        self._playback.playing = Playing(account.name, call, index)
        self._playback._show(replace(view, title=self._playback.playing.title))

    @property
    def chosen(self) -> tuple[Account, Call]:
        """The call under the cursor, whole."""
        chosen = self._page.screen.ctx.current_call()
        assert chosen is not None, self._page.text
        return chosen

    async def call_after(self, played: Playing) -> Call | None:
        """The call that autoplay goes on with."""
        following = await self._page.screen.calls.call_after(played)
        return following[1] if following else None

    @property
    def wave_is_whole(self) -> bool:
        """Whether the whole recording is drawn."""
        wave = self.waveform
        return bool(wave.display and wave._shown and wave._shown.complete)

    @property
    def wave_area(self) -> tuple[int, int]:
        """First and last column (exclusive) of the drawn recording."""
        return self.waveform._area()
