"""Calls appear, and one goes about in them: detail, filter, order, views, further pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

import pytest
from rich.cells import cell_len

from providers.sandbox import Sandbox
from tests.ui.conftest import NOW
from tests.ui.driving import (
    cursor_row,
    detail,
    main,
    page,
    press_each,
    rows,
    run_app,
    settled,
    status,
    table,
    text_of,
    until,
)
from tui.config.views import DEFAULT_VIEWS
from tui.query.parser import parse
from tui.screens.column_settings import sort_of
from tui.services import Services
from widgets.call_detail import CallDetail
from widgets.sidebar import Sidebar

Home = Callable[..., Services]


async def test_an_account_that_was_never_synced_shows_its_calls_by_itself(home: Home) -> None:
    async with run_app(home("nectar")).run_test(size=(80, 24)) as pilot:
        assert "Fetching calls" in page(pilot) or rows(pilot)
        await until(pilot, lambda: any(row.startswith(">") for row in rows(pilot)))
        await settled(pilot)
        assert len(table(pilot)._rows) > 50
        assert status(pilot).startswith(" rows 1-21 of")


async def test_enter_opens_a_detail_that_shows_who_what_and_which_recordings(synced: Home) -> None:
    async with run_app(synced("nectar"), "rec dispo:c").run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("j", "enter")
        await until(pilot, lambda: pilot.app.focused is main(pilot).query_one(CallDetail))
        opened = table(pilot).current_key
        for heading in ("Overview", "Agents", "Disposition", "Recordings", "Timeline"):
            await until(pilot, lambda wanted=heading: f"\n{wanted}" in f"\n{detail(pilot)}")
        assert not main(pilot).query_one("#list").display, "80 columns hold one pane"
        await pilot.press("escape")
        assert main(pilot).query_one("#list").display and pilot.app.focused is table(pilot)
        assert table(pilot).current_key == opened, "newer calls may have come above it"


async def test_a_detail_that_covers_the_table_leaves_its_rows_where_they_stood(
    synced: Home,
) -> None:
    async with run_app(synced("nectar")).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press(*"j" * 30, *"k" * 5)
        shown, said = rows(pilot), status(pilot)
        await pilot.press("enter")
        main(pilot).calls.rows.reload()  # as when a sync brings calls
        await settled(pilot)
        assert status(pilot)[:12] == said[:12] != ""
        await pilot.press("escape")
        await settled(pilot)
        assert rows(pilot) == shown


async def test_typing_narrows_the_table_and_escape_brings_everything_back(synced: Home) -> None:
    async with run_app(synced("cinnox")).run_test(size=(120, 30)) as pilot:
        await settled(pilot)
        everything = len(table(pilot)._rows)
        await press_each(pilot, "/missed")
        await until(pilot, lambda: 0 < len(table(pilot)._rows) < everything)
        await until(pilot, lambda: all("missed" in row for row in rows(pilot) if row.strip()))
        await pilot.press("enter")
        assert pilot.app.focused is table(pilot)
        await press_each(pilot, "/ x")
        await pilot.press("escape")
        await settled(pilot)
        assert main(pilot).query_text == "missed", "the text of before stands there again"
        await pilot.press("escape")
        await until(pilot, lambda: len(table(pilot)._rows) == everything)


async def test_what_is_not_understood_is_shown_and_narrows_nothing(synced: Home) -> None:
    async with run_app(synced("cinnox")).run_test(size=(120, 30)) as pilot:
        await settled(pilot)
        everything = len(table(pilot)._rows)
        await press_each(pilot, "/agnt:anna")
        await pilot.pause()
        assert "^ agnt: is not a field" in page(pilot)
        await settled(pilot)
        assert len(table(pilot)._rows) == everything


async def test_keys_typed_ahead_of_the_screen_stay_in_order(synced: Home) -> None:
    """As they come over a slow line: several in one packet."""
    from textual import events

    async with run_app(synced("cinnox")).run_test(size=(120, 30)) as pilot:
        await settled(pilot)
        keys = ["slash", "a", "1", "ctrl+u", *"voicemail", "enter", "j", "j"]
        for key in keys:
            char = key if len(key) == 1 else None
            pilot.app.post_message(events.Key(key, "/" if key == "slash" else char))
        await until(pilot, lambda: main(pilot).query_text == "voicemail")
        await settled(pilot)
        assert pilot.app.focused is table(pilot)
        assert "voicemail" in cursor_row(pilot)


async def test_each_column_sorts_by_key_and_by_mouse(synced: Home) -> None:
    async with run_app(synced("cinnox")).run_test(size=(120, 30)) as pilot:
        await settled(pilot)
        newest = cursor_row(pilot)
        await pilot.press("z")
        await until(pilot, lambda: cursor_row(pilot) != newest)
        await pilot.click(table(pilot), offset=(77 - 26, 0))
        column = main(pilot).sort[0]
        assert column != "time"
        await pilot.press("greater_than_sign")
        await settled(pilot)
        assert main(pilot).sort[0] != column
        await pilot.press("less_than_sign")
        await settled(pilot)
        assert main(pilot).sort[0] == column


async def test_a_click_chooses_and_a_second_one_opens(synced: Home) -> None:
    async with run_app(synced("cinnox")).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.click(table(pilot), offset=(20, 4))
        assert table(pilot).cursor == 3
        await pilot.click(table(pilot), offset=(20, 4))
        await pilot.pause()
        assert main(pilot).detail_open


async def test_views_by_number_by_sidebar_and_a_number_without_one(synced: Home) -> None:
    async with run_app(synced("cinnox")).run_test(size=(120, 30)) as pilot:
        await settled(pilot)
        await pilot.press("3")
        await settled(pilot)
        assert main(pilot).query_text == "in voicemail untriaged"
        assert main(pilot).query_one(Sidebar).selected == ("view", "voicemail")
        assert all("voicemai" in row for row in rows(pilot) if row.strip())
        await pilot.press("9")
        await pilot.pause()
        assert "no view has the key 9" in status(pilot)
        sidebar = main(pilot).query_one(Sidebar)
        await pilot.click(sidebar, offset=(4, 0))
        await settled(pilot)
        assert main(pilot).query_text == ""
        await pilot.press("shift+tab", "j", "j", "enter", "j")
        await settled(pilot)
        assert main(pilot).query_text == "open-miss -state:done -state:snoozed"
        assert table(pilot).cursor == 1, "after the choice the keys are the table's"


async def test_the_next_page_comes_near_the_end_and_the_total_is_the_vendors(
    home: Home, many: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.screens.sync_controller.FIRST_PAGES", 1)
    async with run_app(home("liner", sandbox=many)).run_test(size=(100, 24)) as pilot:
        await settled(pilot)
        assert len(table(pilot)._rows) == 100
        total = _total(pilot)
        assert status(pilot).startswith(f" rows 1-21 of {total:,} · page 1 of {-(-total // 100)}")
        await pilot.press("G")
        await until(pilot, lambda: len(table(pilot)._rows) == 200)
        await settled(pilot)
        assert status(pilot).startswith(f" rows 80-100 of {total:,} · page 1 of")
        await pilot.press("j")
        await pilot.pause()
        assert status(pilot).startswith(f" rows 81-101 of {total:,} · page 1 of")


def _total(pilot: Any) -> int:
    walk = main(pilot).ctx.snapshot.walks["liner"][0]
    assert walk.total is not None
    return walk.total


async def test_without_a_total_the_status_line_says_so_far(
    home: Home, many: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.screens.sync_controller.FIRST_PAGES", 1)
    async with run_app(home("cinnox", sandbox=many)).run_test(size=(100, 24)) as pilot:
        await settled(pilot)
        loaded = len(table(pilot)._rows)
        assert status(pilot).startswith(f" rows 1-21 of {loaded:,} so far · page 1 ")
        await pilot.press("G")
        await until(pilot, lambda: len(table(pilot)._rows) > loaded)
        await settled(pilot)
        assert "so far" not in status(pilot).partition("  ")[0], "that was the last page"


async def test_what_another_process_writes_appears_and_the_cursor_stays_on_its_call(
    home: Home,
) -> None:
    services = home("cinnox", "nectar")
    async with run_app(services, "account:cinnox").run_test(size=(100, 24)) as pilot:
        await settled(pilot)
        await pilot.press("j", "j", "j")
        before, line = cursor_row(pilot), table(pilot).cursor
        with services.open_archive() as other:
            newest = other.call(table(pilot)._rows.window(0, 1)[0].key)
            assert newest is not None
            assert newest[1].started_at is not None
            later = newest[1].started_at + timedelta(hours=1)
            with other.transaction():
                other.save("cinnox", [replace(newest[1], id="later", started_at=later)])
        await until(pilot, lambda: table(pilot).cursor == line + 1)
        assert cursor_row(pilot) == before


async def test_columns_are_chosen_and_kept(synced: Home) -> None:
    services = synced("cinnox")
    async with run_app(services).run_test(size=(120, 30)) as pilot:
        await settled(pilot)
        assert "Outcome" in text_of(table(pilot)).splitlines()[0]
        await pilot.press("C", "j", "j", "space", "enter")
        await until(pilot, lambda: "Outcome" not in text_of(table(pilot)).splitlines()[0])
        await until(
            pilot, lambda: "outcome" not in (services.settings().table.columns or ("outcome",))
        )


async def test_resizing_changes_the_panes_and_keeps_the_call(synced: Home) -> None:
    async with run_app(synced("cinnox")).run_test(size=(200, 50)) as pilot:
        await settled(pilot)
        screen = main(pilot)
        detail_pane, sidebar = screen.query_one(CallDetail), screen.query_one(Sidebar)
        assert detail_pane.display and sidebar.display
        await pilot.press("j", "j")
        row = table(pilot).current_key
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert not detail_pane.display and not sidebar.display
        assert status(pilot).startswith(" rows 1-21 of"), "it speaks of the new height"
        assert table(pilot).current_key == row and pilot.app.focused is table(pilot)
        await pilot.press("b", "p")
        await pilot.pause()
        assert sidebar.display and detail_pane.display


async def test_all_is_loaded_on_demand_and_cancelled_by_a_key(
    home: Home, monkeypatch: pytest.MonkeyPatch, many: Sandbox
) -> None:
    monkeypatch.setattr("tui.screens.sync_controller.FIRST_PAGES", 1)
    async with run_app(home("liner", sandbox=many)).run_test(size=(120, 24)) as pilot:
        await settled(pilot)
        total = _total(pilot)
        await pilot.press("ctrl+x")
        await pilot.pause()
        assert "nothing is running" in status(pilot)
        many.fail("liner", status=0, times=2, delay_s=1.0, path="/v2/call/")
        await pilot.press("R")
        await until(pilot, lambda: "(ctrl+x stops)" in status(pilot) or main(pilot).sync.busy)
        await pilot.press("R")
        await pilot.press("ctrl+x")
        await until(pilot, lambda: not main(pilot).sync.busy)
        assert "1 stopped; what came is kept" in status(pilot)
        assert len(table(pilot)._rows) < total
        await pilot.press("R")
        await until(pilot, lambda: main(pilot).sync.busy)
        await settled(pilot)
        assert main(pilot).ctx.snapshot.walks["liner"] == []


async def test_names_are_completed_while_a_query_is_typed(synced: Home) -> None:
    services = synced("nectar")
    async with run_app(services).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        with services.open_archive() as archive:
            agent = archive.suggest("agent", "a")[0]
        await pilot.press("slash", *["colon" if char == ":" else char for char in "agent:a"])
        await until(pilot, lambda: f" tab  {agent}" in page(pilot))
        await pilot.press("tab", "enter")
        await settled(pilot)
        assert main(pilot).query_text == f'agent:"{agent}" '
        shown = table(pilot)._rows.window(0, 50)
        assert shown and all(agent in (row.agents or "") for row in shown)
        assert " tab  " not in page(pilot)
        await pilot.press("escape", "slash", *["colon" if c == ":" else c for c in "state:f"])
        await until(pilot, lambda: " tab  follow-up" in page(pilot))
        await pilot.press("escape")
        assert " tab  " not in page(pilot)


@pytest.mark.parametrize("text", ["missed foo:x", "日本 foo:x", f"{'a ' * 30}foo:x"])
async def test_the_sign_stands_under_what_was_not_understood(home: Home, text: str) -> None:
    async with run_app(home(), text).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "^" in page(pilot))
        line, below = page(pilot).splitlines()[:2]
        place = line.index("foo:x")
        assert cell_len(below.partition("^")[0]) == cell_len(line[:place])
        assert "foo: is not a field" in below


async def test_a_name_that_no_call_has_is_marked_while_it_is_typed(synced: Home) -> None:
    async with run_app(synced("nectar")).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await press_each(pilot, "/in vendor:nectr")
        await until(pilot, lambda: '^ no vendor "nectr"; the nearest is nectar' in page(pilot))
        place = page(pilot).splitlines()[0].index("vendor:")
        assert page(pilot).splitlines()[1].index("^") == place
        await pilot.press("backspace", "a")
        await until(pilot, lambda: "tab  nectar" in page(pilot) and "^" not in page(pilot))
        await press_each(pilot, "r -tag:nosuch")
        await until(pilot, lambda: '"nosuch"' in page(pilot))
        await pilot.press("enter")
        await settled(pilot)  # it narrows nothing
        await until(pilot, lambda: '"nosuch"' in page(pilot) and rows(pilot)[0].startswith(">"))
        await pilot.press("escape")
        await until(pilot, lambda: '"nosuch"' not in page(pilot))


async def test_a_view_of_one_account_keeps_the_views_order(synced: Home) -> None:
    view = next(view for view in DEFAULT_VIEWS if view.sort)
    services = synced("nectar")
    async with run_app(services, f"account:nectar {view.query}").run_test(size=(120, 30)) as pilot:
        assert main(pilot).sort == sort_of(view.sort) == table(pilot).sort
        await settled(pilot)
        assert main(pilot).query_one(Sidebar).selected == ("view", view.name)
        waits = [row.wait_s or 0 for row in table(pilot)._rows.window(0, 20)]
        assert len(waits) > 1 and waits == sorted(waits, reverse=True)


async def test_the_sidebar_counts_what_the_calls_shown_have_and_narrows_by_it(synced: Home) -> None:
    services = synced("nectar")
    async with run_app(services).run_test(size=(120, 50)) as pilot:
        await settled(pilot)
        sidebar = main(pilot).query_one(Sidebar)

        def first_is_right() -> bool:
            with services.open_archive() as archive:
                wanted = parse(f"{main(pilot).query_text} {sidebar.facets[0].query}", NOW, UTC)
                return sidebar.facets[0].calls == f"{archive.count(wanted):,}"

        await until(pilot, lambda: sidebar.facets and first_is_right())
        agent, before = sidebar.facets[0], sidebar.facets
        at = next(y for y in range(50) if agent.name[:12] in text_of(sidebar).splitlines()[y])
        await pilot.click(Sidebar, offset=(5, at))
        await settled(pilot)
        assert main(pilot).query_text == agent.query
        shown = table(pilot)._rows.window(0, 500)
        assert 1 < int(agent.calls) <= len(shown), "further pages may have come meanwhile"
        assert all(agent.name in (row.agents or "") for row in shown)
        await until(pilot, lambda: sidebar.facets != before and first_is_right())
        assert sidebar.facets[0].name == agent.name, "of these calls all are this agent's"
        sidebar.post_message(Sidebar.Chosen("facet", agent.query))
        await until(pilot, lambda: main(pilot).query_text == "")


async def test_columns_and_themes_that_there_are_not_are_told(home: Home) -> None:
    services = home()
    with services.paths.config_file.open("a") as config:
        config.write(
            '[app]\ntheme = "no-such"\n[table]\ncolumns = ["time", "nope"]\nsort = "-zzz"\n'
            '[views.mine]\nquery = "in"\nsort = "wrong\\u001b[31m"\n'
        )
    app = run_app(services)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settled(pilot)
        said = " ".join(notice.message for notice in app._notifications)
    for wrong in (
        "app.theme: there is no theme no-such",
        "table.columns: there is no column nope",
        "table.sort: there is no column -zzz",
        "views.mine.sort: there is no column wrong\ufffd[31m",
    ):
        assert wrong in said
