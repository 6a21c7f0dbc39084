"""When a call's recordings are worth asking for again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from providers.model import Recording
from tests.archive.calls import START, call
from tui.query.dates import DAY_S
from tui.sync.recheck import FINAL_S, pause_s, recordings_due

MINUTE, HOUR, DAY = 60, 3600, 86400
ONE = (Recording("r", url="https://x.example/r", summary="said"),)
NO_ADDRESS = (Recording("r"),)


@pytest.mark.parametrize(
    ("asked", "age", "due"),
    [  # seconds after the end: when it was asked for, and now
        (None, 5, True),
        (None, 400 * DAY, True),
        (5, 10, True),
        (30 * MINUTE, 30 * MINUTE + 5, True),
        (2 * HOUR - 1, 3 * HOUR, True),
        (2 * HOUR + 1, 3 * HOUR, False),
        (3 * HOUR, 7 * HOUR, True),
        (7 * HOUR, 23 * HOUR, False),
        (7 * HOUR, 25 * HOUR, True),
        (25 * HOUR, 30 * HOUR, False),
        (30 * HOUR, 49 * HOUR, True),
        (3 * DAY, 6 * DAY, False),
        (3 * DAY, 8 * DAY, True),
        (8 * DAY, 900 * DAY, False),
    ],
)
def test_a_list_that_looks_whole_is_asked_for_after_growing_pauses(
    asked: float | None, age: float, due: bool
) -> None:
    end = START.timestamp()
    ended = call(1, started_at=START - timedelta(seconds=60), duration_s=60.0, recordings=ONE)
    asked_at = None if asked is None else end + asked
    assert recordings_due(ended, asked_at, end + age) is due


@pytest.mark.parametrize(
    "fields",
    [
        {"has_recording": True},
        {"has_recording": True, "recordings": NO_ADDRESS},
        {"outcome": "in_progress", "recordings": ONE},
    ],
)
@pytest.mark.parametrize(
    ("asked", "age", "due"),
    [(25 * HOUR, 30 * HOUR, True), (6 * DAY, 6.5 * DAY, True), (8 * DAY, 9 * DAY, False)],
)
def test_what_is_known_to_lack_something_is_always_asked_for_until_it_is_old(
    fields: dict[str, Any], asked: float, age: float, due: bool
) -> None:
    end = (START + timedelta(minutes=1)).timestamp()
    odd = call(1, duration_s=0.0, **fields)
    assert recordings_due(odd, end + asked, end + age) is due


def test_a_list_that_is_not_known_is_asked_for_however_old_the_call_is() -> None:
    """The vendor said that there is none, and later that there is one."""
    turned = call(1, has_recording=True, recordings_known=False)
    assert recordings_due(turned, START.timestamp() + 30 * DAY, START.timestamp() + 40 * DAY)


def test_who_asks_for_a_period_gets_all_that_is_not_final() -> None:
    end = (START + timedelta(minutes=1)).timestamp()
    whole = call(1, duration_s=0.0, recordings=ONE)
    assert not recordings_due(whole, end + 25 * HOUR, end + 30 * HOUR)
    assert recordings_due(whole, end + 25 * HOUR, end + 30 * HOUR, eager=True)
    assert not recordings_due(whole, end + FINAL_S, end + 30 * DAY, eager=True)


def test_what_is_shown_again_and_again_is_not_asked_for_each_time() -> None:
    end = (START + timedelta(minutes=1)).timestamp()
    young = call(1, duration_s=0.0, has_recording=True)
    assert not recordings_due(young, end + 30, end + 40, pause_s=60)
    assert recordings_due(young, end + 30, end + 95, pause_s=60)


def test_a_call_without_a_time_is_asked_for_until_its_list_is_known() -> None:
    assert recordings_due(call(1, started_at=None, recordings_known=False), 5.0, 9e9)
    assert not recordings_due(call(1, started_at=None), 5.0, 9e9)


def test_pauses_grow_to_a_day() -> None:
    pauses = [pause_s(tries) for tries in range(1, 60)]
    assert pauses[:3] == [300, 600, 1200]
    assert pauses == sorted(pauses) and pauses[-1] == DAY_S
    assert pause_s(0) == 0
