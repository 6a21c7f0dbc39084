"""Listening to a recording: which one plays, the keys of its player, and what is kept of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from providers.errors import ProviderError, RecordingError
from providers.model import Call
from tui.archive.records import recording_key
from tui.audio.client.suspension import Suspension
from tui.config.accounts import Account
from tui.config.settings import AudioSettings
from tui.playback.history import ListeningHistory, ListeningSession
from tui.playback.settings import PlaybackSettings
from tui.playback.views import (
    WITH_SOUND,
    Playing,
    failed_view,
    loading_view,
    turns_text,
    view_of,
    wave_of,
)
from tui.recordings.fetcher import RecordingFetcher, SharedDownload, trouble
from tui.services import Services
from tui.vendor_thread import VendorThread
from widgets.columns import duration_text
from widgets.player_line import PlayerView
from widgets.waveform import Wave

if TYPE_CHECKING:  # the player is loaded with the first recording
    from tui.audio.client.player import Player, PlayerState, Source
    from tui.audio.client.route import Route
    from tui.audio.peaks import Peaks

LOOK_EVERY_S = 15.0
"""How often a recording is looked for that the vendor has not got yet."""
LOOK_FOR_S = 600.0
"""How long in all."""
NOTHING_KEPT = (False, "", "")


class PlaybackController:
    """Belongs to the screen's loop. `on_change` gets a new `PlayerView` at every change; `say`
    what is to be said beside it.
    """

    def __init__(
        self,
        services: Services,
        network: VendorThread,
        on_change: Callable[[PlayerView], None],
        say: Callable[[str], None],
    ) -> None:
        self._services, self._on_change, self._say = services, on_change, say
        self._history = ListeningHistory(services)
        self._settings = PlaybackSettings(services, self._history)
        self._fetcher = RecordingFetcher(services, network)
        self._download: SharedDownload | None = None
        self._player: Player | None = None
        self._session: ListeningSession | None = None
        self._warming: asyncio.Task[None] | None = None
        self._kept_peaks = NOTHING_KEPT
        self.find_route: Callable[[], Route] | None = None
        """Which way the sound takes; see `Player`."""
        self.hold = Suspension()
        self.playing: Playing | None = None
        self.comments_s: tuple[float, ...] = ()
        """Seconds of the recording that plays at which somebody has said something."""
        self.view = PlayerView()

    @property
    def audio(self) -> AudioSettings:
        """The settings as of now: those of config.toml, and what the keys changed since."""
        return self._settings.audio

    @property
    def has_sound(self) -> bool:
        """Whether there is sound to go about in; also while it comes after a jump."""
        begun = self.view.status == "loading" and self._session is not None
        return self.playing is not None and (begun or self.view.status in WITH_SOUND)

    @property
    def pauses(self) -> bool:
        """Whether it is paused or goes on by the same key; also while it comes after a jump."""
        heard = self._session is not None and self._session.played
        return self.view.status in WITH_SOUND or (heard and self.view.status == "loading")

    @property
    def wave(self) -> Wave | None:
        """What the waveform shows; None while there is nothing to show."""
        if self._player is None or self.playing is None:
            return None
        return wave_of(self._player.state, self._player.peaks, self.comments_s)

    def turns_text(self) -> str:
        """The recording in words, a line for each turn; empty while it is not measured."""
        return turns_text(self._player.peaks if self._player else None)

    # -- which recording plays

    def warm(self) -> None:
        """Start the engine: something will be played, now or soon. Once; later it costs nothing."""
        if self._warming is None or self._warming.done():
            self._warming = asyncio.create_task(self._ready_player().warm())

    def _ready_player(self) -> Player:
        """The player, made with the first recording."""
        from tui.audio.client.player import Player

        if self._player is None:
            self._player = Player(self._changed, route=self.find_route)
            self._player.rewind_s = self.audio.rewind_s
            self._player.set_volume(self._volume)
            self._player.set_speed(self.audio.speed)
            self._player.set_skip_silence(self.audio.skip_silence)
        return self._player

    async def play(
        self, account: Account, call: Call, index: int = 0, start_s: float | None = None
    ) -> None:
        """Play a recording while it comes, from `start_s` or from where it was left. What goes
        wrong is said in the view.
        """
        self.stop()
        self.warm()
        self.playing = playing = Playing(account.name, call, index)
        self._show(loading_view(playing, "asking the vendor ..."))
        try:
            download = await self._open(account, playing)
        except (ProviderError, RecordingError, OSError) as error:
            if self.playing is playing:
                if isinstance(error, RecordingError):
                    self._note_trouble(error.reason)
                self._show(failed_view(playing, trouble(error)))
            return
        except asyncio.CancelledError:
            if self.playing is playing:
                self.stop()
            raise
        if self.playing is not playing:
            self._fetcher.release(download)
            return
        self._download = download
        self.playing = Playing(account.name, download.call, index)
        await self._begin(download.source, start_s)

    async def _open(self, account: Account, playing: Playing) -> SharedDownload:
        """The recording's bytes; one that is not there yet is looked for again and again."""
        call, loop = playing.call, asyncio.get_running_loop()
        until = loop.time() + LOOK_FOR_S
        while True:
            try:
                return await self._fetcher.open(account, call, playing.index)
            except RecordingError as error:
                given_up = self.playing is not playing or loop.time() >= until
                if given_up or not self._may_still_come(error, call):
                    raise
                self._note_trouble(error.reason)
                again = f"{error}; looking again every {LOOK_EVERY_S:.0f} s"
                self._show(loading_view(playing, again))
            await asyncio.sleep(LOOK_EVERY_S)

    def _may_still_come(self, error: RecordingError, call: Call) -> bool:
        from tui.recordings.stream import may_still_come

        return error.reason == "pending" and may_still_come(call, self._services.now())

    async def _begin(self, source: Source, wanted_s: float | None = None) -> None:
        """Play the recording that `playing` names, from `wanted_s` or from where it was left."""
        playing, player = self.playing, self._ready_player()
        if playing is None:
            return
        key = recording_key(playing.call, playing.index)
        known = (await self._history.find(playing.account, playing.call.id)).get(key)
        peaks = await asyncio.to_thread(self._find_peaks, playing)
        if self.playing is not playing:
            return
        left_s = known.left_s if known else 0.0
        start_s = left_s if wanted_s is None else wanted_s
        self._session = ListeningSession(
            playing.account,
            playing.call.id,
            key,
            lambda: self._services.now().timestamp(),
            start_s,
            known.length_s if known else None,
            start_s,
        )
        self._session.heard = bool(known and known.heard_at)
        self._kept_peaks = peaks.known if peaks else NOTHING_KEPT
        if start_s and wanted_s is None:
            self._say(f"from {duration_text(start_s)}, where it was left")
        await player.play(source, start_s=start_s, peaks=peaks)

    def stop(self) -> None:
        self._note()
        self.playing = None
        if self._player:
            self._player.stop()
        self._show(PlayerView(volume=round(self._volume * 100)))
        download, self._download = self._download, None
        if download is not None:
            self._fetcher.release(download)

    def tidy(self) -> None:
        """Remove recordings that were not heard for a while. Takes as long as a disk does."""
        self._fetcher.tidy()

    async def download(
        self, account: Account, call: Call, folder: Path, say: Callable[[str], None]
    ) -> list[Path]:
        """As `RecordingFetcher.download`: what plays while it comes is not fetched twice."""
        return await self._fetcher.download(account, call, folder, say)

    async def close(self) -> None:
        """End the player; what was heard and chosen is written."""
        self._fetcher.close()
        self._note()
        if self._player:
            await self._player.close()
        await self._history.close()

    # -- what is remembered

    def _note(self) -> None:
        """Keep how far the present recording was heard."""
        session, self._session = self._session, None
        if session is not None and session.played:
            if self._player is not None and self.view.status in ("playing", "paused"):
                session.position_s = self._player.position_s
            self._history.note(session)

    def _note_trouble(self, reason: str) -> None:
        """Keep why the present recording cannot be played."""
        playing = self.playing
        if playing is not None:
            key = recording_key(playing.call, playing.index)
            self._history.note_trouble(playing.account, playing.call.id, key, reason)

    def _find_peaks(self, playing: Playing) -> Peaks | None:
        from tui.audio.peaks import Peaks

        data = self._fetcher.cache().find_peaks(playing.account, playing.call, playing.index)
        try:
            return Peaks.from_bytes(data) if data else None
        except ValueError:
            return None

    def _keep_peaks(self) -> None:
        """Keep the waveform beside the recording once it is whole, or why it never will be."""
        playing, peaks = self.playing, self._player and self._player.peaks
        if playing is None or not peaks or not peaks.settled or peaks.known == self._kept_peaks:
            return
        self._kept_peaks = peaks.known
        data = peaks.to_bytes()

        def keep() -> None:
            cache = self._fetcher.cache()
            cache.keep_peaks(playing.account, playing.call, playing.index, data)

        self._history.beside(keep)

    # -- what the player says

    def _changed(self, state: PlayerState) -> None:
        if self.playing is None or state.status == "idle":  # it has not got the recording yet
            return
        session = self._session
        if (
            session is not None
            and not state.silent
            and session.listen(state.status, state.position_s, state.length_s)
        ):
            self._history.note(session)
        if state.reason and self.view.status != "failed":
            self._note_trouble(state.reason)
        self._keep_peaks()
        heard = bool(session and session.heard)
        self._show(view_of(state, self.playing, self.audio.autoplay, heard))

    def _show(self, view: PlayerView) -> None:
        self.view = view
        self._on_change(view)

    # -- keys

    def pause_while_stopped(self, _: object = None) -> None:
        """The program is about to be stopped; `hold` ends when it goes on."""
        self.hold.begin(self._player)

    def reroute(self) -> None:
        """The way may have changed: what plays goes on at its new end."""
        if self._player:
            self._player.reroute()

    def toggle(self) -> None:
        if self._player:
            self._player.toggle()

    def seek_by(self, seconds: float) -> None:
        if self._player:
            self._player.seek_by(seconds)

    def seek_to(self, fraction: float) -> None:
        """To a part of the whole, 0 to 1."""
        if self._player:
            self._player.seek_fraction(fraction)

    def next_turn(self, step: int) -> None:
        """To the next turn of speech (1) or the one before (-1)."""
        if self._player:
            self._player.next_turn(step)

    def mark_loop(self) -> None:
        """Where the loop begins, then where it ends, then no loop."""
        if self._player:
            self._player.mark_loop()

    def next_side(self) -> None:
        """Both sides of a stereo recording, the left one, the right one."""
        from tui.audio.client.state import next_side

        if self._player:
            self._player.set_side(next_side(self._player.state.side))

    def toggle_skip_silence(self) -> bool:
        """Whether long silences are shortened from now on."""
        on = self._settings.toggle("skip_silence")
        if self._player:
            self._player.set_skip_silence(on)
        return on

    def toggle_autoplay(self) -> bool:
        """Whether the next call's recording is played when one has ended."""
        on = self._settings.toggle("autoplay")
        self._show(replace(self.view, autoplay=on))
        return on

    def change_speed(self, step: float | None) -> None:
        """Faster or slower by `step`; None: normal speed."""
        if self._player:
            self._player.set_speed(1.0 if step is None else self._player.state.speed + step)
            self._settings.change("speed", self._player.state.speed)

    def change_volume(self, step: float) -> None:
        """Louder or quieter by `step` (1: by the whole); it is muted no more."""
        self._settings.change_volume(step)
        self._set_volume()

    def mute(self) -> None:
        """No sound, or as loud as before; not kept for the next start."""
        self._settings.mute()
        self._set_volume()

    @property
    def _volume(self) -> float:
        return self._settings.loudness.heard

    def _set_volume(self) -> None:
        if self._player:
            self._player.set_volume(self._volume)
        self._show(replace(self.view, volume=round(self._volume * 100)))
