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
from textual.pilot import Pilot

from tests.archive.calls import call
from tests.few import few
from tests.ui.desk import NOW, desk_of
from tests.ui.driving import burst, main, page, run_app, status, table, until
from tui.archive.errors import ArchiveError
from tui.archive.records import UNTRIAGED
from tui.archive.sqlite import Archive
from tui.archive.sqlite.triage_log import TriageLog
from tui.config.paths import Paths
from tui.query.parser import EVERYTHING, Query, parse
from tui.screens import row_window, triage_controller
from tui.screens.activity import Activity
from tui.services import Services
from widgets.key_line import KeyLine
from widgets.ordered_app import OrderedApp

ROWS = Activity.READING | Activity.OUTDATED | Activity.WRITING


@pytest.fixture
def desk(paths: Paths, filled: Path) -> Services:
    return desk_of(paths, filled)


def app_of(pilot: Pilot[None]) -> OrderedApp[None]:
    assert isinstance(pilot.app, OrderedApp)
    return pilot.app


async def still(pilot: Pilot[None]) -> None:
    """Wait until nothing waits, is read, written, counted or asked."""
    screen, app = main(pilot), app_of(pilot)

    def busy() -> bool:
        working = screen.activity & (ROWS | Activity.EXTENDING)
        groups = ("count", "range", "find", "doubt")
        return bool(working or screen.sync._syncs.busy or any(map(screen.ctx.is_working, groups)))

    await until(pilot, lambda: not screen.activity & Activity.STARTING)
    for _ in range(2):
        await pilot.pause()
        await until(pilot, lambda: not app._typed and not app._dealer and not busy(), 30)


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


def outcome(pilot: Pilot[None]) -> Outcome:
    screen = main(pilot)
    with screen.services.open_archive() as archive:
        events = archive._db.execute("SELECT account, id, kind FROM event ORDER BY seq").fetchall()
        sql = "SELECT account, id, state, note, tags FROM triage ORDER BY account, id"
        decided = [*map(tuple, events), *map(tuple, archive._db.execute(sql))]
    return Outcome(
        table(pilot).current_key,
        screen.query_text,
        screen.sort,
        table(pilot).marked,
        screen.detail_open,
        decided,
        bool(screen.query_one(KeyLine).choices),
        type(pilot.app.screen).__name__,
    )


async def run(services: Services, pieces: Sequence[str], query: str = "") -> Outcome:
    """The outcome of keys; each piece of them comes when the one before has been done."""
    async with run_app(services, query).run_test(size=(80, 24)) as pilot:
        await still(pilot)
        for piece in pieces:
            burst(pilot, piece)
            await still(pilot)
        return outcome(pilot)


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
    async with run_app(desk).run_test(size=(80, 24)) as pilot:
        burst(pilot, "jjj" + asked + act)  # also before the first paint
        await still(pilot)
        decided = outcome(pilot).decided
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
        async with run_app(desk).run_test(size=(80, 25)) as pilot:
            await still(pilot)
            for piece in pieces:
                burst(pilot, piece)
                await still(pilot)
            found.append(outcome(pilot))
    assert found[0] == found[1]


async def test_a_held_down_key_waits_for_nothing_but_rows_that_are_not_there(
    desk: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_window, "WINDOW_ROWS", 400)
    rests, rest = [], OrderedApp._rest

    async def counted(self: OrderedApp[None]) -> None:
        rests.append(self)
        await rest(self)

    monkeypatch.setattr(OrderedApp, "_rest", counted)
    with desk.open_archive() as archive:
        keys = archive.keys()
    async with run_app(desk).run_test(size=(80, 24)) as pilot:
        await still(pilot)
        rests.clear()
        burst(pilot, "j" * 300)
        await still(pilot)
        assert table(pilot).current_key == keys[300]
        assert len(rests) < 100, "one for each key"
        burst(pilot, "j" * 600 + "kf")
        await still(pilot)
        assert outcome(pilot).decided[0][:2] == desk_names(desk, keys[899])[0]
        burst(pilot, "k" * 250 + "xjjjXkd")  # a question
        await still(pilot)
        assert table(pilot).current_key == keys[651] and outcome(pilot).screen == "Confirm"


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
    async with run_app(desk).run_test(size=(80, 24)) as pilot:
        await still(pilot)
        whole = keys(main(pilot).ctx.archive, slow)  # type: ignore[arg-type]
        burst(pilot, "jj/voicemail\rjjf")
        await until(pilot, lambda: "reading the calls (esc stops)" in status(pilot))
        assert not outcome(pilot).decided
        burst(pilot, "k")
        go_on.set()
        await still(pilot)
        assert [one[:2] for one in outcome(pilot).decided][:1] == desk_names(desk, whole[2])
        assert table(pilot).current_key == whole[1]
        # given up: nothing was done, and the rows are those of before
        go_on.clear()
        await until(pilot, lambda: not main(pilot).calls.notice.is_recent)
        burst(pilot, "\x1b")
        await still(pilot)
        before = outcome(pilot)
        assert before.query == "" and before.current != whole[1]
        for stops in ("\x1b", "\x18"):
            burst(pilot, "3dd")
            await until(pilot, lambda: "reading the calls (esc stops)" in status(pilot))
            burst(pilot, stops)
            await until(pilot, lambda: not main(pilot).moves_cursor and not app_of(pilot)._typed)
            assert outcome(pilot) == before
            go_on.set()
            await still(pilot)
            assert outcome(pilot) == before
            go_on.clear()


