"""Calls appear, and one goes about in them: detail, filter, order, views, further pages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, timedelta
from threading import Event
from typing import Any

import pytest
from rich.cells import cell_len

from providers.sandbox import Sandbox
from tests.ui.calls_page import CallsPage, open_page, text_of
from tests.ui.conftest import NOW
from tui.archive.sqlite import Archive
from tui.archive.triage_events import state
from tui.config.views import DEFAULT_VIEWS
from tui.query.parser import parse
from tui.screens.column_settings import sort_of
from tui.services import Services
from tui.sync import jobs
from widgets.call_detail import CallDetail
from widgets.sidebar import Sidebar

Home = Callable[..., Services]


async def test_an_account_that_was_never_synced_shows_its_calls_by_itself(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, sync_account = Event(), jobs.sync_account

    async def when_it_answers(*args: Any) -> Any:
        await asyncio.to_thread(answers.wait, 20)
        return await sync_account(*args)

    monkeypatch.setattr(jobs, "sync_account", when_it_answers)
    async with open_page(home("nectar")) as page:
        await page.until(lambda: "Fetching calls" in page.text)
        assert page.rows == []
        answers.set()
        await page.until(lambda: any(row.startswith(">") for row in page.rows))
        await page.idle()
        assert page.count > 50
        assert page.status.startswith(" rows 1-21 of")


async def test_enter_opens_a_detail_that_shows_who_what_and_which_recordings(synced: Home) -> None:
    async with open_page(synced("nectar"), "rec dispo:c") as page:
        await page.idle()
        await page.press("j", "enter")
        await page.until(lambda: page.focused is page.screen.query_one(CallDetail))
        opened = page.key
        for heading in ("Overview", "Agents", "Disposition", "Recordings", "Timeline"):
            await page.until(lambda wanted=heading: f"\n{wanted}" in f"\n{page.detail}")  # type: ignore[misc]
        assert page.panes == {"detail"}, "80 columns hold one pane"
        await page.press("escape")
        assert page.panes == {"list"} and page.focused is page.table
        assert page.key == opened, "newer calls may have come above it"


async def test_a_detail_that_covers_the_table_leaves_its_rows_where_they_stood(
    synced: Home,
) -> None:
    async with open_page(synced("nectar")) as page:
        await page.idle()
        await page.press(*"j" * 30, *"k" * 5)
        shown, said = page.rows, page.status
        await page.press("enter")
        page.reload()  # as when a sync brings calls
        await page.idle()
        assert page.status[:12] == said[:12] != ""
        await page.press("escape")
        await page.idle()
        assert page.rows == shown


async def test_typing_narrows_the_table_and_escape_brings_everything_back(synced: Home) -> None:
    async with open_page(synced("cinnox"), size=(120, 30)) as page:
        await page.idle()
        everything = page.count
        await page.type_text("/missed")
        await page.until(lambda: 0 < page.count < everything)
        await page.until(lambda: page.rows and all("missed" in row for row in page.rows))
        await page.press("enter")
        assert page.focused is page.table
        await page.type_text("/ x")
        await page.press("escape")
        await page.idle()
        assert page.query == "missed", "the text of before stands there again"
        await page.press("escape")
        await page.until(lambda: page.count == everything)


async def test_what_is_not_understood_is_shown_and_narrows_nothing(synced: Home) -> None:
    async with open_page(synced("cinnox"), size=(120, 30)) as page:
        await page.idle()
        everything = page.count
        await page.type_text("/agnt:anna")
        await page.pause()
        assert "^ agnt: is not a field" in page.text
        await page.idle()
        assert page.count == everything


async def test_keys_typed_ahead_of_the_screen_stay_in_order(synced: Home) -> None:
    """As they come over a slow line: several in one packet."""
    from textual import events

    async with open_page(synced("cinnox"), size=(120, 30)) as page:
        await page.idle()
        keys = ["slash", "a", "1", "ctrl+u", *"voicemail", "enter", "j", "j"]
        for key in keys:
            char = key if len(key) == 1 else None
            page.app.post_message(events.Key(key, "/" if key == "slash" else char))
        await page.until(lambda: page.query == "voicemail")
        await page.idle()
        assert page.focused is page.table
        assert "voicemail" in page.row


async def test_each_column_sorts_by_key_and_by_mouse(synced: Home) -> None:
    async with open_page(synced("cinnox"), size=(120, 30)) as page:
        await page.idle()
        newest = page.row
        await page.press("z")
        await page.until(lambda: page.row != newest)
        await page.click(page.table, 77 - 26, 0)
        column = page.sort[0]
        assert column != "time"
        await page.press("greater_than_sign")
        await page.idle()
        assert page.sort[0] != column
        await page.press("less_than_sign")
        await page.idle()
        assert page.sort[0] == column


async def test_a_click_chooses_and_a_second_one_opens(synced: Home) -> None:
    async with open_page(synced("cinnox")) as page:
        await page.idle()
        await page.click(page.table, 20, 4)
        assert page.table.cursor == 3
        await page.click(page.table, 20, 4)
        await page.pause()
        assert page.detail_is_open


async def test_views_by_number_by_sidebar_and_a_number_without_one(synced: Home) -> None:
    async with open_page(synced("cinnox"), size=(120, 30)) as page:
        await page.idle()
        await page.press("3")
        await page.idle()
        assert page.query == "in voicemail untriaged"
        assert page.sidebar.selected == ("view", "voicemail")
        assert page.rows and all("voicemai" in row for row in page.rows)
        await page.press("9")
        await page.pause()
        assert "no view has the key 9" in page.status
        sidebar = page.sidebar
        await page.click(sidebar, 4, 0)
        await page.idle()
        assert page.query == ""
        await page.press("shift+tab", "j", "j", "enter", "j")
        await page.idle()
        assert page.query == "open-miss -state:done -state:snoozed"
        assert page.table.cursor == 1, "after the choice the keys are the table's"


async def test_the_next_page_comes_near_the_end_and_the_total_is_the_vendors(
    home: Home, many: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.screens.sync_controller.FIRST_PAGES", 1)
    async with open_page(home("liner", sandbox=many), size=(100, 24)) as page:
        await page.idle()
        assert page.count == 100
        total = _total(page)
        assert page.status.startswith(f" rows 1-21 of {total:,} · page 1 of {-(-total // 100)}")
        await page.press("G")
        await page.until(lambda: page.count == 200)
        await page.idle()
        assert page.status.startswith(f" rows 80-100 of {total:,} · page 1 of")
        await page.press("j")
        await page.pause()
        assert page.status.startswith(f" rows 81-101 of {total:,} · page 1 of")


def _total(page: CallsPage) -> int:
    walk = page.walks("liner")[0]
    assert walk.total is not None
    return walk.total


async def test_without_a_total_the_status_line_says_so_far(
    home: Home, many: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.screens.sync_controller.FIRST_PAGES", 1)
    async with open_page(home("cinnox", sandbox=many), size=(100, 24)) as page:
        await page.idle()
        loaded = page.count
        assert page.status.startswith(f" rows 1-21 of {loaded:,} so far · page 1 ")
        await page.press("G")
        await page.until(lambda: page.count > loaded)
        await page.idle()
        assert "so far" not in page.status.partition("  ")[0], "that was the last page"


async def test_what_another_process_writes_appears_and_the_cursor_stays_on_its_call(
    home: Home,
) -> None:
    services = home("cinnox", "nectar")
    async with open_page(services, "account:cinnox", size=(100, 24)) as page:
        await page.idle()
        await page.press("j", "j", "j")
        before, line = page.row, page.cursor
        with services.open_archive() as other:
            newest = other.call(page.calls()[0].key)
            assert newest is not None
            assert newest[1].started_at is not None
            later = newest[1].started_at + timedelta(hours=1)
            with other.transaction():
                other.save("cinnox", [replace(newest[1], id="later", started_at=later)])
        await page.until(lambda: page.table.cursor == line + 1)
        assert page.row == before


async def test_what_nobody_has_changed_is_not_read_anew(
    synced: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    services, readings, keys = synced("cinnox"), [], Archive.keys

    def counted(self: Archive, *args: Any, **more: Any) -> Any:
        readings.append(args)
        return keys(self, *args, **more)

    async with open_page(services) as page:
        await page.idle()
        monkeypatch.setattr(Archive, "keys", counted)
        await page.idle()  # it looks twice
        assert readings == []
        with services.open_archive() as other:
            other.triage.append([page.call_name], [state("done")], "ben")
        await page.idle()
        assert len(readings) == 1
        await page.idle()
        assert len(readings) == 1


async def test_columns_are_chosen_and_kept(synced: Home) -> None:
    services = synced("cinnox")
    async with open_page(services, size=(120, 30)) as page:
        await page.idle()
        assert "Outcome" in page.header
        await page.press("C", "j", "j", "space", "enter")
        await page.until(lambda: "Outcome" not in page.header)
        await page.until(
            lambda: "outcome" not in (services.settings().table.columns or ("outcome",))
        )


async def test_columns_that_cannot_be_kept_are_shown_and_that_is_said(synced: Home) -> None:
    services = synced("cinnox")
    async with open_page(services, size=(200, 30)) as page:
        await page.idle()
        services.paths.config_file.write_text("[table\n")
        await page.press("C", "j", "j", "space", "enter")
        await page.until(lambda: "the columns are not kept:" in page.status)
        assert "Outcome" not in page.header


async def test_resizing_changes_the_panes_and_keeps_the_call(synced: Home) -> None:
    async with open_page(synced("cinnox"), size=(200, 50)) as page:
        await page.idle()
        assert page.panes == {"sidebar", "list", "detail"}
        await page.press("j", "j")
        row = page.key
        await page.resize(80, 24)
        await page.pause()
        assert page.panes == {"list"}
        assert page.status.startswith(" rows 1-21 of"), "it speaks of the new height"
        assert page.key == row and page.focused is page.table
        await page.press("b", "p")
        await page.pause()
        assert page.panes == {"sidebar", "detail"}, "80 columns hold one of the other two"


async def test_all_is_loaded_on_demand_and_cancelled_by_a_key(
    home: Home, monkeypatch: pytest.MonkeyPatch, many: Sandbox
) -> None:
    monkeypatch.setattr("tui.screens.sync_controller.FIRST_PAGES", 1)
    async with open_page(home("liner", sandbox=many), size=(120, 24)) as page:
        await page.idle()
        total = _total(page)
        await page.press("ctrl+x")
        await page.pause()
        assert "nothing is running" in page.status
        many.fail("liner", status=0, times=2, delay_s=1.0, path="/v2/call/")
        await page.press("R")
        await page.until(lambda: "(ctrl+x stops)" in page.status or page.syncing)
        await page.press("R")
        await page.press("ctrl+x")
        await page.until(lambda: not page.syncing)
        assert "1 stopped; what came is kept" in page.status
        assert page.count < total
        await page.press("R")
        await page.until(lambda: page.syncing)
        await page.idle()
        assert page.walks("liner") == []


async def test_names_are_completed_while_a_query_is_typed(synced: Home) -> None:
    services = synced("nectar")
    async with open_page(services) as page:
        await page.idle()
        with services.open_archive() as archive:
            agent = archive.suggest("agent", "a")[0]
        await page.press("slash", *["colon" if char == ":" else char for char in "agent:a"])
        await page.until(lambda: f" tab  {agent}" in page.text)
        await page.press("tab", "enter")
        await page.idle()
        assert page.query == f'agent:"{agent}" '
        shown = page.calls(50)
        assert shown and all(agent in (row.agents or "") for row in shown)
        assert " tab  " not in page.text
        await page.press("escape", "slash", *["colon" if c == ":" else c for c in "state:f"])
        await page.until(lambda: " tab  follow-up" in page.text)
        await page.press("escape")
        assert " tab  " not in page.text


@pytest.mark.parametrize("text", ["missed foo:x", "日本 foo:x", f"{'a ' * 30}foo:x"])
async def test_the_sign_stands_under_what_was_not_understood(home: Home, text: str) -> None:
    async with open_page(home(), text) as page:
        await page.until(lambda: "^" in page.text)
        line, below = page.text.splitlines()[:2]
        place = line.index("foo:x")
        assert cell_len(below.partition("^")[0]) == cell_len(line[:place])
        assert "foo: is not a field" in below


async def test_a_name_that_no_call_has_is_marked_while_it_is_typed(synced: Home) -> None:
    async with open_page(synced("nectar")) as page:
        await page.idle()
        await page.type_text("/in vendor:nectr")
        await page.until(lambda: '^ no vendor "nectr"; the nearest is nectar' in page.text)
        place = page.text.splitlines()[0].index("vendor:")
        assert page.text.splitlines()[1].index("^") == place
        await page.press("backspace", "a")
        await page.until(lambda: "tab  nectar" in page.text and "^" not in page.text)
        await page.type_text("r -tag:nosuch")
        await page.until(lambda: '"nosuch"' in page.text)
        await page.press("enter")
        await page.idle()  # it narrows nothing
        await page.until(lambda: '"nosuch"' in page.text and page.rows[0].startswith(">"))
        await page.press("escape")
        await page.until(lambda: '"nosuch"' not in page.text)


async def test_a_view_of_one_account_keeps_the_views_order(synced: Home) -> None:
    view = next(view for view in DEFAULT_VIEWS if view.sort)
    services = synced("nectar")
    async with open_page(services, f"account:nectar {view.query}", size=(120, 30)) as page:
        assert page.sort == sort_of(view.sort) == page.table.sort
        await page.idle()
        assert page.sidebar.selected == ("view", view.name)
        waits = [row.wait_s or 0 for row in page.calls(20)]
        assert len(waits) > 1 and waits == sorted(waits, reverse=True)


async def test_the_sidebar_counts_what_the_calls_shown_have_and_narrows_by_it(synced: Home) -> None:
    services = synced("nectar")
    async with open_page(services, size=(120, 50)) as page:
        await page.idle()
        sidebar = page.sidebar

        def first_is_right() -> bool:
            with services.open_archive() as archive:
                wanted = parse(f"{page.query} {sidebar.facets[0].query}", NOW, UTC)
                return sidebar.facets[0].calls == f"{archive.count(wanted):,}"

        await page.until(lambda: sidebar.facets and first_is_right())
        agent, before = sidebar.facets[0], sidebar.facets
        at = next(y for y in range(50) if agent.name[:12] in text_of(sidebar).splitlines()[y])
        await page.click(Sidebar, 5, at)
        await page.idle()
        assert page.query == agent.query
        shown = page.calls(500)
        assert 1 < int(agent.calls) <= len(shown), "further pages may have come meanwhile"
        assert all(agent.name in (row.agents or "") for row in shown)
        await page.until(lambda: sidebar.facets != before and first_is_right())
        assert sidebar.facets[0].name == agent.name, "of these calls all are this agent's"
        sidebar.post_message(Sidebar.Chosen("facet", agent.query))
        await page.until(lambda: page.query == "")


async def test_columns_and_themes_that_there_are_not_are_told(home: Home) -> None:
    services = home()
    with services.paths.config_file.open("a") as config:
        config.write(
            '[app]\ntheme = "no-such"\n[table]\ncolumns = ["time", "nope"]\nsort = "-zzz"\n'
            '[views.mine]\nquery = "in"\nsort = "wrong\\u001b[31m"\n'
        )
    async with open_page(services, notifications=True) as page:
        await page.idle()
        said = page.notices
    for wrong in (
        "app.theme: there is no theme no-such",
        "table.columns: there is no column nope",
        "table.sort: there is no column -zzz",
        "views.mine.sort: there is no column wrong\ufffd[31m",
    ):
        assert wrong in said


async def test_a_query_is_kept_as_a_view_and_shown_by_its_key(synced: Home) -> None:
    services = synced("cinnox")
    async with open_page(services, size=(160, 40)) as page:
        await page.idle()
        await page.press("V")
        await page.until(lambda: "there is no query to keep" in page.status)
        await page.press("slash", *"in missed", "enter", "V", *"lost calls", "enter")
        await page.until(lambda: "lost calls is a view now" in page.status)
        assert [view.query for view in services.settings().views] == ["in missed"]
        assert ("lost calls", "8") in [(view.title, view.key) for view in page.sidebar.views]
        await page.press("escape")
        await page.until(lambda: page.query == "")
        await page.press("8")
        await page.until(lambda: page.query == "in missed")


async def test_a_view_that_cannot_be_kept_says_why(synced: Home) -> None:
    services = synced("cinnox")
    async with open_page(services, "missed", size=(200, 30)) as page:
        await page.idle()
        services.paths.config_file.write_text("[table\n")
        await page.press("V", "x", "enter")
        await page.until(lambda: "the view is not kept:" in page.status)


async def test_earlier_queries_come_back_in_the_line(synced: Home) -> None:
    async with open_page(synced("cinnox"), size=(120, 30)) as page:
        await page.idle()
        for query in ("missed", "busy", "missed", "in"):
            await page.press("slash", "ctrl+u", *query, "enter")
            await page.until(lambda query=query: page.query == query)  # type: ignore[misc]
        await page.press("slash", "ctrl+u", *"ou", "up")
        await page.until(lambda: page.query == "in")
        await page.press("up", "up", "up", "up")
        await page.until(lambda: page.query == "busy")
        await page.press("down")
        await page.until(lambda: page.query == "missed")
        await page.press("down", "down")
        await page.until(lambda: page.query == "ou")
        assert page.is_typing
        await page.press("down")
        await page.until(lambda: not page.is_typing)
        assert page.query == "ou"
