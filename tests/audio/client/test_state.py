"""What follows from a player's state: pure functions of it."""

from __future__ import annotations

import pytest

from tui.audio.client.state import Loop, Loudness, PlayerState, next_loop, next_side


def test_one_key_goes_through_the_sides() -> None:
    assert [next_side(side) for side in ("both", "left", "right")] == ["left", "right", "both"]


@pytest.mark.parametrize(
    ("loop", "at_s", "after"),
    [
        (None, 3.0, (3.0, None)),
        ((3.0, None), 5.0, (3.0, 5.0)),
        ((3.0, None), 1.0, (1.0, 3.0)),
        ((3.0, None), 3.125, (3.0, 3.125)),
        ((3.0, None), 3.05, (3.0, None)),
        ((0.0, None), 0.1, (0.0, 0.1)),
        ((3.0, 5.0), 4.0, None),
    ],
)
def test_a_loop_is_marked_in_three_steps(loop: Loop | None, at_s: float, after: object) -> None:
    assert next_loop(loop, at_s) == after


def test_loudness_stays_within_its_bounds_and_changing_it_unmutes() -> None:
    assert Loudness().heard == 1.0
    assert Loudness(0.7, muted=True).heard == 0.0
    assert Loudness(0.7, muted=True).changed(0.1) == Loudness(0.8)
    assert Loudness(1.95).changed(0.1) == Loudness(2.0)
    assert Loudness(0.05).changed(-0.1) == Loudness(0.0)
    assert Loudness(0.7).toggled() == Loudness(0.7, muted=True)
    assert Loudness(0.7, muted=True).toggled() == Loudness(0.7)


@pytest.mark.parametrize(
    ("position_s", "loop", "seconds", "after_s"),
    [
        (10.0, None, 2.0, 13.0),
        (10.0, None, 99.0, 60.0),
        (10.0, (9.0, 12.0), 1.0, 11.5),
        (10.0, (9.0, 12.0), 2.0, 10.0),
        (10.0, (9.0, 12.0), 4.0, 10.0),
        (12.0, (9.0, 12.0), 1.0, 10.5),
        (12.5, (9.0, 12.0), 1.0, 14.0),
        (8.0, (9.0, 12.0), 4.0, 14.0),
        (10.0, (9.0, None), 4.0, 16.0),
    ],
)
def test_the_position_some_time_later(
    position_s: float, loop: Loop | None, seconds: float, after_s: float
) -> None:
    state = PlayerState("playing", position_s, 60.0, speed=1.5, loop=loop)
    assert state.after(seconds) == pytest.approx(after_s)


def test_without_a_length_there_is_no_end() -> None:
    assert PlayerState("playing", 10.0).after(99.0) == 109.0


@pytest.mark.parametrize(
    ("loop", "seconds", "before_s"),
    [
        (None, 4.0, 6.0),
        (None, 14.0, 0.0),
        ((8.0, 12.0), 4.0, 8.0),
        ((8.0, 12.0), 1.0, 9.0),
        ((8.0, None), 4.0, 6.0),
        ((11.0, 12.0), 4.0, 6.0),
        ((10.0, 12.0), 4.0, 10.0),
    ],
)
def test_the_position_some_time_before(loop: Loop | None, seconds: float, before_s: float) -> None:
    assert PlayerState("paused", 10.0, loop=loop).before(seconds) == before_s


def test_an_engine_is_told_of_whole_loops_alone() -> None:
    assert PlayerState(loop=(1.0, None)).open_fields()["loop"] is None
    assert PlayerState(loop=(1.0, 2.0)).open_fields()["loop"] == (1.0, 2.0)
