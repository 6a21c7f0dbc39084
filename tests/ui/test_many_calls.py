"""The screen holds a part of the rows: everything must work beyond it, whatever its size."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any, NoReturn

import pytest
from textual.pilot import Pilot

from tests.archive.calls import call
from tests.few import few
from tests.ui.desk import CALLS, NOW, desk_of
from tests.ui.driving import burst, main, page, press_each, rows, run_app, status, table, until
from tui.app import RingbackApp
from tui.archive.errors import ArchiveUnavailable
from tui.archive.records import UNTRIAGED, SortOrder
from tui.archive.sqlite import Archive
from tui.archive.triage_events import state
from tui.call_links import Link
from tui.config.paths import Paths
from tui.playback.listening import Playing
from tui.query.parser import EVERYTHING, Query, parse
from tui.screens import row_counts, row_window
from tui.screens.activity import Activity
from tui.screens.archive_reads import ArchiveRead
from tui.services import Services
from widgets.confirm import Confirm
from widgets.status_line import StatusLine

WINDOW_ROWS = 400
TALL = (80, 160)
UNDECIDED = Query((UNTRIAGED,))

ROWS = Activity.READING | Activity.OUTDATED | Activity.WRITING


@pytest.fixture
def desk(paths: Paths, filled: Path, monkeypatch: pytest.MonkeyPatch) -> Services:
    """12,000 calls of accounts that cannot be reached; the screen holds few of them."""
    monkeypatch.setattr(row_window, "WINDOW_ROWS", WINDOW_ROWS)
    monkeypatch.setattr(row_window, "MOST_ROWS", 3 * WINDOW_ROWS)
    return desk_of(paths, filled)


@pytest.fixture
def archive(desk: Services) -> Iterator[Archive]:
    """Another connection."""
    with desk.open_archive() as archive:
        yield archive


def ask_for_ever(archive: Archive, ended: Event) -> NoReturn:
    """A question that ends when it is interrupted, which it raises and says."""
    sql = "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n) SELECT count(*) FROM n"
    try:
        archive._db.execute(sql).fetchone()
    finally:
        ended.set()
    raise AssertionError("it was interrupted")


async def still(pilot: Pilot[None]) -> None:
    """Wait until nothing is read, counted, written or asked."""
    screen = main(pilot)

    def busy() -> bool:
        working = screen.activity & (ROWS | Activity.EXTENDING)
        return bool(
            working
            or screen.sync.busy
            or screen.ctx.is_working("count")
            or screen.ctx.is_working("range")
        )

    await until(pilot, lambda: not screen.activity & Activity.STARTING and not busy())
    await pilot.pause()


def here(pilot: Pilot[None]) -> int | None:
    return table(pilot).current_key


def place(pilot: Pilot[None]) -> int:
    """The cursor's row among all, from 0."""
    above = main(pilot).ctx.snapshot.part.above
    assert above is not None, page(pilot)
    return above + table(pilot).cursor


def on_screen(pilot: Pilot[None]) -> dict[int, int]:
    """Keys of the rows on the screen, by where they stand among all."""
    above, (first, last) = main(pilot).ctx.snapshot.part.above, table(pilot).visible_rows
    assert above is not None
    found = (table(pilot)._blocks.row(index) for index in range(first, last + 1))
    return {above + first + n: row.key for n, row in enumerate(found) if row}


async def scroll(pilot: Pilot[None], key: str, pages: int) -> dict[int, int]:
    """Press a key so often, or to the end; what stood on the screen meanwhile, by its place."""
    seen = on_screen(pilot)
    for _ in range(pages):
        before = place(pilot)
        await pilot.press(key)
        part = main(pilot).ctx.snapshot.part
        ends = part.ends if key == "pagedown" else part.begins
        if place(pilot) == before and ends:
            break
        shown = on_screen(pilot)
        assert all(seen.get(at, one) == one for at, one in shown.items()), "a row has moved"
        seen |= shown
        await until(pilot, lambda: not main(pilot).activity & Activity.EXTENDING)
    return seen


