"""Columns: what each shows, and which fit."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.widgets.samples import CLOCK, row
from widgets.columns import (
    COLUMNS,
    DEFAULT_COLUMNS,
    GAP,
    columns_of,
    duration_text,
    layout,
    recording_mark,
    recording_text,
    time_text,
)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 11, 20, 14, 5, 33, tzinfo=UTC), "15:05:33"),
        (datetime(2026, 11, 19, 23, 30, tzinfo=UTC), "00:30:00"),
        (datetime(2026, 11, 2, 13, 5, tzinfo=UTC), "Nov 02 14:05"),
        (datetime(2025, 11, 2, 13, 5, tzinfo=UTC), "2025-11-02"),
        (None, ""),
        (1e300, "?"),
        (float("nan"), "?"),
    ],
)
def test_time(moment: object, text: str) -> None:
    assert time_text(moment, CLOCK) == text  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0:00"),
        (59.9, "0:59"),
        (61, "1:01"),
        (3599, "59:59"),
        (3600, "1:00:00"),
        (36_061, "10:01:01"),
        (None, ""),
        (-1, "?"),
        (float("nan"), "?"),
        (1e18, "?"),
    ],
)
def test_duration(seconds: float | None, text: str) -> None:
    assert duration_text(seconds) == text


@pytest.mark.parametrize(
    ("changes", "words", "mark"),
    [
        ({"recordings": 1}, "R", "R"),
        ({"recordings": 0}, "R", "R"),
        ({"recordings": 3}, "R3", "R3"),
        ({"recordings": 0, "has_recording": False}, "-", "-"),
        ({"recordings": 0, "has_recording": None}, "?", "?"),
        ({"recordings": 0, "has_recording": None, "trouble": "none"}, "-", "-"),
        ({"recordings": 1, "trouble": "none"}, "R", "R"),
        ({"recordings": 1, "heard": "heard"}, "R heard", "R+"),
        ({"recordings": 2, "heard": "part"}, "R2 part", "R2~"),
        ({"recordings": 1, "heard": "heard", "trouble": "gone"}, "gone", "R!"),
        ({"recordings": 0, "trouble": "pending"}, "soon", "R."),
        ({"recordings": 1, "trouble": "not_sound"}, "no sound", "R!"),
        ({"recordings": 1, "trouble": "too_large"}, "too big", "R!"),
        ({"recordings": 1, "trouble": "damaged"}, "damaged", "R!"),
    ],
)
def test_recording(changes: dict[str, object], words: str, mark: str) -> None:
    call = row(3, **({"has_recording": True} | changes))
    assert (recording_text(call), recording_mark(call)) == (words, mark)
    column = COLUMNS["recording"]
    assert len(words) <= column.width and len(mark) <= column.min_width


@pytest.mark.parametrize(("width", "text"), [(79, "R2~"), (160, "R2 part")])
def test_a_narrow_table_has_marks_where_a_wide_one_has_words(width: int, text: str) -> None:
    shown = {column.id: column for column, _ in layout(columns_of(DEFAULT_COLUMNS), width)}
    assert shown["recording"].value(row(3, recordings=2, heard="part"), CLOCK) == text


def test_every_column_shows_a_row() -> None:
    shown = {id_: column.value(row(3), CLOCK) for id_, column in COLUMNS.items()}
    assert shown["direction"] == "in"
    assert shown["outcome"] == "answered"
    assert shown["account"] == "sales"
    assert shown["vendor"] == "liner"
    assert shown["id"] == "C000003"
    assert shown["wait"] == "0:03"
    assert shown["recording"] == "R2"


@pytest.mark.parametrize("ids", [DEFAULT_COLUMNS, tuple(COLUMNS), ("time",), ("id", "contact")])
def test_layout_fills_every_width(ids: tuple[str, ...]) -> None:
    columns = columns_of(ids)
    for width in range(1, 260):
        shown = layout(columns, width)
        assert sum(cells for _, cells in shown) + GAP * (len(shown) - 1) == width
        assert len(shown) == 1 or all(cells >= column.min_width for column, cells in shown)
        order = [ids.index(column.id) for column, _ in shown]
        assert order == sorted(order)


def test_a_wider_table_never_loses_a_column() -> None:
    before: set[str] = set()
    for width in range(1, 200):
        shown = {column.id for column, _ in layout(columns_of(DEFAULT_COLUMNS), width)}
        assert before <= shown
        before = shown


def test_beside_a_sidebar_in_80_columns_the_essentials_fit() -> None:
    shown = layout(columns_of(DEFAULT_COLUMNS), 53)
    ids = [column.id for column, _ in shown]
    assert ids == ["time", "direction", "outcome", "contact", "duration", "recording"]
    contact = next(column for column, _ in shown if column.id == "contact")
    assert contact.value(row(2), CLOCK) == row(2).number, "no name: the number stands in"


def test_with_a_number_column_the_contact_is_the_name_alone() -> None:
    shown = layout(columns_of(DEFAULT_COLUMNS), 120)
    contact = next(column for column, _ in shown if column.id == "contact")
    assert contact.value(row(2), CLOCK) == ""


def test_no_columns_and_no_room() -> None:
    assert layout((), 80) == []
    assert layout(columns_of(DEFAULT_COLUMNS), 0) == []
    assert columns_of(("nonsense", "time")) == (COLUMNS["time"],)
