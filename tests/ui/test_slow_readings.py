"""What takes long to read on the screen: counted beside it, said, and given up by a key."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from threading import Event
from typing import Any, NoReturn

import pytest

from tests.slow_params import few
from tests.ui.calls_page import CallsPage, open_page
from tests.ui.desk import NOW, WINDOW_ROWS, desk_of, hold_few_rows
from tui.archive.interface import CallArchive
from tui.archive.records import SortOrder
from tui.archive.sqlite import Archive
from tui.config.paths import Paths
from tui.query.parser import EVERYTHING, Query, parse
from tui.screens import row_counts, row_window
from tui.screens.archive_reads import ArchiveRead
from tui.services import Services

KEYS: Any = Archive.keys


@pytest.fixture
def desk(paths: Paths, filled: Path, monkeypatch: pytest.MonkeyPatch) -> Services:
    """12,000 calls of accounts that cannot be reached; the screen holds few of them."""
    hold_few_rows(monkeypatch)
    return desk_of(paths, filled)


@pytest.fixture
def archive(desk: Services) -> Iterator[CallArchive]:
    """Another connection."""
    with desk.open_archive() as archive:
        yield archive


def ask_for_ever(archive: CallArchive, ended: Event) -> NoReturn:
    """A question that ends when it is interrupted, which it raises and says."""
    try:
        while True:
            KEYS(archive, EVERYTHING, SortOrder("agents", False))
    finally:
        ended.set()


async def test_a_slow_count_begins_with_a_plus_and_never_holds_up_the_screen(
    desk: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, count = Event(), Archive.count

    def slowly(self: Archive, query: Query = EVERYTHING, most: int | None = None) -> int:
        go_on.wait(20)
        return count(self, query, most)

    monkeypatch.setattr(Archive, "count", slowly)
    async with open_page(desk, size=(160, 50)) as page:
        await page.until(lambda: f"of {WINDOW_ROWS}+ " in page.status)
        await page.press("slash")
        await page.type_text("answered")
        await page.press("enter", "j", "j")
        await page.until(lambda: "answered" in page.text and page.table.cursor == 2)
        await page.until(lambda: f"of {WINDOW_ROWS}+ " in page.status)
        await page.until(lambda: "200+" in page.text)
        go_on.set()
        await page.idle()
        with desk.open_archive() as archive:
            exact = count(archive, parse("answered", NOW, UTC))  # type: ignore[arg-type]
            facets = archive.facets(parse("answered", NOW, UTC), None)
        assert f"of {exact:,} " in page.status
        assert f"{facets.counts['outcome']['answered']:,}" in page.text and "+" not in page.status


async def test_of_too_many_calls_the_sidebar_keeps_lower_bounds(
    desk: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_counts, "FACETS_MOST", 1_000)
    async with open_page(desk, "answered", size=(160, 50)) as page:
        await page.idle()
        assert "200+" in page.text and "+" not in page.status


async def test_another_query_ends_the_counting_of_the_one_before(
    desk: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended, began, count = Event(), Event(), Archive.count

    def endless(self: Archive, query: Query = EVERYTHING, most: int | None = None) -> int:
        if any(term.value == "missed" for term in query.terms):
            return count(self, query, most)
        began.set()
        ask_for_ever(self, ended)

    monkeypatch.setattr(Archive, "count", endless)
    async with open_page(desk) as page:
        await page.until(began.is_set)
        await page.press("slash")
        await page.type_text("missed")
        await page.press("enter")
        await page.until(ended.is_set)
        await page.until(lambda: "of 1," in page.status)
        ended.clear()
        began.clear()
        await page.press("escape")
        await page.until(began.is_set)
    assert ended.wait(10), "who leaves does not wait for it, and it ends"


def test_a_question_ends_also_when_that_is_said_between_its_statements(desk: Services) -> None:
    def ask(archive: CallArchive) -> int:
        asking.end()  # SQLite interrupts only what it is doing at this moment
        return len(archive.keys(EVERYTHING, SortOrder("agents", False)))

    asking = ArchiveRead(desk, ask)
    assert asking.run() is None


@pytest.mark.slow
async def test_a_slow_way_to_the_end_is_stopped_by_a_key(
    desk: Services, archive: CallArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = Event()

    def endless(archive: CallArchive, order: row_window.Order) -> row_window.RowWindow:
        ask_for_ever(archive, ended)

    monkeypatch.setattr(row_window, "last", endless)
    async with open_page(desk) as page:
        await page.idle()
        await page.press("j", "G")
        for stops in ("ctrl+x", "escape"):
            await page.until(lambda: "going to the end (esc stops)" in page.status)
            await page.press("j", stops)  # what waits for the end goes with it
            await page.until(ended.is_set)
            await page.idle()
            assert page.table.cursor == 1 and "going" not in page.status
            ended.clear()
            await page.press("G")


class Slow:
    """Whether orders other than that of time take for ever now."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.ended, keys = False, Event(), Archive.keys

        def slowly(archive: CallArchive, query: Query, sort: SortOrder, **more: Any) -> Any:
            if self.now and sort.column != "time":
                ask_for_ever(archive, self.ended)
            return keys(archive, query, sort, **more)  # type: ignore[arg-type]

        monkeypatch.setattr(Archive, "keys", slowly)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    return Slow(monkeypatch)


