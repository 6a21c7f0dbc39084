"""Listening to a recording: the player, its keys, what is shown of it and what is remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from providers.model import Call
from tui.archive.sqlite.listening_history import recording_key
from tui.audio.client.state import Loudness
from tui.audio.client.suspension import Suspension
from tui.config.settings import AudioSettings
from tui.playback.history import ListeningHistory, ListeningSession, recording_title
from tui.services import Services
from widgets.columns import duration_text
from widgets.player_line import PlayerView
from widgets.waveform import Wave

if TYPE_CHECKING:  # the player is loaded with the first recording
    from tui.audio.client.player import Player, PlayerState, Source
    from tui.audio.client.route import Route
    from tui.audio.peaks import Peaks


@dataclass(frozen=True, slots=True)
class Playing:
    """The recording in the player."""

    account: str
    call: Call
    index: int

    @property
    def title(self) -> str:
        return recording_title(self.call, self.index)


_MORE_TO_COME = "(the rest is not measured yet)"
NOTHING_KEPT = (False, "", "")
WITH_SOUND = ("playing", "paused", "finished")
"""States of the view in which a recording is in the player."""


class PlaybackController:
    """Belongs to the screen's loop. `on_change` gets a new `PlayerView` at every change."""

    def __init__(
        self,
        services: Services,
        on_change: Callable[[PlayerView], None],
        say: Callable[[str], None],
    ) -> None:
        self._services, self._on_change, self._say = services, on_change, say
        self._memory = ListeningHistory(services)
        self._player: Player | None = None
        self._audio: AudioSettings | None = None
        self._sitting: ListeningSession | None = None
        self._loud: Loudness | None = None
        self.find_route: Callable[[], Route] | None = None
        """Which way the sound takes; see `Player`."""
        self._kept = NOTHING_KEPT
        self.hold = Suspension()
        self.playing: Playing | None = None
        self.comments_s: tuple[float, ...] = ()
        """Seconds of the recording that plays at which somebody has said something."""
        self.view = PlayerView()

    @property
    def audio(self) -> AudioSettings:
        """The settings as of now: those of config.toml, and what the keys changed since."""
        if self._audio is None:
            self._audio = self._services.settings().audio
        return self._audio

    @property
    def has_sound(self) -> bool:
        """Whether there is sound to go about in; also while it comes after a jump."""
        begun = self.view.status == "loading" and self._sitting is not None
        return self.playing is not None and (begun or self.view.status in WITH_SOUND)

    @property
    def pauses(self) -> bool:
        """Whether it is paused or goes on by the same key; also while it comes after a jump."""
        heard = self._sitting is not None and self._sitting.played
        return self.view.status in WITH_SOUND or (heard and self.view.status == "loading")

    @property
    def wave(self) -> Wave | None:
        """What the waveform shows; None while there is nothing to show."""
        player = self._player
        if player is None or player.peaks is None or self.playing is None:
            return None
        state, peaks = player.state, player.peaks
        if state.status == "failed" or not (peaks.lanes or state.channels or state.length_s):
            return None
        return Wave(
            peaks.lanes or (b"",) * (state.channels or 1),
            peaks.revision,
            peaks.complete,
            length_s=state.length_s,
            position_s=state.position_s,
            playing=state.status == "playing",
            loop=state.loop,
            comments=self.comments_s,
            side=state.side,
        )

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

    async def _begin(self, source: Source, wanted_s: float | None = None) -> None:
        """Play the recording that `playing` names, from `wanted_s` or from where it was left."""
        playing, player = self.playing, self._ready_player()
        if playing is None:
            return
        key = recording_key(playing.call, playing.index)
        known = (await self._memory.find(playing.account, playing.call.id)).get(key)
        peaks = await asyncio.to_thread(self._kept_peaks, playing)
        if self.playing is not playing:
            return
        left_s = known.left_s if known else 0.0
        start_s = left_s if wanted_s is None else wanted_s
        self._sitting = ListeningSession(
            playing.account,
            playing.call.id,
            key,
            lambda: self._services.now().timestamp(),
            start_s,
            known.length_s if known else None,
            start_s,
        )
        self._sitting.heard = bool(known and known.heard_at)
        self._kept = peaks.known if peaks else NOTHING_KEPT
        if start_s and wanted_s is None:
            self._say(f"from {duration_text(start_s)}, where it was left")
        await player.play(source, start_s=start_s, peaks=peaks)

    # -- what is remembered

    def _note(self) -> None:
        """Keep how far the present recording was heard."""
        sitting, self._sitting = self._sitting, None
        if sitting is not None and sitting.played:
            if self._player is not None and self.view.status in ("playing", "paused"):
                sitting.position_s = self._player.position_s
            self._memory.note(sitting)

    def _note_trouble(self, reason: str) -> None:
        """Keep why the present recording cannot be played."""
        playing = self.playing
        if playing is not None:
            key = recording_key(playing.call, playing.index)
            self._memory.note_trouble(playing.account, playing.call.id, key, reason)

    def _kept_peaks(self, playing: Playing) -> Peaks | None:
        from tui.audio.peaks import Peaks
        from tui.recordings.download import RecordingCache

        cache = RecordingCache(self._services.paths.cached_recordings)
        data = cache.find_peaks(playing.account, playing.call, playing.index)
        try:
            return Peaks.from_bytes(data) if data else None
        except ValueError:
            return None

    def _keep_peaks(self) -> None:
        """Keep the waveform beside the recording once it is whole, or why it never will be."""
        playing, peaks = self.playing, self._player and self._player.peaks
        if playing is None or not peaks or not peaks.settled or peaks.known == self._kept:
            return
        self._kept = peaks.known
        data = peaks.to_bytes()

        def keep() -> None:
            from tui.recordings.download import RecordingCache

            cache = RecordingCache(self._services.paths.cached_recordings)
            cache.keep_peaks(playing.account, playing.call, playing.index, data)

        self._memory.beside(keep)

    # -- what the player says

    def _changed(self, state: PlayerState) -> None:
        if self.playing is None or state.status == "idle":  # it has not got the recording yet
            return
        sitting = self._sitting
        if (
            sitting is not None
            and not state.silent
            and sitting.listen(state.status, state.position_s, state.length_s)
        ):
            self._memory.note(sitting)
        if state.reason and self.view.status != "failed":
            self._note_trouble(state.reason)
        self._keep_peaks()
        self._show(
            PlayerView(
                status="finished" if state.status == "ended" else state.status,
                position_s=state.position_s,
                length_s=state.length_s,
                speed=state.speed,
                volume=round(state.volume * 100),
                title=self.playing.title,
                message=state.message,
                output="no sound" if state.output == "none" else "",
                side=state.side,
                skip_silence=state.skip_silence,
                loop=state.loop,
                autoplay=self.audio.autoplay,
                heard=bool(sitting and sitting.heard),
            )
        )

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

    def stop(self) -> None:
        self._note()
        self.playing = None
        if self._player:
            self._player.stop()
        self._show(PlayerView(volume=round(self._volume * 100)))

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
        on = not self.audio.skip_silence
        self._keep(replace(self.audio, skip_silence=on), "skip_silence", on)
        if self._player:
            self._player.set_skip_silence(on)
        return on

    def toggle_autoplay(self) -> bool:
        """Whether the next call's recording is played when one has ended."""
        on = not self.audio.autoplay
        self._keep(replace(self.audio, autoplay=on), "autoplay", on)
        self._show(replace(self.view, autoplay=on))
        return on

    def change_speed(self, step: float | None) -> None:
        """Faster or slower by `step`; None: normal speed."""
        if self._player:
            self._player.set_speed(1.0 if step is None else self._player.state.speed + step)
            speed = self._player.state.speed
            self._keep(replace(self.audio, speed=speed), "speed", speed)

    def change_volume(self, step: float) -> None:
        """Louder or quieter by `step` (1: by the whole); it is muted no more."""
        self._loud = self._loudness.changed(step)
        volume = round(self._loud.volume * 100)
        self._keep(replace(self.audio, volume=volume), "volume", volume)
        self._set_volume()

    def mute(self) -> None:
        """No sound, or as loud as before; not kept for the next start."""
        self._loud = self._loudness.toggled()
        self._set_volume()

    @property
    def _loudness(self) -> Loudness:
        """As config.toml says, until a key says otherwise."""
        return self._loud or Loudness(self.audio.volume / 100)

    @property
    def _volume(self) -> float:
        return self._loudness.heard

    def _set_volume(self) -> None:
        if self._player:
            self._player.set_volume(self._volume)
        self._show(replace(self.view, volume=round(self._volume * 100)))

    def _keep(self, audio: AudioSettings, name: str, value: float | bool) -> None:
        self._audio = audio
        self._memory.keep_setting(name, value)

    def turns_text(self) -> str:
        """The recording in words, a line for each turn; empty while it is not measured."""
        from tui.audio.client.notices import unmeasured
        from tui.audio.client.turns import describe_turns, turns

        peaks = self._player.peaks if self._player else None
        if peaks is None or not (peaks.lanes or peaks.trouble):
            return ""
        rest = [f"({unmeasured(peaks.trouble)})"] if peaks.trouble else [_MORE_TO_COME]
        return "\n".join([*describe_turns(turns(peaks)), *([] if peaks.complete else rest)])

    async def close(self) -> None:
        """End the player; what was heard and chosen is written."""
        self._note()
        if self._player:
            await self._player.close()
        await self._memory.close()
