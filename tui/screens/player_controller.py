"""What is played from the main screen: the player's keys, what they say when there is nothing to
play, one recording after the other, downloads, and where the sound comes out.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from textual.timer import Timer

from providers.errors import ProviderError, RecordingError
from providers.model import Call
from tui import audit_log
from tui.audio.client.route import Kind, speaker_command
from tui.call_links import Link, time_text
from tui.config.accounts import Account
from tui.playback.controller import PlaybackController
from tui.playback.history import recording_title
from tui.playback.output_choice import OutputChoice, describe
from tui.playback.views import WITH_SOUND, Playing
from tui.recordings.fetcher import trouble
from tui.screens.context import ScreenContext
from widgets.masking import masked_call
from widgets.player_line import PlayerView
from widgets.waveform import Wave

WARM_AFTER_S = 0.5
"""How long somebody looks at a call before the sound engine is started for it."""
LEFT_OUT_AT_MOST = 3
"""After so many recordings in a row that cannot be had, autoplay stops."""
ALOUD = "Play on this machine?"
ALOUD_TEXT = (
    "You sit at another machine: the sound would come out where this one stands, for whoever "
    "is there. To hear it yourself, run where you sit:\n{}"
)
FollowingCall = Callable[[Playing], Awaitable[tuple[Account, Call] | None]]


class PlayerController:
    """Belongs to the screen's loop. `on_view` gets what the player's line and the waveform show,
    `on_status` is called when the player's status changed, `on_progress` when `progress` or
    `link_words` did. `following` finds the next call with a recording, for autoplay.
    """

    def __init__(
        self,
        ctx: ScreenContext,
        following: FollowingCall,
        on_view: Callable[[PlayerView, Wave | None], None],
        on_status: Callable[[], None],
        on_progress: Callable[[], None],
    ) -> None:
        self._ctx, self._following = ctx, following
        self._on_view, self._on_status, self._on_progress = on_view, on_status, on_progress
        self.outputs = OutputChoice(ctx.services.environ, ctx.key("copy-speaker"))
        self.playback = PlaybackController(ctx.services, ctx.network, self._changed, ctx.say)
        self.playback.find_route = self.outputs.route
        self.progress = ""
        """How far a download is; empty when there is none."""
        self._shown = PlayerView()
        self._by_itself = False
        """Whether autoplay chose what plays."""
        self._warming: Timer | None = None
        self._left_out = 0
        """How many that it chose could not be had, one after the other."""
        self._link: Link | None = None
        """The place that the screen was opened at, until it is played from there."""
        self._logged: tuple[str, str, int] | None = None
        """What is in the player and stands in the audit log already."""
        self._commented: Playing | None = None

    # -- what plays

    def expect_play(self) -> None:
        """Whoever stays on a call may play it: the engine starts while he reads."""
        if self._warming is not None:
            self._warming.stop()
        self._warming = self._ctx.after(WARM_AFTER_S, self.playback.warm)

    def play(self) -> None:
        """Play the call under the cursor, pause or go on; the call that the screen was opened at
        begins where its link says.
        """
        current = self._ctx.current_call()
        if current is None:
            return
        account, call = current
        playing, status = self.playback.playing, self.playback.view.status
        here = playing is not None and _is_of(playing, account, call)
        link = self._link
        if link is not None and not here and (account.name, call.id) == (link.account, link.id):
            index = link.recording if link.recording < len(call.recordings) else 0
            self._play(account, call, index, start_s=link.at_s)
        elif here and self.playback.pauses:
            self.playback.toggle()
        elif here and status == "loading":
            stop = self._ctx.key("stop")
            self._ctx.say(f"the recording is being fetched; {stop} stops that")
        else:
            self._play(account, call, playing.index if here and playing else 0)

    def play_recording(self, index: int) -> None:
        """Play one of the recordings of the call under the cursor."""
        if current := self._ctx.current_call():
            self._play(*current, index)

    def play_moment(self, index: int, at_s: float) -> None:
        """Play a recording of the call under the cursor from a moment on."""
        playing = self._playing_here()
        if playing and playing.index == index:
            self.playback.seek_by(at_s - self.playback.view.position_s)
        elif current := self._ctx.current_call():
            self._play(*current, index, start_s=at_s)

    def _play(
        self,
        account: Account,
        call: Call,
        index: int,
        by_itself: bool = False,
        start_s: float | None = None,
    ) -> None:
        async def play() -> None:
            self._by_itself = by_itself
            if not by_itself:
                self._left_out = 0
            await self.playback.play(account, call, index, start_s)

        self._ctx.work(play, "play", exclusive=True)

    def play_other(self, step: int) -> None:
        """The call's next recording (1), or the one before (-1)."""
        playing = self.playback.playing
        account = self._ctx.account(playing.account) if playing else None
        if playing is None or account is None:
            self._say_nothing_plays()
            return
        index = playing.index + step
        if 0 <= index < len(playing.call.recordings):
            self._play(account, playing.call, index)
        else:
            self._ctx.say("the call has no further recording", "warning")

    def _playing_here(self) -> Playing | None:
        """What sounds or can go on, if it is of the call under the cursor."""
        return self._chosen_playing() if self.playback.has_sound else None

    def _chosen_playing(self) -> Playing | None:
        """What was played last, also where that failed, if it is of the call under the cursor.
        Raises `ArchiveDamaged`.
        """
        key, playing = self._ctx.cursor.current_key, self.playback.playing
        if playing is None or key is None or self._ctx.archive is None:
            return None
        here = self._ctx.archive.key_of(playing.account, playing.call.id) == key
        return playing if here else None

    def playhead_here(self) -> tuple[int, float] | None:
        """Recording and seconds, if something of the call under the cursor is in the player."""
        playing = self._playing_here()
        return (playing.index, self.playback.view.position_s) if playing else None

    def plays_on(self) -> bool:
        """Whether the next call is to be played, since the one under the cursor was."""
        return self._chosen_playing() is not None and self.playback.audio.autoplay

    def playhead(self, account: Account, call: Call) -> tuple[float, int] | None:
        """Where in a call the player is: seconds, and which recording; None: in another one."""
        playing = self.playback.playing
        if playing is None or not self.playback.has_sound or not _is_of(playing, account, call):
            return None
        return self.playback.view.position_s, playing.index

    # -- the place of a link

    def expect_link(self, link: Link) -> None:
        """The screen was opened at this place."""
        self._link = link

    @property
    def has_link(self) -> bool:
        """Whether the screen was opened at a place that was not played yet."""
        return self._link is not None

    @property
    def link_words(self) -> str:
        """From where the call that the screen was opened at plays, while the cursor is on it."""
        link, archive = self._link, self._ctx.archive
        if link is None or link.at_s is None or archive is None:
            return ""
        if archive.key_of(link.account, link.id) != self._ctx.cursor.current_key:
            return ""
        part = f" of recording {link.recording + 1}" if link.recording else ""
        return f"{self._ctx.key('play')} plays from {time_text(link.at_s)}{part}"

    # -- what the player says

    def _changed(self, view: PlayerView) -> None:
        if self.playback.playing != self._commented:
            self._find_comments()
        before, view = self._shown, self._masked(view)
        changed = view.status != before.status
        if view.message and view.message != before.message and view.status in WITH_SOUND:
            self._ctx.say(view.message, "warning")  # the player's line has little room for it
        self._show(view)
        if changed:
            self._on_status()
        if changed and view.status == "playing":
            self._left_out = 0
        if view.autoplay and view.status == "finished" and before.status == "playing":
            self._ctx.later(self._ended)  # who goes to the end in a pause wants no other call
        if changed and self._by_itself and view.status == "failed":
            self._ctx.later(partial(self._failed, view))
        self._log(view)

    def _show(self, view: PlayerView) -> None:
        self._shown = view
        self._on_view(view, self.playback.wave)

    def show_anew(self) -> None:
        """As the veil says now."""
        self._show(self._masked(self.playback.view))

    def show_comments(self) -> None:
        """Show on the waveform where the recording that plays is commented. Raises
        `ArchiveDamaged`.
        """
        self._find_comments()
        self._on_view(self._shown, self.playback.wave)

    def _find_comments(self) -> None:
        self._commented = playing = self.playback.playing
        times_s: tuple[float, ...] = ()
        if playing is not None and self._ctx.archive is not None:
            name = playing.account, playing.call.id
            times_s = self._ctx.archive.triage.comments(*name, playing.index)
        self.playback.comments_s = times_s

    def _masked(self, view: PlayerView) -> PlayerView:
        """The player's line as it may be shown now."""
        playing = self.playback.playing
        if not self._ctx.veil.on or playing is None:
            return view
        title = recording_title(masked_call(playing.call), playing.index)
        return replace(view, title=title, message=view.message.replace(playing.title, title))

    def _log(self, view: PlayerView) -> None:
        """Write to the audit log what is heard, once."""
        playing = self.playback.playing
        if playing is None or view.status in ("idle", "failed"):
            self._logged = None
            return
        if view.status not in WITH_SOUND:
            return
        heard = (playing.account, playing.call.id, playing.index)
        if heard != self._logged:
            self._logged = heard
            name = f"{playing.account}:{playing.call.id}"
            self._ctx.record(audit_log.PLAY, call=name, recording=playing.index + 1)
            if self._link and self._link.name == name:
                self._link = None
                self._on_progress()

    # -- where it plays, and how

    def _say_nothing_plays(self) -> None:
        play = self._ctx.key("play")
        self._ctx.say(f"nothing is playing; {play} plays the call's recording")

    def _in_player(self) -> bool:
        """Whether there is sound to go about in; says so when there is not."""
        there = self.playback.has_sound
        if not there:
            self._say_nothing_plays()
        return there

    def seek_to_percent(self, percent: int) -> None:
        if self._in_player():
            self.playback.seek_to(percent / 100)

    def seek_by(self, seconds: float) -> None:
        if self._in_player():
            self.playback.seek_by(seconds)

    def stop(self) -> None:
        if self.playback.view.status == "idle":
            self._say_nothing_plays()
        self._ctx.cancel("play")
        self.playback.stop()

    def change_speed(self, step: float | None = None) -> None:
        """Faster or slower by `step`; None: normal speed."""
        if self._in_player():
            self.playback.change_speed(step)

    def change_volume(self, step: float) -> None:
        self.playback.change_volume(step)
        self._say_volume()

    def mute(self) -> None:
        self.playback.mute()
        self._say_volume()

    def _say_volume(self) -> None:
        view = self.playback.view
        if view.status == "idle":
            self._ctx.say(f"volume {view.volume}%" if view.volume else "muted")

    def next_side(self) -> None:
        if self._in_player():
            self.playback.next_side()

    def skip_silence(self) -> None:
        on = self.playback.toggle_skip_silence()
        self._ctx.say(f"long silences are {'shortened' if on else 'heard'}")

    def mark_loop(self) -> None:
        if self._in_player():
            self.playback.mark_loop()

    def next_turn(self, step: int) -> None:
        if self._in_player():
            self.playback.next_turn(step)

    def turns(self) -> tuple[str, str] | None:
        """The recording in words, to be read or copied: its title, and a line a turn of speech;
        None, after saying why, where there are none.
        """
        if not self._in_player():
            return None
        if text := self.playback.turns_text():
            return self._masked(self.playback.view).title, text
        self._ctx.say("the recording is not measured yet", "warning")
        return None

    # -- one recording after the other

    def autoplay(self) -> None:
        on = self.playback.toggle_autoplay()
        what = "the next recording is played when one has ended"
        self._ctx.say(f"autoplay: {what}" if on else "no autoplay")

    def _ended(self) -> None:
        """Go on with the call's next recording, or with the next call that has one."""
        playing = self.playback.playing
        account = self._ctx.account(playing.account) if playing else None
        if playing is None or account is None:
            return
        if playing.index + 1 < len(playing.call.recordings):
            self._play(account, playing.call, playing.index + 1, True)
        else:
            self._ctx.work(partial(self._go_on_after, playing), "next", exclusive=True)

    async def _go_on_after(self, playing: Playing) -> None:
        following = await self._following(playing)
        if self.playback.playing != playing:
            return  # something else was chosen meanwhile
        if following:
            self._play(*following, 0, True)
        else:
            self._ctx.say("autoplay: no further call has a recording")

    def _failed(self, view: PlayerView) -> None:
        """Of what autoplay chose, leave out what cannot be had, but not one after the other."""
        self._left_out += 1
        if self._left_out < LEFT_OUT_AT_MOST:
            self._ctx.say(f"left out: {view.message}", "warning")
            self._ended()
        else:
            count = self._left_out
            self._ctx.say(f"autoplay stops after {count} failures: {view.message}", "error")

    # -- downloads

    def download(self) -> None:
        """Save the recordings of the call under the cursor in the current folder."""
        self._ctx.work(self._download, "download", exclusive=True)

    async def _download(self) -> None:
        current = self._ctx.current_call()
        if current is None:
            return
        account, call = current
        try:
            paths = await self.playback.download(account, call, Path.cwd(), self._tell)
        except (ProviderError, RecordingError, OSError) as error:
            self._ctx.say(trouble(error), "error")
        else:
            self._ctx.say(f"saved {', '.join(map(str, paths))}")
            name = f"{account.name}:{call.id}"
            self._ctx.record(audit_log.DOWNLOAD, call=name, recordings=len(paths))
        finally:
            self._tell("")

    def _tell(self, progress: str) -> None:
        self.progress = progress
        self._on_progress()

    # -- where the sound comes out

    def look_for_speakers(self) -> None:
        """Once a second: one comes or goes."""
        if news := self.outputs.news():
            gone = self.outputs.route().kind != "speaker"
            self._ctx.say(news, "warning" if gone else "info")
            self.playback.reroute()

    def next_output(self) -> None:
        """The next way; asks before a server plays aloud."""
        if self.outputs.forced:
            self._ctx.say("RINGBACK_AUDIO decides where sound comes out", "warning")
            return
        kind = self.outputs.next_kind()
        if self.outputs.is_loud_elsewhere(kind):
            text = ALOUD_TEXT.format(speaker_command(self.outputs.environ))
            take = partial(self._take_output, kind)
            self._ctx.confirm(ALOUD, text, take, yes="Aloud here", no="No")
        else:
            self._take_output(kind)

    def _take_output(self, kind: Kind) -> None:
        self.outputs.wish = kind
        self._ctx.say(describe(self.outputs.route()))
        self.playback.reroute()

    def copy_speaker(self) -> None:
        """Copy the command that brings the sound to where the listener sits."""
        self._ctx.work(self._copy_speaker, "copy", exclusive=True)

    async def _copy_speaker(self) -> None:
        command = speaker_command(self.outputs.environ)
        by = await self._ctx.copy(command)
        self._ctx.say(f"copied by {by}, to be run on your own machine: {command}")

    async def close(self) -> None:
        """End the player; what was heard and chosen is written."""
        await self.playback.close()


def _is_of(playing: Playing, account: Account, call: Call) -> bool:
    return (playing.account, playing.call.id) == (account.name, call.id)
