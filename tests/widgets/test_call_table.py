"""The table of calls: keys, mouse, messages, and what it asks of its rows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from textual import events

from tests.widgets.hosts import Host, Seen, table_host
from tests.widgets.samples import CLOCK, ListRows, row
from widgets.call_table import NEAR_END, CallTable
from widgets.columns import Clock
from widgets.row_source import BLOCK

SIZE = (100, 21)  # a header and a page of 20


def seen() -> Seen:
    return Seen(CallTable.Highlighted, CallTable.Opened, CallTable.NearEnd, CallTable.SortRequested)


def table_of(host: Host) -> CallTable:
    return host.query_one(CallTable)


def shown(table: CallTable, y: int) -> str:
    """The text of a line as it would be painted."""
    return table.render_line(y).text


@pytest.mark.parametrize(
    ("keys", "cursor", "top"),
    [
        ("j", 1, 0),
        ("j down j k", 2, 0),
        ("k", 0, 0),
        ("G", 499, 480),
        ("G g", 0, 0),
        ("end home", 0, 0),
        ("pagedown", 20, 20),
        ("pagedown pageup", 0, 0),
        ("ctrl+d", 10, 10),
        ("ctrl+d ctrl+u", 0, 0),
        ("pagedown k", 19, 19),
        ("G pagedown", 499, 480),
    ],
)
async def test_keys_move_the_cursor_and_the_window(keys: str, cursor: int, top: int) -> None:
    host = table_host(ListRows(range(500)))
    async with host.run_test(size=SIZE) as pilot:
        await pilot.press(*keys.split())
        table = table_of(host)
        assert (table.cursor, table.visible_rows[0]) == (cursor, top)
        assert table.current_key == cursor
        assert shown(table, 1 + cursor - top).startswith((">", "!"))


async def test_the_window_scrolls_a_line_at_a_time() -> None:
    host = table_host(ListRows(range(500)))
    async with host.run_test(size=SIZE) as pilot:
        table_of(host).move_to(19)
        await pilot.press("j", "j")
        assert table_of(host).visible_rows == (2, 21)


async def test_messages_carry_the_key() -> None:
    hook = seen()
    host = table_host(ListRows(range(100, 600)))
    async with host.run_test(size=SIZE, message_hook=hook) as pilot:
        await pilot.pause()
        hook.take()
        await pilot.press("j", "enter", "k")
        first, second, third = hook.take()
        assert isinstance(first, CallTable.Highlighted) and first.key == 101
        assert isinstance(second, CallTable.Opened) and second.key == 101
        assert isinstance(third, CallTable.Highlighted) and third.key == 100


async def test_enter_without_rows_opens_nothing() -> None:
    hook = seen()
    host = table_host(ListRows([]))
    async with host.run_test(size=SIZE, message_hook=hook) as pilot:
        await pilot.press("j", "enter", "G")
        assert hook.take() == []
        assert table_of(host).current_key is None
        assert table_of(host).visible_rows == (0, -1)


async def test_new_calls_above_leave_the_cursor_on_its_call_and_line() -> None:
    hook = seen()
    host = table_host(ListRows(range(100, 600)))
    async with host.run_test(size=SIZE, message_hook=hook) as pilot:
        await pilot.press("pagedown", "j", "j")
        table = table_of(host)
        line = table.cursor - table.visible_rows[0]
        before = [shown(table, y) for y in range(21)]
        hook.take()
        table.set_rows(ListRows(range(600)))
        await pilot.pause()
        assert table.current_key == 122
        assert table.cursor == 122
        assert table.cursor - table.visible_rows[0] == line
        assert [shown(table, y) for y in range(21)] == before
        assert hook.take() == []


async def test_a_vanished_call_leaves_the_cursor_on_its_row() -> None:
    hook = seen()
    host = table_host(ListRows(range(50)))
    async with host.run_test(size=SIZE, message_hook=hook) as pilot:
        await pilot.press("j", "j", "j")
        hook.take()
        keys = [key for key in range(50) if key != 3]
        table_of(host).set_rows(ListRows(keys))
        await pilot.pause()
        assert table_of(host).cursor == 3
        (message,) = hook.take()
        assert isinstance(message, CallTable.Highlighted) and message.key == 4
        table_of(host).set_rows(ListRows([7]))
        assert table_of(host).current_key == 7
        table_of(host).set_rows(ListRows([]))
        assert table_of(host).current_key is None


async def test_without_keep_the_cursor_starts_again() -> None:
    host = table_host(ListRows(range(500)))
    async with host.run_test(size=SIZE) as pilot:
        await pilot.press("G")
        table_of(host).set_rows(ListRows(range(500)), keep=False)
        assert table_of(host).visible_rows == (0, 19)
        assert table_of(host).cursor == 0


async def test_near_end_is_posted_once_for_each_count() -> None:
    hook = Seen(CallTable.NearEnd)
    host = table_host(ListRows(range(100)))
    async with host.run_test(size=SIZE, message_hook=hook) as pilot:
        await pilot.press(*["pagedown"] * 2)
        assert hook.take() == []
        await pilot.press(*["pagedown"] * 2, "k", "G")
        (message,) = hook.take()
        assert isinstance(message, CallTable.NearEnd) and message.count == 100
        table_of(host).set_rows(ListRows(range(100 + NEAR_END - 1)))
        await pilot.pause()
        assert [m.count for m in hook.take()] == [100 + NEAR_END - 1]  # type: ignore[attr-defined]


async def test_another_query_with_as_many_rows_may_be_near_its_end_too() -> None:
    hook = Seen(CallTable.NearEnd)
    host = table_host(ListRows(range(30)))
    async with host.run_test(size=SIZE, message_hook=hook) as pilot:
        table_of(host).set_rows(ListRows(range(100, 130)), keep=False)
        await pilot.pause()
        assert len(hook.take()) == 2


@pytest.mark.parametrize(
    ("keys", "asked"),
    [
        (">", ("direction", False)),
        ("<", ("state", False)),
        ("z", ("time", False)),
    ],
)
async def test_sort_keys_ask_for_the_next_column(keys: str, asked: tuple[str, bool]) -> None:
    hook = Seen(CallTable.SortRequested)
    host = table_host(ListRows(range(10)))
    async with host.run_test(size=(60, 10), message_hook=hook) as pilot:
        await pilot.press(*keys)
        (message,) = hook.take()
        assert isinstance(message, CallTable.SortRequested)
        assert (message.column_id, message.descending) == asked
        table_of(host).sort = asked
        assert table_of(host).line(0)[0][0].count("↓" if asked[1] else "↑") == 1


async def test_a_click_selects_and_a_second_one_opens() -> None:
    hook = seen()
    host = table_host(ListRows(range(500)))
    async with host.run_test(size=SIZE, message_hook=hook) as pilot:
        await pilot.pause()
        hook.take()
        await pilot.click(CallTable, offset=(10, 6))
        (message,) = hook.take()
        assert isinstance(message, CallTable.Highlighted) and message.key == 5
        await pilot.click(CallTable, offset=(30, 6))
        (message,) = hook.take()
        assert isinstance(message, CallTable.Opened) and message.key == 5


async def test_a_click_below_the_last_row_does_nothing() -> None:
    hook = seen()
    host = table_host(ListRows(range(3)))
    async with host.run_test(size=SIZE, message_hook=hook) as pilot:
        await pilot.pause()
        hook.take()
        await pilot.click(CallTable, offset=(10, 12))
        assert hook.take() == []


async def test_a_click_on_the_header_sorts() -> None:
    hook = Seen(CallTable.SortRequested)
    host = table_host(ListRows(range(3)))
    async with host.run_test(size=SIZE, message_hook=hook) as pilot:
        for x, asked in ((2, ("time", False)), (19, ("outcome", False)), (98, ("account", False))):
            await pilot.click(CallTable, offset=(x, 0))
            (message,) = hook.take()
            assert isinstance(message, CallTable.SortRequested)
            assert (message.column_id, message.descending) == asked


async def test_the_wheel_scrolls_and_keeps_the_cursor_on_the_screen() -> None:
    host = table_host(ListRows(range(500)))
    async with host.run_test(size=SIZE) as pilot:
        table = table_of(host)
        await pilot.press(*["j"] * 5)
        for direction, top, cursor in ((1, 3, 5), (1, 6, 6), (-1, 3, 6), (-1, 0, 6), (-1, 0, 6)):
            kind = events.MouseScrollDown if direction > 0 else events.MouseScrollUp
            table.post_message(kind(table, 5, 5, 0, direction, 0, False, False, False))
            await pilot.pause()
            assert (table.visible_rows[0], table.cursor) == (top, cursor)


async def test_rows_are_read_in_aligned_blocks_and_kept() -> None:
    rows = ListRows(range(1_000_000))
    host = table_host(rows)
    async with host.run_test(size=SIZE) as pilot:
        await pilot.press("j", "pagedown", "j")
        assert rows.asked == [(0, BLOCK)]
        await pilot.press("G")
        assert all(start % BLOCK == 0 and stop - start == BLOCK for start, stop in rows.asked)
        assert len(rows.asked) == 2
        await pilot.press("g")
        assert len(rows.asked) == 2


async def test_an_archive_that_shrank_meanwhile_leaves_blank_lines() -> None:
    class Liar(ListRows):
        def __len__(self) -> int:
            return 30

    host = table_host(Liar(range(5)))
    async with host.run_test(size=SIZE) as pilot:
        await pilot.press("G")
        assert table_of(host).current_key is None
        assert shown(table_of(host), 20).strip() == ""


async def test_marks_and_problems_stand_in_the_gutter() -> None:
    host = table_host(ListRows(range(30)), marked=frozenset((2,)))
    async with host.run_test(size=SIZE):
        table = table_of(host)
        assert [shown(table, y)[0] for y in (1, 2, 3, 6)] == [">", " ", "*", "!"]
        assert row(5).problems


async def test_the_cursor_differs_by_more_than_colour() -> None:
    host = table_host(ListRows(range(30)))
    async with host.run_test(size=SIZE) as pilot:
        table = table_of(host)
        cursor, other = table.render_line(1)._segments[0], table.render_line(2)._segments[0]
        assert cursor.style and other.style
        assert cursor.style.reverse and cursor.style.bold
        assert not other.style.reverse and not other.style.bold
        host.set_focus(None)
        await pilot.pause()
        blurred = table.render_line(1)._segments[0]
        assert blurred.style and blurred.style.bold and not blurred.style.reverse


async def test_a_row_is_at_most_three_runs() -> None:
    host = table_host(ListRows(range(300)))
    async with host.run_test(size=SIZE):
        counts = [len(list(table_of(host).render_line(y))) for y in range(1, 21)]
        assert counts[0] == 1
        assert max(counts) == 3
        assert counts.count(1) >= 8


async def test_the_terminal_cursor_follows_the_row() -> None:
    host = table_host(ListRows(range(300)))
    async with host.run_test(size=SIZE) as pilot:
        await pilot.press("j", "j")
        assert host.cursor_position.y == 3


async def test_another_theme_is_drawn_at_once() -> None:
    host = table_host(ListRows(range(30)))
    async with host.run_test(size=SIZE) as pilot:
        before = table_of(host).render_line(0)._segments[0].style
        host.theme = "textual-light"
        await pilot.pause()
        assert table_of(host).render_line(0)._segments[0].style != before


async def test_the_next_day_todays_calls_show_their_date() -> None:
    host = table_host(ListRows(range(30)))
    async with host.run_test(size=SIZE):
        table = table_of(host)
        assert "15:05:33" in shown(table, 1)
        table.clock = Clock(CLOCK.now + timedelta(days=1), CLOCK.zone)
        assert "Nov 20 15:05" in shown(table, 1)


async def test_other_columns_and_a_narrower_screen() -> None:
    host = table_host(ListRows(range(30)))
    async with host.run_test(size=SIZE) as pilot:
        table = table_of(host)
        table.columns = ("id", "account")
        assert shown(table, 0).split() == ["Call", "id", "Account"]
        assert shown(table, 1).split() == [">C000000", "sales"]
        await pilot.resize_terminal(12, 5)
        assert shown(table, 0).split() == ["Account"]
        assert table.page_size == 4


async def test_moving_to_a_key() -> None:
    host = table_host(ListRows(range(500)))
    async with host.run_test(size=SIZE):
        table = table_of(host)
        assert table.move_to_key(250)
        assert table.current_key == 250
        assert not table.move_to_key(9999)
        assert table.current_key == 250
        table.move_to(10**9)
        assert table.cursor == 499


async def test_rows_read_again_show_what_changed() -> None:
    rows = ListRows(range(30))
    host = table_host(rows)
    async with host.run_test(size=SIZE):
        rows.make = lambda key: row(key, contact="Renamed")
        assert "Renamed" not in shown(table_of(host), 1)
        table_of(host).refresh_rows()
        assert "Renamed" in shown(table_of(host), 1)
