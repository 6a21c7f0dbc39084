"""What is shown of a recording that plays: its line, its waveform, its turns in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from providers.model import Call
from tui.playback.history import recording_title
from widgets.player_line import PlayerView
from widgets.waveform import Wave

if TYPE_CHECKING:  # the player is loaded with the first recording
    from tui.audio.client.player import PlayerState
    from tui.audio.peaks import Peaks

WITH_SOUND = ("playing", "paused", "finished")
"""States of the view in which a recording is in the player."""
_MORE_TO_COME = "(the rest is not measured yet)"


@dataclass(frozen=True, slots=True)
class Playing:
    """The recording in the player."""

    account: str
    call: Call
    index: int

    @property
    def title(self) -> str:
        return recording_title(self.call, self.index)


def loading_view(playing: Playing, message: str) -> PlayerView:
    """While it is not known yet whether there is sound."""
    return PlayerView("loading", title=playing.title, message=f"{playing.title}: {message}")


def failed_view(playing: Playing, message: str) -> PlayerView:
    return PlayerView("failed", title=playing.title, message=f"{playing.title}: {message}")


def view_of(state: PlayerState, playing: Playing, autoplay: bool, heard: bool) -> PlayerView:
    """The player's line; `heard`: enough of the recording to count."""
    return PlayerView(
        status="finished" if state.status == "ended" else state.status,
        position_s=state.position_s,
        length_s=state.length_s,
        speed=state.speed,
        volume=round(state.volume * 100),
        title=playing.title,
        message=state.message,
        output="no sound" if state.output == "none" else "",
        side=state.side,
        skip_silence=state.skip_silence,
        loop=state.loop,
        autoplay=autoplay,
        heard=heard,
    )


def wave_of(
    state: PlayerState, peaks: Peaks | None, comments_s: tuple[float, ...] = ()
) -> Wave | None:
    """The waveform, with a mark at each second of `comments_s`; None while there is nothing to
    show.
    """
    if peaks is None or state.status == "failed":
        return None
    if not (peaks.lanes or state.channels or state.length_s):
        return None
    return Wave(
        peaks.lanes or (b"",) * (state.channels or 1),
        peaks.revision,
        peaks.complete,
        length_s=state.length_s,
        position_s=state.position_s,
        playing=state.status == "playing",
        loop=state.loop,
        comments=comments_s,
        side=state.side,
    )


def turns_text(peaks: Peaks | None) -> str:
    """A line for each turn of speech; empty while nothing is measured."""
    from tui.audio.client.notices import unmeasured
    from tui.audio.client.turns import describe_turns, turns

    if peaks is None or not (peaks.lanes or peaks.trouble):
        return ""
    rest = [f"({unmeasured(peaks.trouble)})"] if peaks.trouble else [_MORE_TO_COME]
    return "\n".join([*describe_turns(turns(peaks)), *([] if peaks.complete else rest)])
