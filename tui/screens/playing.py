"""A screen with a player line: its keys, and what they say when there is nothing to play."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path

from textual import on, work

from providers.errors import ProviderError, RecordingError
from providers.model import Call
from tui.accounts import Account
from tui.network import NetworkThread
from tui.playback import Playback, trouble
from tui.screens.calls import CallsScreen
from tui.services import Services
from widgets.call_detail import CallDetail
from widgets.player_line import PlayerLine, PlayerView

IN_PLAYER = ("playing", "paused", "finished")
"""States in which there is sound to go about in."""


class PlayingScreen(CallsScreen):
    """See the module. Whoever is one says which call is chosen."""

    def __init__(
        self, services: Services, network: NetworkThread, keymap: Mapping[str, str]
    ) -> None:
        super().__init__(services, network, keymap)
        self.playback = Playback(services, network, self._player_changed)
        self.downloading = ""
        """How far a download is; empty when there is none."""

    @abstractmethod
    def _current(self) -> tuple[Account, Call] | None:
        """The chosen call; None, after saying why, when there is none."""

    # -- what plays

    def action_play(self) -> None:
        current = self._current()
        if current is None:
            return
        account, call = current
        playing, status = self.playback.playing, self.playback.view.status
        here = playing is not None and (playing.account, playing.call.id) == (account.name, call.id)
        if here and status in IN_PLAYER:
            self.playback.toggle()
        elif here and status == "loading":
            self._flash(f"the recording is being fetched; {self._key('stop')} stops that")
        else:
            self._play(account, call, 0)

    @work(group="play", exclusive=True, exit_on_error=False)
    async def _play(self, account: Account, call: Call, index: int) -> None:
        await self.playback.play(account, call, index)

    @on(CallDetail.RecordingChosen)
    def _recording_chosen(self, event: CallDetail.RecordingChosen) -> None:
        if current := self._current():
            self._play(*current, event.index)

    def action_recording(self, step: int) -> None:
        playing = self.playback.playing
        account = self._account(playing.account) if playing else None
        if playing is None or account is None:
            self._nothing_plays()
            return
        index = playing.index + step
        if 0 <= index < len(playing.call.recordings):
            self._play(account, playing.call, index)
        else:
            self._flash("the call has no further recording", "warning")

    def _player_changed(self, view: PlayerView) -> None:
        line = self.query_one(PlayerLine)
        changed = view.status != line.state.status
        if view.message and view.message != line.state.message and view.status in IN_PLAYER:
            self._flash(view.message, "warning")  # the player's line has little room for it
        line.state = view
        if changed and self.detail_shown:
            self._show_detail()  # it marks the recording that plays

    # -- where it plays, and how

    def _nothing_plays(self) -> None:
        self._flash(f"nothing is playing; {self._key('play')} plays the call's recording")

    def _in_player(self) -> bool:
        """Whether there is sound to go about in; says so when there is not."""
        there = self.playback.view.status in IN_PLAYER
        if not there:
            self._nothing_plays()
        return there

    @on(PlayerLine.SeekRequested)
    def _seek_requested(self, event: PlayerLine.SeekRequested) -> None:
        self.playback.seek_to(event.fraction)

    def action_seek(self, seconds: float) -> None:
        if self._in_player():
            self.playback.seek_by(seconds)

    def action_restart(self) -> None:
        if self._in_player():
            self.playback.seek_to(0)

    def action_stop(self) -> None:
        if self.playback.view.status == "idle":
            self._nothing_plays()
        self.workers.cancel_group(self, "play")
        self.playback.stop()

    def action_speed(self, step: float) -> None:
        if self._in_player():
            self.playback.change_speed(step)

    def action_normal_speed(self) -> None:
        if self._in_player():
            self.playback.change_speed(None)

    def action_volume(self, step: float) -> None:
        self.playback.change_volume(step)
        if self.playback.view.status == "idle":
            self._flash(f"volume {self.playback.view.volume}%")

    # -- downloads

    @work(group="download", exclusive=True, exit_on_error=False)
    async def action_download(self) -> None:
        """Save the call's recordings in the current folder."""
        current = self._current()
        if current is None:
            return
        try:
            paths = await self.playback.download(*current, Path.cwd(), self._downloaded)
        except (ProviderError, RecordingError, OSError) as error:
            self._flash(trouble(error), "error")
        else:
            self._saved(*current, paths)
        finally:
            self._downloaded("")

    def _saved(self, account: Account, call: Call, paths: list[Path]) -> None:
        self._flash(f"saved {', '.join(map(str, paths))}")

    def _downloaded(self, progress: str) -> None:
        self.downloading = progress
        self._show_progress()
