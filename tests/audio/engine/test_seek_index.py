"""Which second begins at which byte, as far as it was read."""

from __future__ import annotations

import pytest

from tui.audio.engine.seek_index import STEP_S, SeekIndex


def filled(count: int = 5) -> SeekIndex:
    """A point each half second, 1000 bytes each."""
    index = SeekIndex()
    for number in range(count):
        index.add(number / 2, 100 + 1000 * number)
    return index


def test_the_last_point_that_is_not_after_a_second() -> None:
    index = filled()
    assert index.before(0.0) == (0.0, 100)
    assert index.before(0.99) == (0.5, 1100)
    assert index.before(1.0) == (1.0, 2100)
    assert index.before(2.0 + STEP_S) == (2.0, 4100)
    assert index.before(2.0 + STEP_S + 0.01) is None, "it was not read yet"
    assert index.reach_s == 2.0
    later = SeekIndex()
    later.add(3.0, 500)
    assert later.before(1.0) == (3.0, 500)


def test_nothing_is_known_before_anything_was_read() -> None:
    index = SeekIndex()
    assert (index.before(0.0), index.second_of(0), index.reach_s) == (None, None, 0.0)
    assert index.chained is None


def test_points_are_kept_some_way_apart_and_only_grow() -> None:
    index = filled(2)
    index.add(0.5 + STEP_S / 2, 5000)
    index.add(0.5 + STEP_S, 1100)
    index.add(0.2, 9000)
    assert index.reach_s == 0.5
    index.add(0.5 + STEP_S, 1101)
    assert index.before(0.5 + STEP_S) == (0.5 + STEP_S, 1101)


def test_between_two_points_a_byte_is_as_far_as_it_is() -> None:
    index = filled()
    assert index.second_of(100) == 0.0
    assert index.second_of(600) == pytest.approx(0.25)
    assert index.second_of(2350) == pytest.approx(1.125)
    assert index.second_of(99) is None
    assert index.second_of(4100) is None, "nobody knows how far the last reaches"


def test_another_process_learns_what_is_new() -> None:
    index, other = filled(), SeekIndex()
    other.merge(index.take_new())
    assert [other.before(second) for second in (0.0, 0.7, 2.0)] == [
        (0.0, 100), (0.5, 1100), (2.0, 4100),
    ]  # fmt: skip
    assert index.take_new() == b""
    index.add(3.0, 9000)
    new = index.take_new()
    assert len(new) == 16
    other.merge(new)
    assert other.reach_s == 3.0
    with pytest.raises(ValueError, match="places"):
        other.merge(new[:-1])