@pytest.mark.slow
async def test_every_row_comes_once_from_the_first_to_the_last_and_back(
    desk: Services, archive: Archive
) -> None:
    whole = dict(enumerate(archive.keys()))
    async with run_app(desk).run_test(size=TALL) as pilot:
        await still(pilot)
        assert f"rows 1-157 of {CALLS:,}" in status(pilot), status(pilot)
        assert await scroll(pilot, "pagedown", 400) == whole
        assert here(pilot) == whole[CALLS - 1]
        assert len(main(pilot).ctx.snapshot.part.keys) <= 3 * WINDOW_ROWS
        assert f"rows 11,844-{CALLS:,} of {CALLS:,} " in status(pilot)
        back = await scroll(pilot, "pageup", 20)
        assert len(back) > 3 * WINDOW_ROWS and back.items() <= whole.items()
        await still(pilot)
        await pilot.press("g")
        await still(pilot)
        assert here(pilot) == whole[0] and on_screen(pilot).items() <= whole.items()


@pytest.mark.parametrize("column", few(1, ["agents", "note"]))
async def test_in_another_order_too(desk: Services, archive: Archive, column: str) -> None:
    whole = dict(enumerate(archive.keys(EVERYTHING, SortOrder(column, False))))
    async with run_app(desk).run_test(size=TALL) as pilot:
        await still(pilot)
        main(pilot).calls.sort_by(column, False)
        await still(pilot)
        down = await scroll(pilot, "pagedown", 15)
        assert len(down) > 4 * WINDOW_ROWS and down.items() <= whole.items()
        await pilot.press("G")
        await still(pilot)
        assert here(pilot) == whole[CALLS - 1] and place(pilot) == CALLS - 1
        up = await scroll(pilot, "pageup", 15)
        assert len(up) > 4 * WINDOW_ROWS and up.items() <= whole.items()
        await pilot.press("home")
        await still(pilot)
        assert here(pilot) == whole[0] and place(pilot) == 0


async def test_the_last_call_is_reached_by_one_key_and_shown_where_it_stands(
    desk: Services, archive: Archive
) -> None:
    whole = archive.keys()
    async with run_app(desk).run_test(size=(80, 24)) as pilot:
        await still(pilot)
        await pilot.press("G")
        await still(pilot)
        assert here(pilot) == whole[-1] and len(main(pilot).ctx.snapshot.part.keys) == WINDOW_ROWS
        assert f"rows 11,980-{CALLS:,} of {CALLS:,} " in status(pilot)
        assert rows(pilot)[-1].startswith(">"), "the last line of the table"
        await pilot.press("g")
        await still(pilot)
        assert here(pilot) == whole[0] and "rows 1-" in status(pilot)


@pytest.mark.parametrize("held", few(1, [WINDOW_ROWS, 20_000]))
async def test_n_finds_what_is_further_than_it_looks_ahead(
    desk: Services, archive: Archive, held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_window, "WINDOW_ROWS", held)
    whole = archive.keys()
    names = archive.names_of(sorted(archive.matching(whole[100:9_000], UNDECIDED)))
    archive.triage.append(names, [state("done")], "ben")
    untriaged = archive.matching(whole, UNDECIDED)
    waiting = [at for at, key in enumerate(whole) if key in untriaged]
    last, following = max(at for at in waiting if at < 100), min(at for at in waiting if at > 100)
    assert following >= 9_000
    async with run_app(desk).run_test(size=(80, 24)) as pilot:
        await still(pilot)
        table(pilot).move_to(last)
        await pilot.press("n")
        await until(pilot, lambda: here(pilot) == whole[following])
        await still(pilot)
        assert place(pilot) == following
        await pilot.press("N")
        await until(pilot, lambda: here(pilot) == whole[last])
        await pilot.press("G")
        await until(pilot, lambda: here(pilot) == whole[-1])
        await pilot.press("n")
        await until(pilot, lambda: "no untriaged call below" in status(pilot))
        await still(pilot)
        assert here(pilot) == whole[-1]


