"""A screen with a player line: its keys, and what they say when there is nothing to play."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from textual import on, work
from textual.timer import Timer

from providers.errors import ProviderError, RecordingError
from providers.model import Call
from tui.config.accounts import Account
from tui.playback.controller import PlaybackController
from tui.playback.history import recording_title
from tui.playback.views import WITH_SOUND, Playing
from tui.recordings.fetcher import trouble
from tui.screens.sounding import SoundingScreen
from tui.services import Services
from tui.vendor_thread import VendorThread
from widgets.call_detail import CallDetail
from widgets.masking import masked_call
from widgets.player_line import PlayerLine, PlayerView
from widgets.waveform import Waveform

WARM_AFTER_S = 0.5
"""How long somebody looks at a call before the sound engine is started for it."""
LEFT_OUT_AT_MOST = 3
"""After so many recordings in a row that cannot be had, autoplay stops."""


class PlayingScreen(SoundingScreen):
    """See the module. Whoever is one says which call is chosen."""

    def __init__(
        self, services: Services, network: VendorThread, keymap: Mapping[str, str]
    ) -> None:
        super().__init__(services, network, keymap)
        self.playback = PlaybackController(services, network, self._player_changed, self._flash)
        self.playback.find_route = self.outlet.route
        self.downloading = ""
        """How far a download is; empty when there is none."""
        self._by_itself = False
        """Whether autoplay chose what plays."""
        self._warming: Timer | None = None
        self._left_out = 0
        """How many that it chose could not be had, one after the other."""

    @abstractmethod
    def _current(self) -> tuple[Account, Call] | None:
        """The chosen call; None, after saying why, when there is none."""

    def on_mount(self) -> None:
        stops, goes_on = self.app.app_suspend_signal, self.app.app_resume_signal
        stops.subscribe(self, self.playback.pause_while_stopped, immediate=True)
        goes_on.subscribe(self, lambda _: self.playback.hold.end())

    def _rerouted(self) -> None:
        self.playback.reroute()

    # -- what plays

    def _expect_play(self) -> None:
        """Whoever stays on a call may play it: the engine starts while he reads."""
        if self._warming is not None:
            self._warming.stop()
        self._warming = self.set_timer(WARM_AFTER_S, self.playback.warm)

    def action_play(self) -> None:
        current = self._current()
        if current is None:
            return
        account, call = current
        playing, status = self.playback.playing, self.playback.view.status
        here = playing is not None and (playing.account, playing.call.id) == (account.name, call.id)
        if here and self.playback.pauses:
            self.playback.toggle()
        elif here and status == "loading":
            self._flash(f"the recording is being fetched; {self._key('stop')} stops that")
        else:
            self._play(account, call, playing.index if here and playing else 0)

    @work(group="play", exclusive=True, exit_on_error=False)
    async def _play(
        self,
        account: Account,
        call: Call,
        index: int,
        by_itself: bool = False,
        start_s: float | None = None,
    ) -> None:
        self._by_itself = by_itself
        if not by_itself:
            self._left_out = 0
        await self.playback.play(account, call, index, start_s)

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

    def _veiled(self, view: PlayerView) -> PlayerView:
        """The player's line as it may be shown now."""
        playing = self.playback.playing
        if not self.veil.on or playing is None:
            return view
        title = recording_title(masked_call(playing.call), playing.index)
        return replace(view, title=title, message=view.message.replace(playing.title, title))

    def _player_changed(self, view: PlayerView) -> None:
        view = self._veiled(view)
        line = self.query_one(PlayerLine)
        before = line.state.status
        changed = view.status != before
        if view.message and view.message != line.state.message and view.status in WITH_SOUND:
            self._flash(view.message, "warning")  # the player's line has little room for it
        line.state = view
        self.query_one(Waveform).wave = self.playback.wave
        if changed and self.detail_shown:
            self._show_detail()  # it marks the recording that plays
        if changed and view.status == "playing":
            self._left_out = 0
        if view.autoplay and view.status == "finished" and before == "playing":
            self.call_later(self._ended)  # who goes to the end in a pause wants no other call
        if changed and self._by_itself and view.status == "failed":
            self.call_later(self._failed, view)

    # -- where it plays, and how

    def _nothing_plays(self) -> None:
        self._flash(f"nothing is playing; {self._key('play')} plays the call's recording")

    def _in_player(self) -> bool:
        """Whether there is sound to go about in; says so when there is not."""
        there = self.playback.has_sound
        if not there:
            self._nothing_plays()
        return there

    @on(Waveform.SeekRequested)
    def _seek_requested(self, event: Waveform.SeekRequested) -> None:
        self.playback.seek_to(event.fraction)

    def action_percent(self, percent: int) -> None:
        if self._in_player():
            self.playback.seek_to(percent / 100)

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
        self._say_volume()

    def action_mute(self) -> None:
        self.playback.mute()
        self._say_volume()

    def _say_volume(self) -> None:
        view = self.playback.view
        if view.status == "idle":
            self._flash(f"volume {view.volume}%" if view.volume else "muted")

    def action_side(self) -> None:
        if self._in_player():
            self.playback.next_side()

    def action_skip_silence(self) -> None:
        on = self.playback.toggle_skip_silence()
        self._flash(f"long silences are {'shortened' if on else 'heard'}")

    def action_loop(self) -> None:
        if self._in_player():
            self.playback.mark_loop()

    def action_turn(self, step: int) -> None:
        if self._in_player():
            self.playback.next_turn(step)

    def action_turns(self) -> None:
        """The recording in words, to be read, copied, or heard from a screen reader."""
        from widgets.text_modal import TextModal

        if not self._in_player():
            return
        if text := self.playback.turns_text():
            self.app.push_screen(TextModal(self._veiled(self.playback.view).title, text))
        else:
            self._flash("the recording is not measured yet", "warning")

    # -- one recording after the other

    def action_autoplay(self) -> None:
        on = self.playback.toggle_autoplay()
        what = "the next recording is played when one has ended"
        self._flash(f"autoplay: {what}" if on else "no autoplay")

    def _ended(self) -> None:
        """Go on with the call's next recording, or with the next call that has one."""
        playing = self.playback.playing
        account = self._account(playing.account) if playing else None
        if playing is None or account is None:
            return
        if playing.index + 1 < len(playing.call.recordings):
            self._play(account, playing.call, playing.index + 1, True)
        else:
            self._go_on_after(playing)

    @work(group="next", exclusive=True, exit_on_error=False)
    async def _go_on_after(self, playing: Playing) -> None:
        following = await self._call_after(playing)
        if self.playback.playing != playing:
            return  # something else was chosen meanwhile
        if following:
            self._play(*following, 0, True)
        else:
            self._flash("autoplay: no further call has a recording")

    def _failed(self, view: PlayerView) -> None:
        """Of what autoplay chose, leave out what cannot be had, but not one after the other."""
        self._left_out += 1
        if self._left_out < LEFT_OUT_AT_MOST:
            self._flash(f"left out: {view.message}", "warning")
            self._ended()
        else:
            self._flash(f"autoplay stops after {self._left_out} failures: {view.message}", "error")

    @abstractmethod
    async def _call_after(self, playing: Playing) -> tuple[Account, Call] | None:
        """The next call of the table that has a recording; the cursor goes with it."""

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
