"""Each bar of a chart stands for the calls that its query finds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.contract.search_model import NOW, fill
from tui.archive.interface import CallArchive
from tui.archive.sqlite import Archive
from tui.insights.charts import charts
from tui.insights.figures import figures
from tui.query.parser import parse
from tui.screens.sidebar_items import piece_of


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CallArchive]:
    """An archive of some hundred random calls with odd names."""
    with Archive(tmp_path_factory.mktemp("charts") / "archive.db") as archive:
        fill(archive)
        yield archive


def label(kind: str, name: str) -> str:
    return name


@pytest.mark.parametrize("line", ["", "in", "7d", "-muller"])
def test_every_bars_query_finds_as_many_calls_as_it_stands_for(
    filled: CallArchive, line: str
) -> None:
    query = parse(line, NOW, UTC)
    found = figures(filled.facts(filled.keys(query)), UTC, NOW)
    asked = 0
    for chart in charts(found, piece_of, label):
        for bar in chart.bars:
            if bar.query is None or (chart.kind == "heat" and line == "7d"):
                continue
            narrowed = parse(f"{line} {bar.query}", NOW, UTC)
            assert narrowed.problems == (), bar
            assert filled.count(narrowed) == bar.value, (chart.title, bar)
            asked += 1
    assert asked > 40


def test_a_weekday_of_many_weeks_is_no_query(filled: CallArchive) -> None:
    found = figures(filled.facts(filled.keys()), UTC, NOW)
    weeks = {day: found.by_day[day] for day in found.by_day}
    start = datetime(2026, 1, 5)
    more = weeks | {
        (start + timedelta(weeks=n)).date().isoformat(): next(iter(weeks.values()))
        for n in range(9)
    }
    heat = charts(found._replace(by_day=more), piece_of, label)[1]
    assert {bar.query for bar in heat.bars[:24]} == {None}
