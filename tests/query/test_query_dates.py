"""Dates, periods and times of later, as people write them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from tui.query.dates import local_zone, parse_later, parse_when, period

ZONE = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 3, 22, 30, tzinfo=UTC)  # 23:30 in Berlin


def show(text: str) -> tuple[str, str]:
    first, last = parse_when(text, NOW, ZONE)
    return first.isoformat(), last.isoformat()


def test_a_date_is_the_whole_day_of_the_user() -> None:
    assert show("2026-11-02") == ("2026-11-01T23:00:00+00:00", "2026-11-02T22:59:59.999000+00:00")
    assert show("today")[0] == "2026-11-02T23:00:00+00:00"
    assert show("Yesterday") == show("2026-11-02")
    assert show("monday") == show("mon") == show("2026-11-02")
    assert show("tue") == show("today"), "today is a Tuesday"
    assert show("wed") == show("2026-10-28")
    with pytest.raises(ValueError):
        show("tu")


def test_the_day_that_daylight_saving_ends_has_25_hours() -> None:
    first, last = parse_when("2026-10-25", NOW, ZONE)
    assert round((last - first).total_seconds() / 3600, 3) == 25


def test_times_are_local_unless_they_name_a_zone() -> None:
    assert show("2026-11-02T09:30")[0] == "2026-11-02T08:30:00+00:00"
    assert show("2026-11-02T09:30Z")[0] == "2026-11-02T09:30:00+00:00"
    assert show("2026-11-02t09:30:00+05:30")[0] == "2026-11-02T04:00:00+00:00"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-11-02T09", 3600),
        ("2026-11-02T09:30", 60),
        ("2026-11-02 09:30", 60),
        ("20261102T0930Z", 60),
        ("2026-11-02T09:30+05:30", 60),
        ("2026-11-02T09:30:15-0300", 1),
        ("2026-11-02T09:30:15.250", 0),
    ],
)
def test_a_time_is_as_long_as_it_is_written(text: str, seconds: int) -> None:
    first, last = parse_when(text, NOW, ZONE)
    assert round((last - first).total_seconds(), 2) == seconds


def test_ago() -> None:
    assert show("7d") == ("2026-10-27T22:30:00+00:00", NOW.isoformat())
    assert show("24h")[0] == "2026-11-02T22:30:00+00:00"
    assert show("2w")[0] == "2026-10-20T22:30:00+00:00"
    assert show("99999w")[0] == "2000-01-01T00:00:00+00:00"


@pytest.mark.parametrize("bad", ["", "soon", "7", "d", "2026-13-01", "999999d", "2026-11-02T99:00"])
def test_anything_else_is_refused_in_words(bad: str) -> None:
    with pytest.raises(ValueError, match="is not a date"):
        parse_when(bad, NOW, ZONE)


def test_period_reaches_to_the_end_of_its_last_day() -> None:
    first, last = period("2026-11-01", "2026-11-01", NOW, ZONE)
    assert first is not None and last is not None
    assert (last - first).total_seconds() == pytest.approx(86400, abs=0.01)
    assert period(None, None, NOW, ZONE) == (None, None)
    assert period(None, "7d", NOW, ZONE)[1] == parse_when("7d", NOW, ZONE)[0]
    with pytest.raises(ValueError, match="before it begins"):
        period("2026-11-02", "2026-11-01", NOW, ZONE)


@pytest.mark.parametrize(
    ("text", "later"),
    [
        ("1h", "2026-11-04T11:00:00+00:00"),
        ("30m", "2026-11-04T10:30:00+00:00"),
        ("3d", "2026-11-07T10:00:00+00:00"),
        ("tomorrow", "2026-11-05T08:00:00+00:00"),
        ("Monday", "2026-11-09T08:00:00+00:00"),
        ("wed", "2026-11-11T08:00:00+00:00"),
        ("2026-11-20", "2026-11-20T08:00:00+00:00"),
        ("2026-11-04T18:30", "2026-11-04T17:30:00+00:00"),
        ("2026-11-04 18:30", "2026-11-04T17:30:00+00:00"),
        ("2026-12-01 9:00", "2026-12-01T08:00:00+00:00"),
        ("14:30", "2026-11-04T13:30:00+00:00"),
        ("9:00", "2026-11-05T08:00:00+00:00"),
        ("today 23:59", "2026-11-04T22:59:00+00:00"),
        ("Tomorrow  9:30", "2026-11-05T08:30:00+00:00"),
        ("mon 14:30", "2026-11-09T13:30:00+00:00"),
    ],
)
def test_a_time_to_put_something_off_to(text: str, later: str) -> None:
    wednesday = datetime(2026, 11, 4, 10, tzinfo=UTC)
    assert parse_later(text, wednesday, ZoneInfo("Europe/Paris")).isoformat() == later


@pytest.mark.parametrize(
    "text",
    [
        *("", "soon", "mo", "2026-11-04", "2026-13-01", "0h", "we d", "today", "today 9:00"),
        *("25:00", "9:75", "soon 9:00", "2026-13-01 9:00", "2026-11-04 9:00", "9:00 9:00"),
    ],
)
def test_what_is_not_in_the_future_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_later(text, datetime(2026, 11, 4, 10, tzinfo=UTC), UTC)


def test_a_zone_that_nobody_knows_gives_way_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    assert str(local_zone("Mars/Base")) == "Asia/Kolkata"
    for odd in ("CET-1CEST", "../../etc/passwd", "Europe"):
        monkeypatch.setenv("TZ", odd)
        local_zone(odd)
