"""Figures on the screen: charts, their keys, and the calls behind a bar."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.ui.calls_page import CallsPage, open_page
from tui.insights.figures import figures
from tui.screens.insights import InsightsScreen
from tui.services import Services
from widgets.chart_view import ChartView

Home = Callable[..., Services]
ALL = ("w", "w")
"""From 7 days to all."""


def counted(page: CallsPage) -> bool:
    return (
        isinstance(page.top, InsightsScreen)
        and page.top.query_one("#chart-1", ChartView).chart is not None
    )


async def open_charts(page: CallsPage, *keys: str) -> None:
    await page.idle()
    await page.press("I")
    await page.until(lambda: counted(page))
    await page.press(*keys)
    await page.until(lambda: "counting" not in page.text)


async def test_a_bar_opens_its_calls_and_esc_comes_back_to_it(synced: Home) -> None:
    async with open_page(synced("cinnox"), size=(80, 24)) as page:
        await open_charts(page, *ALL, "4", "down", "down")
        view = page.top.query_one("#chart-4", ChartView)
        await page.until(
            lambda: view.chart is not None and sum(bar.value for bar in view.chart.bars) > 50
        )
        assert view.chart is not None
        bar = view.chart.bars[2]
        await page.press("enter")
        await page.until(lambda: not page.has_dialog)
        assert page.query == bar.query
        await page.idle()
        assert page.count == bar.value
        assert "esc goes back to the figures" in page.status
        await page.press("escape")
        await page.until(lambda: counted(page))
        assert page.query == "" and "4 Agents" in page.text
        again = page.top.query_one("#chart-4", ChartView)
        await page.until(lambda: again.words().startswith(f"{bar.label}  {bar.value}"))
        await page.press("escape")
        await page.until(lambda: not page.has_dialog)
        assert page.query == ""


async def test_the_figures_are_of_the_query_and_of_the_period(synced: Home) -> None:
    services = synced("cinnox")
    async with open_page(services, "in missed", size=(100, 30)) as page:
        await open_charts(page)
        assert "7 days   in missed" in page.text
        await page.press("w", "w")
        await page.until(lambda: "all   in missed" in page.text and "counting" not in page.text)
        with services.open_archive() as archive:
            found = figures(
                archive.facts(archive.keys(page.screen.ctx.query)), UTC, datetime.now(UTC)
            )
        await page.until(lambda: f"{found.summary.calls:,} calls" in page.text)
        await page.press("c")
        await page.until(lambda: "there is no period before this one" in page.notices)
        await page.press("w", "w")
        await page.until(lambda: "yesterday" in page.text and "(before: " in page.text)


async def test_a_query_with_a_period_of_its_own_is_not_narrowed_twice(synced: Home) -> None:
    async with open_page(synced("cinnox"), "2026-01-01..", size=(100, 30)) as page:
        await open_charts(page, "2")
        assert "all   2026-01-01.." in page.text
        view = page.top.query_one("#chart-2", ChartView)
        assert view.chart is not None
        view.chosen = next(place for place, bar in enumerate(view.chart.bars) if bar.value)
        await page.press("enter")
        await page.until(lambda: "no query finds just these calls" in page.notices)
        assert page.has_dialog


@pytest.mark.parametrize(
    ("key", "number"), [("tab", 2), ("shift+tab", 8), *((str(n), n) for n in range(1, 9))]
)
async def test_keys_choose_the_chart(synced: Home, key: str, number: int) -> None:
    async with open_page(synced("cinnox"), size=(80, 24)) as page:
        await open_charts(page, key)
        shown = [view.number for view in page.top.query(ChartView) if view.display]
        assert shown == [number]


async def test_wide_screens_show_six_side_by_side(synced: Home) -> None:
    async with open_page(synced("cinnox"), size=(130, 42)) as page:
        await open_charts(page)
        views = [view for view in page.top.query(ChartView) if view.display]
        assert [view.number for view in views] == [1, 4, 6, 2, 5, 3]
        assert [view.number for view in views if view.active] == [1]
        await page.press("8")
        await page.pause()
        assert [view.number for view in page.top.query(ChartView) if view.display] == [8]
        await page.resize(80, 24)
        await page.press("2", "down", "right")
        assert page.top.query_one("#chart-2", ChartView).chosen == 25


async def test_names_are_masked_where_others_see_the_screen(synced: Home) -> None:
    async with open_page(synced("cinnox"), masked=True, size=(80, 24)) as page:
        await open_charts(page, *ALL, "4")
        view = page.top.query_one("#chart-4", ChartView)
        await page.until(lambda: view.chart is not None and len(view.chart.bars) > 5)
        assert view.chart is not None
        names = [bar.label for bar in view.chart.bars]
        assert all("*" in name for name in names), names
        await page.press("enter")
        await page.until(lambda: "no query finds just these calls" in page.notices)


async def test_an_empty_archive_has_no_calls(home: Home) -> None:
    services = home("cinnox")
    services = replace(services, environ={**services.environ, "RINGBACK_TOKEN_CINNOX": ""})
    async with open_page(services, size=(80, 24)) as page:
        await open_charts(page)
        assert "no calls" in page.text and "0 calls" in page.text
        await page.press("enter", "right", "w", "escape")
        await page.until(lambda: not page.has_dialog)
