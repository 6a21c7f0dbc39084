from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from providers.fields import (
    Reader,
    made_id,
    rows,
    to_number,
    to_text,
    to_time,
)

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("+1 (202) 555", "+1 (202) 555"),
        (" padded ", " padded "),
        (85291234567, "85291234567"),
        (8.5291234567e10, "85291234567"),
        (1e25, "10000000000000000905969664"),
        (1.5, "1.5"),
        (1e-7, "0.0000001"),
        ("", None),
        ("  ", None),
        (None, None),
        (True, None),
        (float("nan"), None),
        (float("inf"), None),
        ([], None),
        ({"a": 1}, None),
        ("a\ud800b", "a\ufffdb"),
    ],
)
def test_text(value: Any, text: str | None) -> None:
    assert to_text(value) == text


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (5, 5),
        ("5", 5),
        (" 5.5 ", 5.5),
        (0, 0),
        (-3, -3),
        (True, None),
        ("NaN", None),
        ("inf", None),
        (float("inf"), None),
        (10**400, None),
        ("9" * 5000, None),
        ("five", None),
        ([5], None),
        (None, None),
        ("", None),
    ],
)
def test_numbers(value: Any, number: float | None) -> None:
    assert to_number(value) == number


@pytest.mark.parametrize(
    ("value", "zoned"),
    [
        ("2024-01-01T12:00:00Z", True),
        ("2024-01-01t12:00:00z", True),
        ("2024-01-01 12:00:00+00:00", True),
        ("2024-01-01T14:00:00.000+02:00", True),
        ("2024-01-01T12:00:00.000000000Z", True),
        ("2024-01-01T14:00:00+0200", True),
        (1704110400, True),
        (1704110400.0, True),
        ("1704110400", True),
        (1704110400000, True),
        ("1704110400000", True),
        ("2024-01-01T12:00:00", False),
        ("2024-01-01 12:00", False),
    ],
)
def test_times(value: Any, zoned: bool) -> None:
    assert to_time(value) == (NOON, zoned)


@pytest.mark.parametrize(
    "value", [0, "0", "0000-00-00 00:00:00", "0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z"]
)
def test_zero_times_are_none(value: Any) -> None:
    assert to_time(value) == (None, True)


@pytest.mark.parametrize(
    "value",
    [
        "soon",
        True,
        -1,
        1e300,
        "1e300",
        [],
        {},
        None,
        "2024-13-01T00:00:00Z",
        "9999-12-31T23:59:59-14:00",
        "1815-06-18T11:35:00Z",
        "",
        10**400,
    ],
)
def test_what_is_no_time(value: Any) -> None:
    with pytest.raises(ValueError):
        to_time(value)


def test_a_date_of_eight_digits_is_a_date() -> None:
    assert to_time("20240101") == (datetime(2024, 1, 1, tzinfo=UTC), False)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ([1, 2], [1, 2]),
        ({"id": 1}, [{"id": 1}]),
        ({"0": "a", "5": "b"}, ["a", "b"]),
        (None, []),
        ("", []),
        ([], []),
        ({}, []),
        ("x", ["x"]),
        (0, [0]),
    ],
)
def test_rows(value: Any, found: list[Any]) -> None:
    assert rows(value) == found


def test_booleans() -> None:
    read = Reader({"a": True, "b": 0, "c": "TRUE", "d": "0", "e": "", "f": None, "g": 2, "h": [1]})
    assert [read.boolean(key) for key in "abcdefghi"] == [
        True,
        False,
        True,
        False,
        None,
        None,
        None,
        None,
        None,
    ]
    assert read.problems == ["g: neither true nor false", "h: neither true nor false"]


def test_problems_name_the_path_once_and_never_the_value() -> None:
    read = Reader({"agents": [{"at": "SECRET"}, {"at": "SECRET"}, "SECRET"], "n": "SECRET"})
    for agent in read.objects("agents"):
        agent.time("at")
    read.number("n"), read.number("n")
    assert read.problems == ["agents[2]: not an object", "agents.at: not a time", "n: not a number"]


def test_absent_null_and_empty_are_no_problem() -> None:
    nothing: tuple[Any, ...] = (None, "", " ", [], {})
    for value in nothing:
        read = Reader({"x": value})
        assert (read.text("x"), read.number("x"), read.boolean("x"), read.time("x")) == (None,) * 4
        assert (read.objects("x"), read.texts("x"), read.name("x", "name")) == ([], (), None)
        assert read.object("x").text("y") is None and read.problems == []
    assert Reader("no object").text("x") is None


def test_sizes_are_whole() -> None:
    read = Reader({"a": 5, "b": "5.0", "c": 5.5, "d": -1})
    assert [read.integer(key) for key in "abcd"] == [5, 5, None, None]
    assert read.problems == ["c: not a whole number", "d: not a whole number"]


def test_names_as_text_or_object() -> None:
    read = Reader({"a": "Promo", "b": {"id": 1, "name": "Promo"}, "c": [{"name": "Promo"}], "d": 7})
    assert [read.name(key, "name") for key in "abcd"] == ["Promo", "Promo", "Promo", "7"]


def test_made_ids_are_the_same_for_the_same_row() -> None:
    assert made_id({"a": 1, "b": 2}) == made_id({"b": 2, "a": 1}) != made_id({"a": 1})


@pytest.mark.parametrize(
    ("value", "year"),
    [
        ("2999-12-31T23:59:59Z", 2999),
        ("3000-01-01T00:00:00Z", None),
        (32_503_679_999, 2999),
        (32_503_680_000, None),
        ("1970-01-01T00:00:01Z", 1970),
        ("1969-12-31T23:59:59Z", None),
        (1, 1970),
        (-1, None),
    ],
)
def test_the_first_and_the_last_moment_that_may_be_meant(value: Any, year: int | None) -> None:
    read = Reader({"at": value})
    moment = read.time("at")
    assert (moment.year if moment else None) == year
    assert read.problems == ([] if year else ["at: not a time"])


@pytest.mark.parametrize("value", [0, "1970-01-01T00:00:00Z", None, ""])
def test_the_beginning_of_time_is_no_moment(value: Any) -> None:
    read = Reader({"at": value})
    assert read.time("at") is None and read.problems == []
