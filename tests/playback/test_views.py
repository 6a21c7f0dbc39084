"""What is shown of a recording that plays, from what its player says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from providers.model import Contact, Recording
from tests.archive.calls import call
from tui.audio.client.state import PlayerState, Status
from tui.audio.peaks import Peaks
from tui.playback.history import recording_title
from tui.playback.views import (
    WITH_SOUND,
    Playing,
    failed_view,
    loading_view,
    turns_text,
    view_of,
    wave_of,
)
from widgets.player_line import PlayerView

LANE = bytearray(b"\xc0" * 40)
"""Two seconds of speech."""
ANNA = call(1, contact=Contact(name="Anna"), recordings=(Recording("a"), Recording("b")))
PLAYING = Playing("desk", ANNA, 1)


def test_a_title_says_who_and_which_of_several() -> None:
    assert PLAYING.title == "Anna (2 of 2)"
    assert recording_title(replace(ANNA, recordings=(Recording("a"),)), 0) == "Anna"
    assert recording_title(call(7, contact=Contact(number="+1")), 0) == "+1"
    assert recording_title(call(7, contact=Contact()), 0) == "7"


def test_the_line_says_what_the_player_says() -> None:
    state = PlayerState("playing", 1.5, 60.0, 1.25, "none", "why", volume=0.504)
    state = replace(state, side="left", skip_silence=True, loop=(1.0, None))
    assert view_of(state, PLAYING, autoplay=True, heard=True) == PlayerView(
        "playing", 1.5, 60.0, 1.25, 50, "Anna (2 of 2)", "why", "no sound", "left", True, (1.0, None),
        autoplay=True, heard=True,
    )  # fmt: skip
    loud = view_of(replace(state, output="miniaudio (ALSA)"), PLAYING, False, False)
    assert (loud.output, loud.autoplay, loud.heard) == ("", False, False)


@pytest.mark.parametrize(
    ("status", "shown"),
    [("ended", "finished"), ("paused", "paused"), ("failed", "failed"), ("loading", "loading")],
)
def test_the_lines_states(status: Status, shown: str) -> None:
    assert view_of(PlayerState(status), PLAYING, False, False).status == shown
    assert (shown in WITH_SOUND) is (status in ("ended", "paused"))


def test_before_and_without_sound_the_line_says_why() -> None:
    assert loading_view(PLAYING, "wait") == PlayerView(
        "loading", title="Anna (2 of 2)", message="Anna (2 of 2): wait"
    )
    assert failed_view(PLAYING, "no") == PlayerView(
        "failed", title="Anna (2 of 2)", message="Anna (2 of 2): no"
    )


def test_a_waveform_has_the_lanes_that_are_measured() -> None:
    state = PlayerState("playing", 1.0, 2.0, channels=2, side="right", loop=(0.5, 1.5))
    wave = wave_of(state, Peaks((LANE, LANE), True), (0.5,))
    assert wave is not None
    assert wave.lanes == (LANE, LANE) and wave.complete and wave.playing
    assert (wave.length_s, wave.position_s, wave.side) == (2.0, 1.0, "right")
    assert (wave.loop, wave.comments) == ((0.5, 1.5), (0.5,))
    paused = wave_of(replace(state, status="paused"), Peaks((LANE,)))
    assert paused is not None and not paused.playing and not paused.complete


@pytest.mark.parametrize(
    ("state", "lanes"),
    [
        (PlayerState("playing", channels=2), 2),
        (PlayerState("playing", channels=1), 1),
        (PlayerState("playing", length_s=2.0), 1),
    ],
    ids=["stereo", "mono", "a length alone"],
)
def test_a_waveform_has_empty_lanes_while_nothing_is_measured(
    state: PlayerState, lanes: int
) -> None:
    wave = wave_of(state, Peaks())
    assert wave is not None and wave.lanes == (b"",) * lanes


def test_there_is_no_waveform_of_nothing() -> None:
    assert wave_of(PlayerState("playing", channels=1), None) is None
    assert wave_of(PlayerState("playing"), Peaks()) is None
    assert wave_of(PlayerState("failed", channels=1), Peaks((LANE,))) is None


def test_a_recording_in_words_says_what_is_not_measured() -> None:
    turn = "speech 0:00 to 0:02"
    assert turns_text(None) == turns_text(Peaks()) == ""
    assert turns_text(Peaks((LANE,), True)) == turn
    assert turns_text(Peaks((LANE,))) == f"{turn}\n(the rest is not measured yet)"
    damaged = turns_text(Peaks((LANE,), trouble="crash")).splitlines()
    assert damaged[0] == turn and damaged[1].startswith("(no waveform: ") and len(damaged) == 2
    assert turns_text(Peaks(trouble="time")).startswith("(no waveform: ")