def desk_names(desk: Services, key: int) -> list[tuple[str, str]]:
    with desk.open_archive() as archive:
        return archive.names_of([key])


async def test_keys_behind_rows_that_cannot_be_read_are_dropped_and_that_is_said(
    desk: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = Archive.keys

    def broken(self: Archive, query: Query = EVERYTHING, *args: Any, **more: Any) -> Any:
        if query.terms:
            raise ArchiveError("database disk image is malformed")
        return keys(self, query, *args, **more)

    async with run_app(desk).run_test(size=(80, 24)) as pilot:
        await still(pilot)
        monkeypatch.setattr(Archive, "keys", broken)
        burst(pilot, "3dd")
        await until(pilot, lambda: "2 keys dropped" in status(pilot))
        await still(pilot)
        assert not outcome(pilot).decided


async def test_what_a_sync_brings_takes_no_call_from_under_a_key(
    desk: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with run_app(desk).run_test(size=(80, 24)) as pilot:
        await still(pilot)
        screen, first = main(pilot), table(pilot).current_key
        assert first is not None
        monkeypatch.setattr(type(screen.sync), "busy", frozenset({"desk"}))
        screen.own_activity |= Activity.FILLING  # as while the syncs of the start run
        key = events.Key("d", "d")  # typed before the newer call is there
        with desk.open_archive() as archive, archive.transaction():
            archive.save("desk", [call(1, started_at=NOW)])
        await until(pilot, lambda: table(pilot).current_key != first, 5)
        pilot.app.post_message(key)
        await still(pilot)
        assert outcome(pilot).decided[0][:2] == desk_names(desk, first)[0]
        at = table(pilot).current_key
        with desk.open_archive() as archive, archive.transaction():
            archive.save("desk", [call(2, started_at=NOW)])
        await until(pilot, lambda: "12,002" in status(pilot), 5)
        assert table(pilot).current_key == at


async def test_two_ringbacks_type_in_bursts_and_each_acts_on_what_it_shows(desk: Services) -> None:
    with desk.open_archive() as archive:
        keys = archive.keys(parse("in voicemail untriaged", NOW, UTC))
        names = archive.names_of(keys[:6])
    async with (
        run_app(desk).run_test(size=(80, 24)) as one,
        run_app(desk).run_test(size=(80, 24)) as other,
    ):
        await still(one)
        await still(other)
        for _ in range(2):  # the second time the first three have gone from the other's rows, too
            burst(one, "3fff")
            await still(one)
            burst(other, "1")
            await still(other)
            one, other = other, one
        decided = [found[:2] for found in outcome(one).decided if len(found) == 3]
    assert decided == names


# -- esc goes back to where one was


@pytest.mark.parametrize("asked", few(2, ["/voicemail\r", "3", "/voice", "2", "/busy\r36"]))
async def test_esc_goes_back_to_the_call_where_one_was(desk: Services, asked: str) -> None:
    async with run_app(desk).run_test(size=(80, 24)) as pilot:
        await still(pilot)
        burst(pilot, "jjxj\x04\x04j")
        await still(pilot)
        before = outcome(pilot)
        burst(pilot, asked)
        await still(pilot)
        burst(pilot, "jj" if asked.endswith("\r") else "")
        burst(pilot, "\x1b")
        await still(pilot)
        assert outcome(pilot) == before


async def test_esc_goes_back_far_down_and_to_the_query_of_before(
    desk: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_window, "WINDOW_ROWS", 400)
    async with run_app(desk, "answered").run_test(size=(80, 24)) as pilot:
        await still(pilot)
        burst(pilot, "Gkkk")
        await still(pilot)
        before = outcome(pilot)
        burst(pilot, "/ rec")
        await still(pilot)
        assert table(pilot).cursor == 0
        burst(pilot, "\x1b")
        await still(pilot)
        assert outcome(pilot) == before and "answered" in page(pilot)


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
    async with run_app(desk).run_test(size=(80, 24)) as pilot:
        await still(pilot)
        for key in closing:
            found = []
            for times in (1, 3):
                burst(pilot, "/busy\rjj" + opening + key * times)
                await still(pilot)
                one = outcome(pilot)
                found.append(one._replace(decided=one.decided[-2:]))
                while type(pilot.app.screen).__name__ != "MainScreen":
                    await pilot.press("escape")
                    await pilot.pause(0.1)
                table(pilot).marked = frozenset()
                table(pilot).move_to(0)
                await pilot.press("escape")
                await still(pilot)
            assert found[1] == found[0], key


async def test_yes_said_twice_is_said_once(desk: Services) -> None:
    for times in (1, 2, 3):
        async with run_app(desk).run_test(size=(80, 24)) as pilot:
            await still(pilot)
            burst(pilot, "xjxf" + "y" * times)
            await still(pilot)
            found = outcome(pilot)
            assert not found.asked and not found.marked and found.screen == "MainScreen"
            assert len([one for one in found.decided if len(one) == 3]) == 2 * times


async def test_an_export_is_saved_once(
    desk: Services, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    async with run_app(desk, "busy").run_test(size=(80, 24)) as pilot:
        await still(pilot)
        burst(pilot, "E\r\r\r")
        await until(pilot, lambda: list(tmp_path.glob("*.csv")))
        await still(pilot)
        assert outcome(pilot).screen == "MainScreen" and not outcome(pilot).opened
        burst(pilot, "E\r\r")
        await until(pilot, lambda: "Replace the file?" in page(pilot))
        burst(pilot, "\r\r")
        await still(pilot)
        assert outcome(pilot).screen == "MainScreen" and not outcome(pilot).opened


async def test_a_double_click_in_the_palette_chooses_once(desk: Services) -> None:
    async with run_app(desk).run_test(size=(80, 24)) as pilot:
        await still(pilot)
        burst(pilot, ":half page down")
        await still(pilot)
        at = table(pilot).cursor
        row = next(y for y, line in enumerate(page(pilot).splitlines()) if "Half page down" in line)
        for _ in range(3):
            for kind in (events.MouseDown, events.MouseUp):
                event = kind(None, 20, row, 0, 0, 1, False, False, False, 20, row)
                pilot.app.post_message(event)
        await still(pilot)
        assert type(pilot.app.screen).__name__ == "MainScreen"
        assert table(pilot).cursor == at + 10 and not outcome(pilot).opened


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
    async with run_app(desk).run_test(size=(80, 24)) as pilot:
        await still(pilot)
        burst(pilot, "jjtspam\r")
        await still(pilot)
        burst(pilot, "u/-tag:spam\r")
        await until(pilot, lambda: main(pilot).query_text == "-tag:spam")
        await until(pilot, lambda: not main(pilot).activity & Activity.READING)
        go_on.set()
        await still(pilot)
        assert "undone" in status(pilot)
        assert table(pilot).current_key == first


async def test_a_search_moves_no_cursor_over_rows_that_were_asked_for_after_it(
    desk: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys, go_on = Archive.keys, Event()

    def late(self: Archive, query: Query = EVERYTHING, *args: Any, **more: Any) -> Any:
        if UNTRIAGED in query.terms and more.get("limit") == 1:
            go_on.wait(30)
        return keys(self, query, *args, **more)

    with desk.open_archive() as archive:
        first, *_ = archive.keys(parse("untriaged", NOW, UTC))
    monkeypatch.setattr(triage_controller, "LOOK_AHEAD", 0)
    monkeypatch.setattr(Archive, "keys", late)
    async with run_app(desk).run_test(size=(80, 24)) as pilot:
        await still(pilot)
        burst(pilot, "jjjjjn/untriaged\r")
        await until(pilot, lambda: main(pilot).query_text == "untriaged")
        await until(pilot, lambda: not main(pilot).activity & Activity.READING)
        go_on.set()
        await still(pilot)
        assert table(pilot).current_key == first
