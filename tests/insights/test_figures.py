"""Figures, counted once more in another way."""

from __future__ import annotations

import statistics
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.archive.records import CallFacts
from tui.insights import printed
from tui.insights.figures import AGES_S, figures, nearest_rank
from tui.insights.text import age_text, length_text, percent, summary_lines, table_lines

NOW = datetime(2026, 11, 4, 15, 20, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
MAYBE_S = st.none() | st.integers(0, 5000).map(float)
CALLS = st.lists(
    st.builds(
        CallFacts,
        account=st.sampled_from(["desk", "care"]),
        started_at=st.none() | st.integers(0, 40 * 86_400).map(lambda s: NOW.timestamp() - s),
        direction=st.sampled_from(["inbound", "outbound", "internal", None]),
        outcome=st.sampled_from(["answered", "missed", "abandoned", "voicemail", "busy"]),
        agents=st.lists(st.sampled_from(["Ann", "Ben", "Łukasz, Jr."]), unique=True).map(tuple),
        group=st.sampled_from(["Support", "Sales", None]),
        wait_s=MAYBE_S,
        talk_s=MAYBE_S,
        sla_met=st.sampled_from([True, False, None]),
        is_lost=st.booleans(),
        closed_at=st.none() | st.just(NOW.timestamp()),
        state=st.sampled_from(["new", "open", "done", "follow-up", "snoozed"]),
        decided_by=st.none(),
        decided_at=st.none(),
    ),
    max_size=30,
)


def call(**fields: Any) -> CallFacts:
    given: dict[str, Any] = dict.fromkeys(CallFacts._fields)
    return CallFacts(
        **{
            **given,
            "account": "desk",
            "outcome": "answered",
            "agents": (),
            "state": "new",
            "is_lost": False,
            **fields,
        }
    )


@given(calls=CALLS)
def test_every_figure_is_the_one_counted_by_hand(calls: list[CallFacts]) -> None:
    found = figures(calls, BERLIN, NOW)
    one, lost = found.summary, [each for each in calls if each.is_lost]
    assert one.calls == len(calls)
    assert one.inbound == len([each for each in calls if each.direction == "inbound"])
    assert one.outcomes.missed == Counter(each.outcome for each in calls)["missed"]
    assert one.lost == len(lost) == one.called_back + one.decided + one.waiting
    assert one.called_back == sum(bool(each.closed_at) for each in lost)
    assert one.decided == sum(not each.closed_at and each.state == "done" for each in lost)
    assert sum(one.ageing) == one.waiting
    waits = [each.wait_s for each in calls if each.wait_s is not None]
    assert one.wait_s.of == len(waits) and one.wait_s.sum == sum(waits)
    assert one.wait_s.avg == (pytest.approx(statistics.mean(waits)) if waits else None)
    told = [each.sla_met for each in calls if each.sla_met is not None]
    assert one.sla == (told.count(True), len(told))
    for kind in ("hour", "day", "weekday"):
        timed = [each for each in calls if each.started_at is not None]
        assert sum(counts.calls for _, counts in printed.rows(found, kind)) == len(timed)
    days = Counter(
        datetime.fromtimestamp(each.started_at, BERLIN).date().isoformat()
        for each in calls
        if each.started_at is not None
    )
    assert {day: counts.calls for day, counts in found.by_day.items()} == days
    agents = Counter(name for each in calls for name in each.agents)
    assert {name: counts.calls for name, counts in found.by_agent.items()} == agents
    assert sum(counts.calls for counts in found.by_account.values()) == len(calls)
    for counts in found.by_account.values():
        assert counts.calls >= sum(counts[1:])
    for account in {each.account for each in calls}:
        theirs = [each for each in calls if each.account == account]
        assert (account in found.untold["wait"]) == all(each.wait_s is None for each in theirs)


@given(calls=CALLS)
def test_words_and_json_take_any_figures(calls: list[CallFacts]) -> None:
    found = figures(calls, UTC, NOW)
    assert printed.figures_object(found, found)["previous"] == printed.summary_object(found.summary)
    lines = [*summary_lines(found, None), *summary_lines(found, found)]
    for kind in ("hour", "day", "weekday", "agent", "group", "account"):
        table = [*table_lines(found, kind)]
        assert len(table) == 1 + len([*printed.rows(found, kind)])
        assert len({*map(len, table)}) == 1 or "Ł" in "".join(table)
    assert all("None" not in line for line in lines)


@given(values=st.lists(st.integers(0, 100).map(float), min_size=1), percent=st.integers(1, 100))
def test_the_nearest_rank(values: list[float], percent: int) -> None:
    found = nearest_rank(sorted(values), percent)
    assert found in values and found is not None
    assert sum(value <= found for value in values) * 100 >= percent * len(values)
    assert sum(value < found for value in values) * 100 < percent * len(values)


def test_nothing_is_no_zero() -> None:
    one = figures([], UTC, NOW).summary
    assert (one.wait_s.avg, one.wait_s.p90, one.called_back_median_s) == (None, None, None)
    assert nearest_rank([], 50) is None and percent(0, 0) == "-" and length_text(None) == "-"


@pytest.mark.parametrize(
    ("day", "hours"), [(datetime(2026, 10, 25), 25), (datetime(2026, 3, 29), 23)]
)
def test_a_day_on_which_clocks_change_has_its_hours(day: datetime, hours: int) -> None:
    start = day.replace(tzinfo=BERLIN).astimezone(UTC)
    calls = [call(started_at=(start + timedelta(hours=n)).timestamp()) for n in range(hours)]
    found = figures(calls, BERLIN, NOW)
    assert {date: counts.calls for date, counts in found.by_day.items()} == {
        day.date().isoformat(): hours
    }
    assert found.by_hour[2].calls == (2 if hours == 25 else 0)
    assert found.by_weekday_hour[6][2].calls == found.by_hour[2].calls


@pytest.mark.parametrize("step", range(len(AGES_S)))
def test_how_long_calls_wait_is_counted_in_steps(step: int) -> None:
    def ageing(age_s: float) -> int:
        late = call(started_at=NOW.timestamp() - age_s, is_lost=True)
        return figures([late], UTC, NOW).summary.ageing.index(1)

    assert (ageing(AGES_S[step]), ageing(AGES_S[step] + 0.001)) == (step, step + 1)


def test_medians_are_of_those_whose_ends_are_known() -> None:
    at = NOW.timestamp()
    calls = [
        call(started_at=at, is_lost=True, closed_at=at + 60),
        call(started_at=at, is_lost=True, closed_at=at + 600),
        call(started_at=None, is_lost=True, closed_at=at),
        call(started_at=at, decided_at=at + 30, decided_by="ann", state="done"),
    ]
    one = figures(calls, UTC, NOW).summary
    assert (one.called_back, one.called_back_median_s) == (3, 60)
    assert (one.triaged, one.triaged_median_s) == (1, 30)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1:00"),
        (3600, "1:00:00"),
        (3661.4, "1:01:01"),
        (59.6, "60 s"),
    ],
)
def test_lengths_in_words(seconds: float, text: str) -> None:
    assert length_text(seconds) == text


def test_ages_in_words() -> None:
    assert [age_text(upto) for upto in (*AGES_S, None)] == [
        *("<1h", "<4h", "<24h", "<3d", "<7d", "older")
    ]
