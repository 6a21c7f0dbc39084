"""The screen holds a part of the rows: everything must work beyond it, whatever its size."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import pytest

from tests.archive.calls import call
from tests.slow_params import few
from tests.ui.calls_page import CallsPage, open_page
from tests.ui.desk import CALLS, NOW, WINDOW_ROWS, desk_of, hold_few_rows
from tests.ui.services import select
from tui.archive.errors import ArchiveUnavailable
from tui.archive.interface import CallArchive
from tui.archive.records import UNTRIAGED, SortOrder
from tui.archive.sqlite import Archive
from tui.archive.triage_events import state
from tui.call_links import Link
from tui.config.paths import Paths
from tui.playback.views import Playing
from tui.query.parser import EVERYTHING, Query, parse
from tui.screens import row_window
from tui.services import Services
from widgets.confirm import Confirm

TALL = (80, 160)
UNDECIDED = Query((UNTRIAGED,))


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


async def scroll(page: CallsPage, key: str, pages: int) -> dict[int, int]:
    """Press a key so often, or to the end; what stood on the screen meanwhile, by its place."""
    seen = page.window.keys_on_screen
    for _ in range(pages):
        before = page.window.place
        await page.press(key)
        part = page.window.held
        ends = part.ends if key == "pagedown" else part.begins
        if page.window.place == before and ends:
            break
        shown = page.window.keys_on_screen
        assert all(seen.get(at, one) == one for at, one in shown.items()), "a row has moved"
        seen |= shown
        await page.until(lambda: not page.window.is_extending)
    return seen


@pytest.mark.slow
async def test_every_row_comes_once_from_the_first_to_the_last_and_back(
    desk: Services, archive: CallArchive
) -> None:
    whole = dict(enumerate(archive.keys()))
    async with open_page(desk, size=TALL) as page:
        await page.idle()
        assert f"rows 1-157 of {CALLS:,}" in page.status, page.status
        assert await scroll(page, "pagedown", 400) == whole
        assert page.key == whole[CALLS - 1]
        assert len(page.window.held.keys) <= 3 * WINDOW_ROWS
        assert f"rows 11,844-{CALLS:,} of {CALLS:,} " in page.status
        back = await scroll(page, "pageup", 20)
        assert len(back) > 3 * WINDOW_ROWS and back.items() <= whole.items()
        await page.idle()
        await page.press("g")
        await page.idle()
        assert page.key == whole[0] and page.window.keys_on_screen.items() <= whole.items()


@pytest.mark.parametrize("column", few(1, ["agents", "note"]))
async def test_in_another_order_too(desk: Services, archive: CallArchive, column: str) -> None:
    whole = dict(enumerate(archive.keys(EVERYTHING, SortOrder(column, False))))
    async with open_page(desk, size=TALL) as page:
        await page.idle()
        page.sort_by(column, False)
        await page.idle()
        down = await scroll(page, "pagedown", 15)
        assert len(down) > 4 * WINDOW_ROWS and down.items() <= whole.items()
        await page.press("G")
        await page.idle()
        assert page.key == whole[CALLS - 1] and page.window.place == CALLS - 1
        up = await scroll(page, "pageup", 15)
        assert len(up) > 4 * WINDOW_ROWS and up.items() <= whole.items()
        await page.press("home")
        await page.idle()
        assert page.key == whole[0] and page.window.place == 0


async def test_the_last_call_is_reached_by_one_key_and_shown_where_it_stands(
    desk: Services, archive: CallArchive
) -> None:
    whole = archive.keys()
    async with open_page(desk) as page:
        await page.idle()
        await page.press("G")
        await page.idle()
        assert page.key == whole[-1] and len(page.window.held.keys) == WINDOW_ROWS
        assert f"rows 11,980-{CALLS:,} of {CALLS:,} " in page.status
        assert page.rows[-1].startswith(">"), "the last line of the table"
        await page.press("g")
        await page.idle()
        assert page.key == whole[0] and "rows 1-" in page.status


@pytest.mark.parametrize("held", few(1, [WINDOW_ROWS, 20_000]))
async def test_n_finds_what_is_further_than_it_looks_ahead(
    desk: Services, archive: CallArchive, held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_window, "WINDOW_ROWS", held)
    whole = archive.keys()
    names = archive.names_of(sorted(archive.matching(whole[100:9_000], UNDECIDED)))
    archive.triage.append(names, [state("done")], "ben")
    untriaged = archive.matching(whole, UNDECIDED)
    waiting = [at for at, key in enumerate(whole) if key in untriaged]
    last, following = max(at for at in waiting if at < 100), min(at for at in waiting if at > 100)
    assert following >= 9_000
    async with open_page(desk) as page:
        await page.idle()
        page.table.move_to(last)
        await page.press("n")
        await page.until(lambda: page.key == whole[following])
        await page.idle()
        assert page.window.place == following
        await page.press("N")
        await page.until(lambda: page.key == whole[last])
        await page.press("G")
        await page.until(lambda: page.key == whole[-1])
        await page.press("n")
        await page.until(lambda: "no untriaged call below" in page.status)
        await page.idle()
        assert page.key == whole[-1]


async def test_n_says_that_the_archive_cannot_be_read(
    desk: Services, archive: CallArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = archive.keys()
    archive.triage.append(archive.names_of(whole[1 : 4 * WINDOW_ROWS]), [state("done")], "ben")

    def broken(*args: object, **kwargs: object) -> object:
        raise ArchiveUnavailable("it is broken", "")

    async with open_page(desk) as page:
        await page.idle()
        monkeypatch.setattr(Archive, "keys", broken)
        await page.press("n")
        await page.until(lambda: "the archive cannot be read" in page.status)


async def test_a_range_goes_over_the_border_of_what_is_held(
    desk: Services, archive: CallArchive
) -> None:
    whole = archive.keys()
    async with open_page(desk, size=TALL) as page:
        await page.idle()
        page.table.move_to(300)
        await page.press("X", *["pagedown"] * 3, "j")
        await page.idle()
        end = page.window.place
        assert end > WINDOW_ROWS and page.table.marked == set(whole[300 : end + 1])
        await page.press("G")
        await page.idle()
        assert page.key == whole[-1] and page.table.marked == set(whole[300:])
        assert f"{CALLS - 300:,} marked" in page.status
        await page.press("X", "g")
        await page.until(lambda: page.key == whole[0])
        assert page.table.marked == set(whole[300:]), "the range has ended"


async def test_a_range_from_a_mark_that_is_far_up_and_a_bulk_act_on_it(
    desk: Services, archive: CallArchive
) -> None:
    missed = parse("voicemail", NOW, UTC)
    whole = archive.keys(missed)
    async with open_page(desk, "voicemail") as page:
        await page.idle()
        await page.press("j", "j", "j", "x", "G")
        await page.until(lambda: page.key == whole[-1])
        assert whole[3] not in page.window.held.keys
        await page.press("X")
        await page.idle()
        assert page.table.marked == set(whole[3:])
        await page.press("d")
        assert f"Mark {len(whole) - 3:,} calls done?" in page.text
        await page.press("y")
        await page.until(lambda: "u undoes" in page.status, 60)
        assert not archive.matching(whole[3:], UNDECIDED)
        await page.press("u")
        await page.until(lambda: "undone: done" in page.status, 60)


@pytest.mark.slow
async def test_what_is_done_while_a_range_is_being_read_waits(
    desk: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, reaching = Event(), row_window.extend_to

    def slowly(*args: object, **kwargs: object) -> object:
        go_on.wait(20)
        return reaching(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(row_window, "extend_to", slowly)
    async with open_page(desk) as page:
        await page.idle()
        await page.press("X", "G")
        await page.until(lambda: "reading the range (esc stops)" in page.status)
        await page.press("d")
        assert not page.has_dialog and "reading the range" in page.status
        go_on.set()
        await page.until(lambda: isinstance(page.top, Confirm))
        await page.press("n")
        assert len(page.marked) == CALLS
        await page.press("ctrl+x")
        go_on.clear()
        await page.press("g")
        await page.idle()
        for stops in ("ctrl+x", "escape"):
            await page.press("X", "G")
            await page.until(lambda: "reading the range (esc stops)" in page.status)
            await page.press(stops)
            go_on.set()
            await page.idle()
            assert len(page.marked) <= 1 and not page.table.range_waits
            go_on.clear()
            await page.press("g")
            await page.idle()


async def test_what_comes_meanwhile_leaves_the_cursor_far_down_on_its_call(
    desk: Services, archive: CallArchive
) -> None:
    whole = archive.keys()
    async with open_page(desk, size=TALL) as page:
        await page.idle()
        await page.press("G", *["pageup"] * 5)
        await page.idle()
        key, at, before = page.key, page.window.place, page.rows
        with archive.transaction():
            archive.save("desk", [call(n) for n in range(3)])  # begun in November 2026
        new = len(set(archive.keys()[:at]) - set(whole))
        assert new == 3
        await page.until(lambda: f"of {CALLS + 3:,}" in page.status)
        await page.idle()
        assert page.key == key and page.window.place == at + 3 and page.rows == before
        assert len(page.window.held.keys) <= WINDOW_ROWS
        with archive.transaction():
            archive.save("desk", [call(9, started_at=datetime(2024, 1, 1, tzinfo=UTC))])
        await page.until(lambda: f"of {CALLS + 4:,}" in page.status)
        assert page.key == key
        await page.press("G")
        await page.idle()
        assert page.key == archive.key_of("desk", "9")


async def test_two_ringbacks_see_each_other_decide_far_down(desk: Services) -> None:
    async with open_page(desk) as page:
        await page.idle()
        await page.press("G")
        await page.idle()
        page.table.move_to_key(page.window.held.keys[-3])
        async with open_page(desk) as other:
            await other.idle()
            await other.press("G")
            await other.idle()
            await other.press("f")
            await other.idle()
            assert other.rows[-1].endswith("follow")
        await page.until(lambda: page.rows[-1].endswith("follow"), 5)
        assert page.key == page.window.held.keys[-3]


async def test_a_call_that_leaves_the_view_far_down_leaves_its_row_to_the_next(
    desk: Services, archive: CallArchive
) -> None:
    query = "voicemail -state:follow-up"
    whole = archive.keys(parse(query, NOW, UTC))
    async with open_page(desk, query) as page:
        await page.idle()
        await page.press("G", *["k"] * 5)
        await page.until(lambda: page.key == whole[-6])
        await page.press("f")
        await page.until(lambda: page.key == whole[-5])
        await page.idle()
        assert page.window.place == len(whole) - 6
        await page.press("u")
        await page.until(lambda: page.key == whole[-6])


async def test_a_link_and_a_related_call_lead_beyond_what_is_held(
    desk: Services, archive: CallArchive
) -> None:
    whole = list(archive.keys())
    (old, new, *_), *_ = select(
        desk,
        "SELECT min(key), max(key), max(account), max(id) FROM call GROUP BY number_key"
        " HAVING count(*) = 2 AND max(key) - min(key) BETWEEN 8000 AND 11500",
    )
    [name] = archive.names_of([new])
    async with open_page(desk, link=Link(*name)) as page:
        await page.idle()
        assert page.key == new and page.query == ""
        assert page.window.place == whole.index(new)
        page.close_detail()
        await page.press("J")
        await page.idle()
        assert page.key == old and page.window.place == whole.index(old)
        await page.press("escape")
        await page.idle()
        assert page.key == new and page.window.place == whole.index(new)


async def test_a_related_call_of_the_query_leaves_the_query(
    desk: Services, archive: CallArchive
) -> None:
    query = parse("answered", NOW, UTC)
    whole = list(archive.keys(query))
    async with open_page(desk, "answered") as page:
        await page.idle()
        page.go_to_call(whole[-100])
        await page.idle()
        assert page.query == "answered" and page.key == whole[-100]
        assert page.window.place == len(whole) - 100


async def test_autoplay_goes_on_beyond_what_is_held(desk: Services, archive: CallArchive) -> None:
    played, far = call(1_200), call(1, has_recording=True)
    with archive.transaction():
        archive.save("desk", [far, *map(call, range(2, 1_200)), played])
    async with open_page(desk, '"contact"') as page:
        await page.idle()
        assert page.key == archive.key_of("desk", "1200")
        assert archive.key_of("desk", "1") not in page.window.held.keys
        assert await page.sound.call_after(Playing("desk", played, 0)) == far
        await page.until(lambda: page.key == archive.key_of("desk", "1"))
        assert await page.sound.call_after(Playing("desk", far, 0)) is None
        await page.press("g")
        await page.until(lambda: page.key == archive.key_of("desk", "1200"))
        await page.sound.call_after(Playing("desk", call(600), 0))
        await page.idle()
        assert page.key == archive.key_of("desk", "1200"), "it goes only with what was played"


async def test_a_call_that_is_purged_under_the_cursor_leaves_its_row_to_the_next(
    desk: Services, archive: CallArchive
) -> None:
    whole = archive.keys()
    async with open_page(desk) as page:
        await page.idle()
        await page.press("G", *["pageup"] * 30)
        await page.idle()
        at = page.window.place
        assert page.key == whole[at]
        archive.purge([whole[at]])
        await page.until(lambda: f"of {CALLS - 1:,}" in page.status, 30)
        await page.idle()
        assert page.key == whole[at + 1] and page.window.place == at
