"""Keys that come in one burst do what the same keys do one by one, each after what the one before
brought about: whatever is read, written or opened in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from pathlib import Path
from random import Random
from threading import Event
from typing import Any, NamedTuple

import pytest
from textual import events
from textual.command import CommandList

from tests.archive.calls import call
from tests.slow_params import few
from tests.ui.calls_page import CallsPage, count_rests, open_page
from tests.ui.desk import NOW, desk_of
from tests.ui.services import select
from tui.archive.errors import ArchiveError
from tui.archive.records import UNTRIAGED
from tui.archive.sqlite import Archive
from tui.archive.sqlite.triage_log import TriageLog
from tui.config.paths import Paths
from tui.query.parser import EVERYTHING, Query, parse
from tui.screens import row_window, triage_controller
from tui.services import Services


@pytest.fixture
def desk(paths: Paths, filled: Path) -> Services:
    return desk_of(paths, filled)


class Outcome(NamedTuple):
    """What the user sees in the end, and what was decided."""

    current: int | None
    query: str
    sort: tuple[str, bool]
    marked: frozenset[int]
    opened: bool
    decided: list[tuple[Any, ...]]
    asked: bool
    """Whether a second key is waited for."""
    screen: str


def outcome(page: CallsPage) -> Outcome:
    return Outcome(
        page.key,
        page.query,
        page.sort,
        page.marked,
        page.detail_is_open,
        decided_in(page.app.services),
        page.awaits_choice,
        type(page.top).__name__,
    )


def decided_in(services: Services) -> list[tuple[Any, ...]]:
    """All decisions of an archive, as events and as what came of them."""
    events = select(services, "SELECT account, id, kind FROM event ORDER BY seq")
    sql = "SELECT account, id, state, note, tags FROM triage ORDER BY account, id"
    return events + select(services, sql)


async def run(services: Services, pieces: Sequence[str], query: str = "") -> Outcome:
    """The outcome of keys; each piece of them comes when the one before has been done."""
    async with open_page(services, query) as page:
        await page.idle()
        for piece in pieces:
            page.burst(piece)
            await page.idle()
        return outcome(page)


STEPS = (
    "/voicemail\r", "/busy\r", "/untriaged\r", "/-tag:spam\r", "/\x1b", "3", "2", "6", "\x1b",
    "j", "k", "jjj", "\x04", "G", "g", ">", "z", "n", "N",
    "d", "f", "u", "x", "X", "tspam\r", "t-spam\r", "Dcalled back\r", "Zmonday\r",
    "\r", "p", "J",
)  # fmt: skip
"""Pieces of what is typed; each may come behind each."""
PROMPTS = tuple("tDZ")


@pytest.mark.parametrize("seed", few(1, [1, 0, *range(2, 60)]))
async def test_a_burst_does_what_the_same_keys_do_one_by_one(
    tmp_path: Path, filled: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = Random(seed)
    if seed % 2:  # most rows are beyond those that are held
        monkeypatch.setattr(row_window, "WINDOW_ROWS", 400)
        monkeypatch.setattr(row_window, "MOST_ROWS", 1_200)
    pieces = [""]
    while len(pieces) < random.randint(4, 13):
        piece = random.choice(STEPS)
        # behind an answer, a second enter is the same once more
        if piece != "\r" or not pieces[-1].startswith(PROMPTS):
            pieces.append(piece)
    found = []
    for number, typed in enumerate((pieces, ["".join(pieces)])):
        found.append(await run(desk_of(Paths.under(tmp_path / str(number)), filled), typed))
    assert found[1] == found[0], pieces


# -- the rows of what was asked before

ASKED = {
    "/voicemail\r": "voicemail",
    "/busy missed\r": "busy missed",
    "3": "in voicemail untriaged",
    "6": "flagged",
    "/agent:anna\r\x1b/busy\r": "busy",
}


@pytest.mark.parametrize("act", few(1, ["d", "jjf", "xjxf", "tcheck\r", "f", "kkd"]))
@pytest.mark.parametrize("asked", few(2, ASKED))
async def test_a_key_acts_on_the_rows_of_the_query_before_it(
    desk: Services, asked: str, act: str
) -> None:
    with desk.open_archive() as archive:
        before = archive.keys(parse("flagged", NOW, UTC))
        keys = archive.keys(parse(ASKED[asked], NOW, UTC))
    row = act.count("j") if not act.startswith("x") else 0
    async with open_page(desk) as page:
        page.burst("jjj" + asked + act)  # also before the first paint
        await page.idle()
        decided = outcome(page).decided
    with desk.open_archive() as archive:
        names = archive.names_of([keys[row]])
    if act == "xjxf":
        assert not decided, "two marked calls are asked about"
    elif len(keys) > row:
        assert [one[:2] for one in decided if len(one) == 3] == names, before
    else:
        assert not decided


@pytest.mark.parametrize("before", few(1, ["/anna\r\x1b", "\r\x1b", "/zz\x1b", "/busy\r"]))
async def test_a_page_is_as_long_as_the_screen_shows_it(desk: Services, before: str) -> None:
    found = []
    for pieces in ((before, "\x04\x04\x02"), (before + "\x04\x04\x02",)):
        async with open_page(desk, size=(80, 25)) as page:
            await page.idle()
            for piece in pieces:
                page.burst(piece)
                await page.idle()
            found.append(outcome(page))
    assert found[0] == found[1]


async def test_a_held_down_key_waits_for_nothing_but_rows_that_are_not_there(
    desk: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_window, "WINDOW_ROWS", 400)
    rests = count_rests(monkeypatch)
    with desk.open_archive() as archive:
        keys = archive.keys()
    async with open_page(desk) as page:
        await page.idle()
        rests.clear()
        page.burst("j" * 300)
        await page.idle()
        assert page.key == keys[300]
        assert len(rests) < 100, "one for each key"
        page.burst("j" * 600 + "kf")
        await page.idle()
        assert outcome(page).decided[0][:2] == desk_names(desk, keys[899])[0]
        page.burst("k" * 250 + "xjjjXkd")  # a question
        await page.idle()
        assert page.key == keys[651] and outcome(page).screen == "Confirm"


async def test_keys_wait_in_their_order_for_what_takes_long_and_say_so(
    desk: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, keys = Event(), Archive.keys
    slow = parse("voicemail", NOW, UTC)

    def slowly(self: Archive, query: Query = EVERYTHING, *args: Any, **more: Any) -> Any:
        if slow.terms[0] in query.terms:
            go_on.wait(20)
        return keys(self, query, *args, **more)

    monkeypatch.setattr(Archive, "keys", slowly)
    async with open_page(desk) as page:
        await page.idle()
        with desk.open_archive() as archive:
            whole = keys(archive, slow)  # type: ignore[arg-type]
        page.burst("jj/voicemail\rjjf")
        await page.until(lambda: "reading the calls (esc stops)" in page.status)
        assert not outcome(page).decided
        page.burst("k")
        go_on.set()
        await page.idle()
        assert [one[:2] for one in outcome(page).decided][:1] == desk_names(desk, whole[2])
        assert page.key == whole[1]
        # given up: nothing was done, and the rows are those of before
        go_on.clear()
        await page.until(lambda: not page.esc_stops)
        page.burst("\x1b")
        await page.idle()
        before = outcome(page)
        assert before.query == "" and before.current != whole[1]
        for stops in ("\x1b", "\x18"):
            page.burst("3dd")
            await page.until(lambda: "reading the calls (esc stops)" in page.status)
            page.burst(stops)
            await page.until(lambda: not page.waits_for_rows)
            assert outcome(page) == before
            go_on.set()
            await page.idle()
            assert outcome(page) == before
            go_on.clear()


def desk_names(desk: Services, key: int) -> list[tuple[str, str]]:
    with desk.open_archive() as archive:
        return archive.names_of([key])


KEYS = Archive.keys


def broken(self: Archive, query: Query = EVERYTHING, *args: Any, **more: Any) -> Any:
    """In the place of `Archive.keys`: the rows of a query cannot be read."""
    if query.terms:
        raise ArchiveError("database disk image is malformed")
    return KEYS(self, query, *args, **more)


async def test_keys_behind_rows_that_cannot_be_read_are_dropped_and_that_is_said(
    desk: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_page(desk) as page:
        await page.idle()
        monkeypatch.setattr(Archive, "keys", broken)
        page.burst("3dd")
        await page.until(lambda: "2 keys dropped" in page.status)
        await page.idle()
        assert not outcome(page).decided


async def test_who_leaves_behind_rows_that_cannot_be_read_leaves(
    desk: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_page(desk) as page:
        await page.idle()
        monkeypatch.setattr(Archive, "keys", broken)
        page.burst("3d\x11")
        await page.until(lambda: not page.app.is_running)
    assert not decided_in(desk)


async def test_what_a_sync_brings_takes_no_call_from_under_a_key(
    desk: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_page(desk) as page:
        await page.idle()
        first = page.key
        assert first is not None
        page.begin_syncs(monkeypatch, "desk")
        key = events.Key("d", "d")  # typed before the newer call is there
        with desk.open_archive() as archive, archive.transaction():
            archive.save("desk", [call(1, started_at=NOW)])
        await page.until(lambda: page.key != first, 5)
        page.app.post_message(key)
        await page.idle()
        assert outcome(page).decided[0][:2] == desk_names(desk, first)[0]
        at = page.key
        with desk.open_archive() as archive, archive.transaction():
            archive.save("desk", [call(2, started_at=NOW)])
        await page.until(lambda: "12,002" in page.status, 5)
        assert page.key == at


async def test_two_ringbacks_type_in_bursts_and_each_acts_on_what_it_shows(desk: Services) -> None:
    with desk.open_archive() as archive:
        keys = archive.keys(parse("in voicemail untriaged", NOW, UTC))
        names = archive.names_of(keys[:6])
    async with (
        open_page(desk) as one,
        open_page(desk) as other,
    ):
        await one.idle()
        await other.idle()
        for _ in range(2):  # the second time the first three have gone from the other's rows, too
            one.burst("3fff")
            await one.idle()
            other.burst("1")
            await other.idle()
            one, other = other, one
        decided = [found[:2] for found in outcome(one).decided if len(found) == 3]
    assert decided == names


# -- esc goes back to where one was


@pytest.mark.parametrize("asked", few(2, ["/voicemail\r", "3", "/voice", "2", "/busy\r36"]))
async def test_esc_goes_back_to_the_call_where_one_was(desk: Services, asked: str) -> None:
    async with open_page(desk) as page:
        await page.idle()
        page.burst("jjxj\x04\x04j")
        await page.idle()
        before = outcome(page)
        page.burst(asked)
        await page.idle()
        page.burst("jj" if asked.endswith("\r") else "")
        page.burst("\x1b")
        await page.idle()
        assert outcome(page) == before


async def test_esc_goes_back_far_down_and_to_the_query_of_before(
    desk: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_window, "WINDOW_ROWS", 400)
    async with open_page(desk, "answered") as page:
        await page.idle()
        page.burst("Gkkk")
        await page.idle()
        before = outcome(page)
        page.burst("/ rec")
        await page.idle()
        assert page.table.cursor == 0
        page.burst("\x1b")
        await page.idle()
        assert outcome(page) == before and "answered" in page.text


# -- doubled keys

DIALOGS = {
    "help": ("?", ("\x1b", "q", "?")),
    "columns": ("C", ("\r", "\x1b", "q")),
    "many calls": ("xjxkd", ("n", "\x1b", "q", "\r")),
    "what to copy": ("y", ("i", "\x1b")),
    "a tag": ("tspam", ("\r", "\x1b")),
    "a command of the palette": (":mark range", ("\r",)),
    "export": ("E", ("\x1b",)),
    "palette": (":", ("\x1b",)),
    "the help by the palette": (":help\r", ("\x1b", "q")),
    "themes": (":theme\r", ("\x1b",)),
    "accounts": ("a", ("\x1b", "q")),
    "a new account": ("aa", ("\x1b",)),
    "an account": ("a\r", ("\x1b",)),
    "removing an account": ("ax", ("n", "\x1b", "q", "\r")),
    "a note": ("Dcalled", ("\x1b",)),
    "a time": ("Z1h", ("\x1b",)),
}
"""What opens it, and the keys that close it."""


@pytest.mark.parametrize("dialog", few(1, DIALOGS))
async def test_a_dialog_closes_once_however_often_its_key_comes(
    desk: Services, dialog: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    opening, closing = DIALOGS[dialog]
    async with open_page(desk) as page:
        await page.idle()
        for key in closing:
            found = []
            for times in (1, 3):
                page.burst("/busy\rjj" + opening + key * times)
                await page.idle()
                one = outcome(page)
                found.append(one._replace(decided=one.decided[-2:]))
                while type(page.top).__name__ != "MainScreen":
                    await page.press("escape")
                    await page.pause(0.1)
                page.table.marked = frozenset()
                page.table.move_to(0)
                await page.press("escape")
                await page.idle()
            assert found[1] == found[0], key


async def test_yes_said_twice_is_said_once(desk: Services) -> None:
    for times in (1, 2, 3):
        async with open_page(desk) as page:
            await page.idle()
            page.burst("xjxf" + "y" * times)
            await page.idle()
            found = outcome(page)
            assert not found.asked and not found.marked and found.screen == "MainScreen"
            assert len([one for one in found.decided if len(one) == 3]) == 2 * times


async def test_an_export_is_saved_once(
    desk: Services, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    async with open_page(desk, "busy") as page:
        await page.idle()
        page.burst("E\r\r\r")
        await page.until(lambda: list(tmp_path.glob("*.csv")))
        await page.idle()
        assert outcome(page).screen == "MainScreen" and not outcome(page).opened
        page.burst("E\r\r")
        await page.until(lambda: "Replace the file?" in page.text)
        page.burst("\r\r")
        await page.idle()
        assert outcome(page).screen == "MainScreen" and not outcome(page).opened


async def test_a_double_click_in_the_palette_chooses_once(desk: Services) -> None:
    async with open_page(desk) as page:
        await page.idle()
        page.burst(":half page down")
        await page.idle()
        at = page.cursor
        row = next(y for y, line in enumerate(page.text.splitlines()) if "Half page down" in line)
        for _ in range(3):
            for kind in (events.MouseDown, events.MouseUp):
                event = kind(None, 20, row, 0, 0, 1, False, False, False, 20, row)
                page.app.post_message(event)
        await page.idle()
        assert type(page.top).__name__ == "MainScreen"
        assert page.table.cursor == at + 10 and not outcome(page).opened


async def test_an_undo_moves_no_cursor_over_rows_that_were_asked_for_after_it(
    desk: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    undo, go_on = TriageLog.undo, Event()

    def late(self: TriageLog, *args: Any, **more: Any) -> Any:
        go_on.wait(30)
        return undo(self, *args, **more)

    monkeypatch.setattr(TriageLog, "undo", late)
    with desk.open_archive() as archive:
        first, *_ = archive.keys(parse("-tag:spam", NOW, UTC))
    async with open_page(desk) as page:
        await page.idle()
        page.burst("jjtspam\r")
        await page.idle()
        page.burst("u/-tag:spam\r")
        await page.until(lambda: page.query == "-tag:spam" and not page.is_reading)
        go_on.set()
        await page.idle()
        assert "undone" in page.status
        assert page.key == first


async def test_a_search_moves_no_cursor_over_rows_that_were_asked_for_after_it(
    desk: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = Event()

    def late(self: Archive, query: Query = EVERYTHING, *args: Any, **more: Any) -> Any:
        if UNTRIAGED in query.terms and more.get("limit") == 1:
            go_on.wait(30)
        return KEYS(self, query, *args, **more)

    with desk.open_archive() as archive:
        first, *_ = archive.keys(parse("untriaged", NOW, UTC))
    monkeypatch.setattr(triage_controller, "LOOK_AHEAD", 0)
    monkeypatch.setattr(Archive, "keys", late)
    async with open_page(desk) as page:
        await page.idle()
        page.burst("jjjjjn/untriaged\r")
        await page.until(lambda: page.query == "untriaged" and not page.is_reading)
        go_on.set()
        await page.idle()
        assert page.key == first


async def test_a_page_down_in_a_list_that_is_not_laid_out_yet_ends_nothing(
    desk: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Textual's list looks its first line up before it has one."""

    def fail(_: CommandList) -> None:
        raise KeyError(0)

    async with open_page(desk) as page:
        await page.idle()
        monkeypatch.setattr(CommandList, "action_page_down", fail)
        await page.press("colon")
        await page.until(lambda: page.has_dialog)
        await page.press("pagedown", "escape")
        await page.until(lambda: not page.has_dialog)