async def stopped(page: CallsPage, slow: Slow, what: str) -> None:
    """Press esc as the status line says, and wait until nothing is read any more."""
    await page.until(lambda: f"{what} (esc stops)" in page.status)
    slow.ended.clear()
    await page.press("escape")
    await page.until(slow.ended.is_set)
    await page.idle()
    assert what not in page.status


@pytest.mark.parametrize(
    ("keys", "column"),
    few(1, [(("j", "5"), "wait"), (("greater_than_sign",), "direction"), (("5",), "wait")]),
)
async def test_an_order_that_takes_long_is_given_up_by_a_key(
    desk: Services, slow: Slow, keys: tuple[str, ...], column: str
) -> None:
    async with open_page(desk) as page:
        await page.idle()
        await page.press("j", "j")
        shown, at = page.rows, page.cursor + keys.count("j")
        slow.now = True
        page.status_line.flash("some news", "error", seconds=60)
        await page.press(*keys)
        await stopped(page, slow, f"sorting by {column}")
        assert "stopped" in page.status
        assert page.sort == page.table.sort == ("time", True)
        assert page.sort_without_views == ("time", True) and page.query == ""
        assert page.table.cursor == at
        assert [row[2:] for row in page.rows] == [row[2:] for row in shown]
        slow.now = False
        await page.press("greater_than_sign")
        await page.idle()
        assert page.sort != ("time", True) and page.table.cursor == 0


async def test_more_rows_of_a_slow_order_are_given_up_and_read_when_wanted_again(
    desk: Services, archive: CallArchive, slow: Slow
) -> None:
    async with open_page(desk) as page:
        await page.idle()
        page.sort_by("agents", False)
        await page.idle()
        slow.now = True
        page.burst("\x02" * 25)
        await stopped(page, slow, "sorting by agents")
        assert page.window.place == WINDOW_ROWS - 1 and page.sort == ("agents", False)
        slow.now = False
        await page.press("down")
        await page.until(lambda: len(page.window.held.keys) == 2 * WINDOW_ROWS)
        await page.idle()
        whole = archive.keys(EVERYTHING, SortOrder("agents", False))
        assert page.key == whole[page.window.place] and page.window.place == WINDOW_ROWS
        slow.now = True
        await page.press("G")
        await stopped(page, slow, "going to the end")
        assert page.window.place == WINDOW_ROWS


@pytest.mark.parametrize("kept", few(1, [False, True]))
async def test_a_query_typed_in_a_slow_order_is_given_up_by_a_key(
    desk: Services, slow: Slow, kept: bool
) -> None:
    async with open_page(desk, "answered") as page:
        await page.idle()
        page.sort_by("agents", False)
        await page.idle()
        await page.press("j", "j")
        shown = page.rows
        slow.now = True
        await page.type_text("/ rec")
        if kept:
            await page.press("enter")
        await stopped(page, slow, "sorting by agents")
        assert page.query == "answered" and page.sort == ("agents", False)
        assert page.rows == shown and page.table.cursor == 2
        assert page.text.splitlines()[0].strip() == "answered"
        slow.now = False
        await page.type_text("/ rec")
        await page.press("enter")
        await page.idle()
        assert page.table.cursor == 0 and page.rows != shown


async def test_who_was_about_to_stop_what_is_there_by_now_loses_nothing(
    desk: Services, slow: Slow
) -> None:
    async with open_page(desk, "answered") as page:
        await page.idle()
        page.read_slowly("sorting by agents")
        await page.until(lambda: "sorting by agents (esc stops)" in page.status)
        page.read_slowly("")
        await page.press("escape")
        assert page.query == "answered"
        await page.until(lambda: not page.esc_stops)
        await page.press("escape")
        assert page.query == ""