async def test_n_says_that_the_archive_cannot_be_read(
    desk: Services, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = archive.keys()
    archive.triage.append(archive.names_of(whole[1 : 4 * WINDOW_ROWS]), [state("done")], "ben")

    def broken(*args: object, **kwargs: object) -> object:
        raise ArchiveUnavailable("it is broken", "")

    async with run_app(desk).run_test(size=(80, 24)) as pilot:
        await still(pilot)
        monkeypatch.setattr(Archive, "keys", broken)
        await pilot.press("n")
        await until(pilot, lambda: "the archive cannot be read" in status(pilot))


async def test_a_range_goes_over_the_border_of_what_is_held(
    desk: Services, archive: Archive
) -> None:
    whole = archive.keys()
    async with run_app(desk).run_test(size=TALL) as pilot:
        await still(pilot)
        table(pilot).move_to(300)
        await pilot.press("X", *["pagedown"] * 3, "j")
        await still(pilot)
        end = place(pilot)
        assert end > WINDOW_ROWS and table(pilot).marked == set(whole[300 : end + 1])
        await pilot.press("G")
        await still(pilot)
        assert here(pilot) == whole[-1] and table(pilot).marked == set(whole[300:])
        assert f"{CALLS - 300:,} marked" in status(pilot)
        await pilot.press("X", "g")
        await until(pilot, lambda: here(pilot) == whole[0])
        assert table(pilot).marked == set(whole[300:]), "the range has ended"


async def test_a_range_from_a_mark_that_is_far_up_and_a_bulk_act_on_it(
    desk: Services, archive: Archive
) -> None:
    missed = parse("voicemail", NOW, UTC)
    whole = archive.keys(missed)
    async with run_app(desk, "voicemail").run_test(size=(80, 24)) as pilot:
        await still(pilot)
        await pilot.press("j", "j", "j", "x", "G")
        await until(pilot, lambda: here(pilot) == whole[-1])
        assert whole[3] not in main(pilot).ctx.snapshot.part.keys
        await pilot.press("X")
        await still(pilot)
        assert table(pilot).marked == set(whole[3:])
        await pilot.press("d")
        assert f"Mark {len(whole) - 3:,} calls done?" in page(pilot)
        await pilot.press("y")
        await until(pilot, lambda: "u undoes" in status(pilot), 60)
        assert not archive.matching(whole[3:], UNDECIDED)
        await pilot.press("u")
        await until(pilot, lambda: "undone: done" in status(pilot), 60)


@pytest.mark.slow
async def test_what_is_done_while_a_range_is_being_read_waits(
    desk: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, reaching = Event(), row_window.extend_to

    def slowly(*args: object, **kwargs: object) -> object:
        go_on.wait(20)
        return reaching(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(row_window, "extend_to", slowly)
    async with run_app(desk).run_test(size=(80, 24)) as pilot:
        await still(pilot)
        await pilot.press("X", "G")
        await until(pilot, lambda: "reading the range (esc stops)" in status(pilot))
        await pilot.press("d")
        assert pilot.app.screen is main(pilot) and "reading the range" in status(pilot)
        go_on.set()
        await until(pilot, lambda: isinstance(pilot.app.screen, Confirm))
        await pilot.press("n")
        assert len(table(pilot).marked) == CALLS
        await pilot.press("ctrl+x")
        go_on.clear()
        await pilot.press("g")
        await still(pilot)
        for stops in ("ctrl+x", "escape"):
            await pilot.press("X", "G")
            await until(pilot, lambda: "reading the range (esc stops)" in status(pilot))
            await pilot.press(stops)
            go_on.set()
            await still(pilot)
            assert len(table(pilot).marked) <= 1 and not table(pilot).range_waits
            go_on.clear()
            await pilot.press("g")
            await still(pilot)


async def test_what_comes_meanwhile_leaves_the_cursor_far_down_on_its_call(
    desk: Services, archive: Archive
) -> None:
    whole = archive.keys()
    async with run_app(desk).run_test(size=TALL) as pilot:
        await still(pilot)
        await pilot.press("G", *["pageup"] * 5)
        await still(pilot)
        key, at, before = here(pilot), place(pilot), rows(pilot)
        with archive.transaction():
            archive.save("desk", [call(n) for n in range(3)])  # begun in November 2026
        new = len(set(archive.keys()[:at]) - set(whole))
        assert new == 3
        await until(pilot, lambda: f"of {CALLS + 3:,}" in status(pilot))
        await still(pilot)
        assert here(pilot) == key and place(pilot) == at + 3 and rows(pilot) == before
        assert len(main(pilot).ctx.snapshot.part.keys) <= WINDOW_ROWS
        with archive.transaction():
            archive.save("desk", [call(9, started_at=datetime(2024, 1, 1, tzinfo=UTC))])
        await until(pilot, lambda: f"of {CALLS + 4:,}" in status(pilot))
        assert here(pilot) == key
        await pilot.press("G")
        await still(pilot)
        assert here(pilot) == archive.key_of("desk", "9")


async def test_two_ringbacks_see_each_other_decide_far_down(desk: Services) -> None:
    async with run_app(desk).run_test(size=(80, 24)) as pilot:
        await still(pilot)
        await pilot.press("G")
        await still(pilot)
        table(pilot).move_to_key(main(pilot).ctx.snapshot.part.keys[-3])
        async with run_app(desk).run_test(size=(80, 24)) as other:
            await still(other)
            await other.press("G")
            await still(other)
            await other.press("f")
            await still(other)
            assert rows(other)[-1].endswith("follow")
        await until(pilot, lambda: rows(pilot)[-1].endswith("follow"), 5)
        assert here(pilot) == main(pilot).ctx.snapshot.part.keys[-3]


async def test_a_call_that_leaves_the_view_far_down_leaves_its_row_to_the_next(
    desk: Services, archive: Archive
) -> None:
    query = "voicemail -state:follow-up"
    whole = archive.keys(parse(query, NOW, UTC))
    async with run_app(desk, query).run_test(size=(80, 24)) as pilot:
        await still(pilot)
        await pilot.press("G", *["k"] * 5)
        await until(pilot, lambda: here(pilot) == whole[-6])
        await pilot.press("f")
        await until(pilot, lambda: here(pilot) == whole[-5])
        await still(pilot)
        assert place(pilot) == len(whole) - 6
        await pilot.press("u")
        await until(pilot, lambda: here(pilot) == whole[-6])


async def test_a_link_and_a_related_call_lead_beyond_what_is_held(
    desk: Services, archive: Archive
) -> None:
    whole = list(archive.keys())
    links = archive._db.execute(
        "SELECT min(key), max(key), max(account), max(id) FROM call GROUP BY number_key"
        " HAVING count(*) = 2 AND max(key) - min(key) BETWEEN 8000 AND 11500"
    )
    old, new, *_ = links.fetchone()
    [name] = archive.names_of([new])
    async with RingbackApp(desk, link=Link(*name)).run_test(size=(80, 24)) as pilot:
        await still(pilot)
        assert here(pilot) == new and main(pilot).query_text == ""
        assert place(pilot) == whole.index(new)
        main(pilot).panes.leave_detail()
        await pilot.press("J")
        await still(pilot)
        assert here(pilot) == old and place(pilot) == whole.index(old)
        await pilot.press("escape")
        await still(pilot)
        assert here(pilot) == new and place(pilot) == whole.index(new)


async def test_a_related_call_of_the_query_leaves_the_query(
    desk: Services, archive: Archive
) -> None:
    query = parse("answered", NOW, UTC)
    whole = list(archive.keys(query))
    async with run_app(desk, "answered").run_test(size=(80, 24)) as pilot:
        await still(pilot)
        main(pilot).panes.go_to_call(whole[-100])
        await still(pilot)
        assert main(pilot).query_text == "answered" and here(pilot) == whole[-100]
        assert place(pilot) == len(whole) - 100


async def test_autoplay_goes_on_beyond_what_is_held(desk: Services, archive: Archive) -> None:
    played, far = call(1_200), call(1, has_recording=True)
    with archive.transaction():
        archive.save("desk", [far, *map(call, range(2, 1_200)), played])
    async with run_app(desk, '"contact"').run_test(size=(80, 24)) as pilot:
        await still(pilot)
        assert here(pilot) == archive.key_of("desk", "1200")
        assert archive.key_of("desk", "1") not in main(pilot).ctx.snapshot.part.keys
        following = await main(pilot).calls.call_after(Playing("desk", played, 0))
        assert following and following[1] == far
        await until(pilot, lambda: here(pilot) == archive.key_of("desk", "1"))
        assert await main(pilot).calls.call_after(Playing("desk", far, 0)) is None
        await pilot.press("g")
        await until(pilot, lambda: here(pilot) == archive.key_of("desk", "1200"))
        await main(pilot).calls.call_after(Playing("desk", call(600), 0))
        await still(pilot)
        assert here(pilot) == archive.key_of("desk", "1200"), "it goes only with what was played"


async def test_a_slow_count_begins_with_a_plus_and_never_holds_up_the_screen(
    desk: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, count = Event(), Archive.count

    def slowly(self: Archive, query: Query = EVERYTHING, most: int | None = None) -> int:
        go_on.wait(20)
        return count(self, query, most)

    monkeypatch.setattr(Archive, "count", slowly)
    async with run_app(desk).run_test(size=(160, 50)) as pilot:
        await until(pilot, lambda: f"of {WINDOW_ROWS}+ " in status(pilot))
        await pilot.press("slash")
        await press_each(pilot, "answered")
        await pilot.press("enter", "j", "j")
        await until(pilot, lambda: "answered" in page(pilot) and table(pilot).cursor == 2)
        await until(pilot, lambda: f"of {WINDOW_ROWS}+ " in status(pilot))
        await until(pilot, lambda: "200+" in page(pilot))
        go_on.set()
        await still(pilot)
        with desk.open_archive() as archive:
            exact = count(archive, parse("answered", NOW, UTC))
            facets = archive.facets(parse("answered", NOW, UTC), None)
        assert f"of {exact:,} " in status(pilot)
        assert f"{facets.counts['outcome']['answered']:,}" in page(pilot) and "+" not in status(
            pilot
        )


async def test_of_too_many_calls_the_sidebar_keeps_lower_bounds(
    desk: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_counts, "FACETS_MOST", 1_000)
    async with run_app(desk, "answered").run_test(size=(160, 50)) as pilot:
        await still(pilot)
        assert "200+" in page(pilot) and "+" not in status(pilot)


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
    async with run_app(desk).run_test(size=(80, 24)) as pilot:
        await until(pilot, began.is_set)
        await pilot.press("slash")
        await press_each(pilot, "missed")
        await pilot.press("enter")
        await until(pilot, ended.is_set)
        await until(pilot, lambda: "of 1," in status(pilot))
        ended.clear()
        began.clear()
        await pilot.press("escape")
        await until(pilot, began.is_set)
    assert ended.wait(10), "who leaves does not wait for it, and it ends"


def test_a_question_ends_also_when_that_is_said_between_its_statements(desk: Services) -> None:
    def ask(archive: Archive) -> int:
        asking.end()  # SQLite interrupts only what it is doing at this moment
        sql = "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 9000000)"
        return int(archive._db.execute(f"{sql} SELECT count(*) FROM n").fetchone()[0])

    asking = ArchiveRead(desk, ask)
    assert asking.run() is None


@pytest.mark.slow
async def test_a_slow_way_to_the_end_is_stopped_by_a_key(
    desk: Services, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = Event()

    def endless(archive: Archive, order: row_window.Order) -> row_window.RowWindow:
        ask_for_ever(archive, ended)

    monkeypatch.setattr(row_window, "last", endless)
    async with run_app(desk).run_test(size=(80, 24)) as pilot:
        await still(pilot)
        await pilot.press("j", "G")
        for stops in ("ctrl+x", "escape"):
            await until(pilot, lambda: "going to the end (esc stops)" in status(pilot))
            await pilot.press("j", stops)  # what waits for the end goes with it
            await until(pilot, ended.is_set)
            await still(pilot)
            assert table(pilot).cursor == 1 and "going" not in status(pilot)
            ended.clear()
            await pilot.press("G")


class Slow:
    """Whether orders other than that of time take for ever now."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.ended, keys = False, Event(), Archive.keys

        def slowly(archive: Archive, query: Query, sort: SortOrder, **more: Any) -> Any:
            if self.now and sort.column != "time":
                ask_for_ever(archive, self.ended)
            return keys(archive, query, sort, **more)

        monkeypatch.setattr(Archive, "keys", slowly)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    return Slow(monkeypatch)


async def stopped(pilot: Pilot[None], slow: Slow, what: str) -> None:
    """Press esc as the status line says, and wait until nothing is read any more."""
    await until(pilot, lambda: f"{what} (esc stops)" in status(pilot))
    slow.ended.clear()
    await pilot.press("escape")
    await until(pilot, slow.ended.is_set)
    await still(pilot)
    assert what not in status(pilot)


@pytest.mark.parametrize(
    ("keys", "column"),
    few(1, [(("j", "5"), "wait"), (("greater_than_sign",), "direction"), (("5",), "wait")]),
)
async def test_an_order_that_takes_long_is_given_up_by_a_key(
    desk: Services, slow: Slow, keys: tuple[str, ...], column: str
) -> None:
    async with run_app(desk).run_test(size=(80, 24)) as pilot:
        await still(pilot)
        await pilot.press("j", "j")
        shown, at = rows(pilot), table(pilot).cursor + keys.count("j")
        slow.now = True
        main(pilot).query_one(StatusLine).flash("some news", "error", seconds=60)
        await pilot.press(*keys)
        await stopped(pilot, slow, f"sorting by {column}")
        assert "stopped" in status(pilot)
        assert main(pilot).sort == table(pilot).sort == ("time", True)
        assert main(pilot).calls._own_sort == ("time", True) and main(pilot).query_text == ""
        assert table(pilot).cursor == at
        assert [row[2:] for row in rows(pilot)] == [row[2:] for row in shown]
        slow.now = False
        await pilot.press("greater_than_sign")
        await still(pilot)
        assert main(pilot).sort != ("time", True) and table(pilot).cursor == 0


async def test_more_rows_of_a_slow_order_are_given_up_and_read_when_wanted_again(
    desk: Services, archive: Archive, slow: Slow
) -> None:
    async with run_app(desk).run_test(size=(80, 24)) as pilot:
        await still(pilot)
        main(pilot).calls.sort_by("agents", False)
        await still(pilot)
        slow.now = True
        burst(pilot, "\x02" * 25)
        await stopped(pilot, slow, "sorting by agents")
        assert place(pilot) == WINDOW_ROWS - 1 and main(pilot).sort == ("agents", False)
        slow.now = False
        await pilot.press("down")
        await until(pilot, lambda: len(main(pilot).ctx.snapshot.part.keys) == 2 * WINDOW_ROWS)
        await still(pilot)
        whole = archive.keys(EVERYTHING, SortOrder("agents", False))
        assert here(pilot) == whole[place(pilot)] and place(pilot) == WINDOW_ROWS
        slow.now = True
        await pilot.press("G")
        await stopped(pilot, slow, "going to the end")
        assert place(pilot) == WINDOW_ROWS


@pytest.mark.parametrize("kept", few(1, [False, True]))
async def test_a_query_typed_in_a_slow_order_is_given_up_by_a_key(
    desk: Services, slow: Slow, kept: bool
) -> None:
    async with run_app(desk, "answered").run_test(size=(80, 24)) as pilot:
        await still(pilot)
        main(pilot).calls.sort_by("agents", False)
        await still(pilot)
        await pilot.press("j", "j")
        shown = rows(pilot)
        slow.now = True
        await press_each(pilot, "/ rec")
        if kept:
            await pilot.press("enter")
        await stopped(pilot, slow, "sorting by agents")
        assert main(pilot).query_text == "answered" and main(pilot).sort == ("agents", False)
        assert rows(pilot) == shown and table(pilot).cursor == 2
        assert page(pilot).splitlines()[0].strip() == "answered"
        slow.now = False
        await press_each(pilot, "/ rec")
        await pilot.press("enter")
        await still(pilot)
        assert table(pilot).cursor == 0 and rows(pilot) != shown


async def test_who_was_about_to_stop_what_is_there_by_now_loses_nothing(
    desk: Services, slow: Slow
) -> None:
    async with run_app(desk, "answered").run_test(size=(80, 24)) as pilot:
        await still(pilot)
        main(pilot).calls.say_reading("sorting by agents")
        await until(pilot, lambda: "sorting by agents (esc stops)" in status(pilot))
        main(pilot).calls.say_reading("")
        await pilot.press("escape")
        assert main(pilot).query_text == "answered"
        await until(pilot, lambda: not main(pilot).calls.notice.is_recent)
        await pilot.press("escape")
        assert main(pilot).query_text == ""


async def test_a_call_that_is_purged_under_the_cursor_leaves_its_row_to_the_next(
    desk: Services, archive: Archive
) -> None:
    whole = archive.keys()
    async with run_app(desk).run_test(size=(80, 24)) as pilot:
        await still(pilot)
        await pilot.press("G", *["pageup"] * 30)
        await still(pilot)
        at = place(pilot)
        assert here(pilot) == whole[at]
        archive.purge([whole[at]])
        await until(pilot, lambda: f"of {CALLS - 1:,}" in status(pilot), 30)
        await still(pilot)
        assert here(pilot) == whole[at + 1] and place(pilot) == at
