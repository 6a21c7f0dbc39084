"""Triage on the screen: keys, prompts, marks, bulk acts, undo; and what another Ringback decides."""

from __future__ import annotations

import os
import shlex
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from textual import events
from textual.pilot import Pilot

from providers.model import Call, Contact
from tests.archive.calls import START, call
from tests.few import few
from tests.ui.driving import (
    cursor_row,
    detail,
    main,
    page,
    press_each,
    rows,
    run_app,
    status,
    table,
    until,
)
from tui import cli
from tui.archive.errors import ArchiveError
from tui.archive.sqlite import Archive
from tui.archive.triage_events import comment, note, state, tag
from tui.config.accounts import make_account
from tui.config.paths import Paths
from tui.exit_codes import ExitCode
from tui.screens.activity import Activity
from tui.services import Services
from widgets.prompt_line import PromptInput
from widgets.status_line import StatusLine

NOW = START + timedelta(hours=6)

ROWS = Activity.READING | Activity.OUTDATED | Activity.WRITING


class Then(Services):
    """Services at a moment that stands still."""

    at = NOW

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def desk(paths: Paths) -> Services:
    """Ten calls of today, 10 the newest, of an account that cannot be reached; Ann at the desk."""
    Then.at = NOW
    services = Then(paths, {**os.environ, "RINGBACK_USER": "ann"}, UTC)
    account = make_account("desk", "nectar", "http://127.0.0.1:9", {"call_ids": "1-99"})
    services.accounts.add(account)
    fill(services, *(call(number) for number in range(1, 11)))
    return services


def fill(services: Services, *calls: Call) -> None:
    with services.open_archive() as archive:
        archive.read_by("desk", 99)  # their raw is none of a vendor's: there is nothing to read
        with archive.transaction():
            archive.save("desk", calls)


async def ready(pilot: Pilot[None]) -> None:
    """Wait until nothing is read, written or asked."""
    screen = main(pilot)
    await until(
        pilot,
        lambda: not screen.activity & (Activity.STARTING | Activity.SYNCING | Activity.WRITING),
    )
    await until(pilot, lambda: not screen.activity & ROWS)
    await pilot.pause()


def current(pilot: Pilot[None]) -> str:
    row = table(pilot)._blocks.row(table(pilot).cursor)
    return row.id if row else ""


def decided(services: Services, *ids: int) -> list[str]:
    with services.open_archive() as archive:
        return [archive.triage.of("desk", str(id_)).state for id_ in ids]


def archive_of(pilot: Pilot[None]) -> Archive:
    archive = main(pilot).ctx.archive
    assert archive is not None
    return archive


async def test_done_goes_on_and_undo_comes_back_step_by_step(desk: Services) -> None:
    async with run_app(desk).run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        assert current(pilot) == "10"
        await pilot.press("d", "d", "j", "d")
        assert current(pilot) == "6"
        await ready(pilot)
        assert decided(desk, 10, 9, 8, 7, 6) == ["done", "done", "new", "done", "new"]
        assert " done" in rows(pilot)[0] and " done" not in rows(pilot)[2]
        for at, left in (("7", ["done", "done", "new"]), ("9", ["done", "new", "new"])):
            await pilot.press("u")
            await ready(pilot)
            assert current(pilot) == at and decided(desk, 10, 9, 7) == left
            assert "undone: done (1 call)" in status(pilot)
        await pilot.press("u", "u")
        await ready(pilot)
        assert current(pilot) == "10" and decided(desk, 10) == ["new"]
        assert "there is nothing to undo" in status(pilot)


async def test_n_skips_what_is_decided_and_what_was_answered_later(desk: Services) -> None:
    caller = Contact(number="+442079460000")
    fill(desk, call(8, outcome="missed", contact=caller), call(11, contact=caller))
    with desk.open_archive() as archive:
        archive.triage.append([("desk", "10"), ("desk", "7")], [state("done")], "ben")
    async with run_app(desk).run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        assert " back" in rows(pilot)[3], "answered by call 11"
        places = []
        for key in "nnnNNN":
            await pilot.press(key)
            places.append(current(pilot))
        assert places == ["9", "6", "5", "6", "9", "11"]
        await pilot.press("N")
        await until(pilot, lambda: "no untriaged call above" in status(pilot))


async def test_a_note_a_tag_a_comment_and_a_snooze_are_asked_for(desk: Services) -> None:
    with desk.open_archive() as archive:
        archive.triage.append([("desk", "1")], [tag("refund")], "ben")
    async with run_app(desk).run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await press_each(pilot, "D")
        assert "note, then done" in page(pilot) and "enter" in page(pilot)
        await press_each(pilot, "dqu x")
        await pilot.press("escape")
        await ready(pilot)
        assert decided(desk, 10) == ["new"] and current(pilot) == "10", (
            "escape leaves all as it was"
        )
        await press_each(pilot, "Dcalled back")
        await pilot.press("enter")
        await press_each(pilot, "tref")
        await pilot.press("tab", "enter")
        await press_each(pilot, "c1:23 here")
        await pilot.press("enter")
        await press_each(pilot, "cnothing")
        await pilot.press("enter")
        assert "begin with the time" in status(pilot) and "nothing" in page(pilot)
        await pilot.press("escape")
        await press_each(pilot, "Z1h")
        await pilot.press("enter")
        await ready(pilot)
        assert current(pilot) == "8"
        await pilot.press("k", "enter")
        await ready(pilot)
        archive = archive_of(pilot)
        assert archive.triage.of("desk", "10").note == "called back"
        nine = archive.triage.of("desk", "9")
        assert (nine.tags, nine.by) == (("refund",), "ann")
        assert (nine.snoozed_until or 0) == (NOW + timedelta(hours=1)).timestamp()
        assert "tags: refund" in detail(pilot) and "1:23 here (ann, " in detail(pilot)


async def test_what_is_typed_after_a_prompt_s_key_goes_into_it(desk: Services) -> None:
    async with run_app(desk).run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        for key in ("D", "q", "d", "enter", "d"):
            pilot.app.simulate_key(key)  # faster than anybody: without a pause between them
        await until(pilot, lambda: current(pilot) == "8")
        await ready(pilot)
        with desk.open_archive() as archive:
            assert archive.triage.of("desk", "10").note == "qd"
        assert decided(desk, 10, 9) == ["done", "done"]


async def test_marks_are_shown_kept_and_acted_on_after_a_question(desk: Services) -> None:
    async with run_app(desk).run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("x", "j", "j", "X", "j", "X", "j")
        assert [row[:1] for row in rows(pilot)[:6]] == ["*", "*", "*", "*", ">", " "]
        assert "4 marked" in main(pilot).query_one(StatusLine).left
        fill(desk, call(11))
        main(pilot).calls.look()
        await ready(pilot)
        assert [row[:1] for row in rows(pilot)[:7]] == [" ", "*", "*", "*", "*", ">", " "]
        await pilot.press("d")
        await until(pilot, lambda: "Mark 4 calls done?" in page(pilot))
        await pilot.press("n")
        await ready(pilot)
        assert decided(desk, 10, 7) == ["new", "new"]
        await pilot.press("d", "y")
        await ready(pilot)
        assert decided(desk, 11, 10, 9, 8, 7, 6) == ["new", "done", "done", "done", "done", "new"]
        assert "4 calls: done (u undoes)" in status(pilot)
        assert "marked" not in main(pilot).query_one(StatusLine).left
        await pilot.press("u")
        await ready(pilot)
        assert decided(desk, 10, 9, 8, 7) == ["new"] * 4
        await pilot.press("x", "ctrl+x")
        await pilot.pause()
        assert "1 mark taken away" in status(pilot)


async def test_a_range_ends_with_a_mark_and_shrinks_with_the_cursor(desk: Services) -> None:
    async with run_app(desk).run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("j", "X", "G")
        assert len(table(pilot).marked) == 9
        await pilot.press("k", "k")
        assert len(table(pilot).marked) == 7
        await pilot.press("g")
        assert len(table(pilot).marked) == 2
        await pilot.press("x", "G")
        assert len(table(pilot).marked) == 1


async def test_a_done_call_leaves_its_view_and_the_cursor_stays_on_the_next(desk: Services) -> None:
    async with run_app(desk, "-state:done").run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("j", "j", "d")
        await ready(pilot)
        assert current(pilot) == "7" and len(table(pilot)._rows) == 9
        await pilot.press("u")
        await ready(pilot)
        assert current(pilot) == "8" and len(table(pilot)._rows) == 10


async def test_two_ringbacks_see_each_other_within_two_seconds(desk: Services) -> None:
    async with run_app(desk).run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("j", "enter")
        await ready(pilot)
        with desk.open_archive() as other:
            other.triage.append([("desk", "9")], [state("follow-up"), note("mine")], "ben")
        # two seconds, and what a busy machine adds
        await until(pilot, lambda: "note: mine (ben, " in detail(pilot), 10)
        await pilot.press("escape")
        await ready(pilot)
        assert cursor_row(pilot).count("follow") == 1
        await until(pilot, lambda: table(pilot).visible_rows == (0, 9))
        assert current(pilot) == "9"


async def test_the_poll_is_often_enough() -> None:
    from tui.screens.main import LOOK_S

    assert LOOK_S <= 1.0


async def test_what_was_typed_before_the_end_is_written(desk: Services) -> None:
    async with run_app(desk).run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        for key in ("d", "d", "d", "ctrl+q"):
            pilot.app.simulate_key(key)
        await until(pilot, lambda: not pilot.app.is_running)
    assert decided(desk, 10, 9, 8, 7) == ["done", "done", "done", "new"]


async def test_what_takes_long_to_keep_is_said(desk: Services) -> None:
    with closing(sqlite3.connect(desk.paths.archive_file, isolation_level=None)) as other:
        async with run_app(desk).run_test(size=(80, 24)) as pilot:
            await ready(pilot)
            main(pilot).query_one(StatusLine).unflash()
            for key, said in (("d", "keeping 1 call"), ("u", "undoing")):
                other.execute("BEGIN IMMEDIATE")
                await pilot.press(key)
                await until(pilot, lambda said=said: said in status(pilot))  # type: ignore[misc]
                other.execute("ROLLBACK")
                await until(pilot, lambda said=said: said not in status(pilot))  # type: ignore[misc]
                await ready(pilot)
    assert decided(desk, 10) == ["new"]


@pytest.mark.parametrize("waited", few(1, [False, True]))
async def test_what_cannot_be_written_before_the_end_is_told_after_it(
    desk: Services, monkeypatch: pytest.MonkeyPatch, waited: bool
) -> None:
    """Also what is being tried when the screen closes, and what it said a moment before."""
    monkeypatch.setattr("tui.archive.sqlite.connection.BUSY_S", 0.3)
    app = run_app(desk)
    with closing(sqlite3.connect(desk.paths.archive_file, isolation_level=None)) as other:
        async with app.run_test(size=(80, 24)) as pilot:
            await ready(pilot)
            other.execute("BEGIN IMMEDIATE")
            await pilot.press("d", "D")
            await press_each(pilot, "it's -5 %")
            for key in ("enter", "Z"):
                pilot.app.simulate_key(key)
            await press_each(pilot, "2099-11-03")
            pilot.app.simulate_key("enter")
            await until(pilot, lambda: current(pilot) == "7")
            if waited:
                await until(pilot, lambda: not main(pilot).activity & Activity.WRITING)
                assert "not kept: database is locked" in status(pilot)
    told = app.not_kept
    assert told and told.code == ExitCode.PARTLY
    assert told.message == "3 steps of triage could not be kept: database is locked"
    assert told.hint.splitlines() == [
        f"Another program holds {desk.paths.archive_file}; when it has let go:",
        "  ringback triage desk:10 --state done",
        """  ringback triage desk:9 --note 'it'"'"'s -5 %' --state done""",
        "  ringback triage desk:8 --state snoozed --until 2099-11-03T09:00:00Z",
    ]
    for line in told.hint.splitlines()[1:]:
        assert cli.main(shlex.split(line)[1:]) == 0
    with desk.open_archive() as archive:
        found = [archive.triage.of("desk", id_) for id_ in ("10", "9", "8")]
    assert [one.state for one in found] == ["done", "done", "snoozed"]
    assert found[1].note == "it's -5 %"


async def test_without_calls_the_keys_say_so(desk: Services) -> None:
    async with run_app(desk, "nobody").run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        for key in ("d", "D", "f", "t", "c", "Z"):
            await pilot.press("slash", "escape", key)
            await until(pilot, lambda: "no call is chosen" in status(pilot))
            assert not main(pilot).is_typing
            main(pilot).query_one("#status").unflash()  # type: ignore[attr-defined]


async def test_hostile_notes_and_tags_reach_no_terminal(desk: Services) -> None:
    evil = "\x1b]52;c;aGk=\x07[@click=app.quit]x[/] \u202e"
    with desk.open_archive() as archive:
        archive.triage.append(
            [("desk", "10")], [note(evil), tag(evil[:50]), comment(evil, 1)], evil
        )
    async with run_app(desk).run_test(size=(120, 30)) as pilot:
        await ready(pilot)
        await pilot.press("enter")
        await ready(pilot)
        shown = page(pilot)
        assert "[@click=app.quit]x[/]" in shown
        assert not set(shown) & {"\x1b", "\x07", "\u202e"}


@pytest.mark.parametrize(
    ("keys", "done"),
    few(2, [("jd", "9"), ("jjd", "8"), ("Gd", "1"), ("jdd", "98"), ("jjkd", "9"), ("xjxd", "")]),
)
async def test_keys_that_come_in_one_packet_mean_the_call_that_they_went_to(
    desk: Services, keys: str, done: str
) -> None:
    """Over a slow line, keys come together; none may act on the call of before."""
    async with run_app(desk).run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        for key in keys:
            pilot.app.post_message(events.Key(key, key))
        if not done:
            await until(pilot, lambda: "Mark 2 calls done?" in page(pilot))
            return
        await until(pilot, lambda: all(decided(desk, int(id_)) == ["done"] for id_ in done))
        others = [number for number in range(1, 11) if str(number) not in done]
        assert set(decided(desk, *others)) == {"new"}


async def test_a_step_that_cannot_be_kept_is_told_of_and_the_next_one_is_kept(
    desk: Services,
) -> None:
    async with run_app(desk).run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        newer = sqlite3.connect(desk.paths.archive_file)
        [known] = newer.execute("PRAGMA user_version").fetchone()
        newer.execute(f"PRAGMA user_version = {known + 1}")
        newer.commit()
        await pilot.press("d", "d")
        await until(pilot, lambda: "not kept: a later Ringback" in status(pilot))
        main(pilot).calls.rows.reload()
        await ready(pilot)
        assert "not kept: a later Ringback" in status(pilot), "it tells more than what is unread"
        newer.execute(f"PRAGMA user_version = {known}")
        newer.commit()
        await ready(pilot)
        await pilot.press("d")
        await ready(pilot)
        newer.close()
    assert decided(desk, 10, 9, 8) == ["new", "new", "done"]


@pytest.mark.parametrize("query", few(1, ["24h", "today", "2026-11-02.."]))
async def test_what_is_asked_for_by_the_clock_goes_on_with_it(desk: Services, query: str) -> None:
    async with run_app(desk, query).run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        assert current(pilot) == "10"
        Then.at = NOW + timedelta(hours=10)  # past midnight
        late = call(1200, started_at=Then.at - timedelta(minutes=1))
        fill(desk, late)
        await until(pilot, lambda: table(pilot)._rows.window(0, 1)[0].id == "1200")
        assert len(table(pilot)._rows) == (1 if query == "today" else 11)


async def test_a_question_says_how_many_marked_calls_are_not_shown(desk: Services) -> None:
    async with run_app(desk).run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("x", "j", "x", "slash")
        await press_each(pilot, "id:9")
        await pilot.press("enter")
        await ready(pilot)
        await pilot.press("d")
        await until(pilot, lambda: "Mark 2 calls (1 not shown) done?" in page(pilot))
        await pilot.press("n", "t")
        await until(pilot, lambda: "2 calls (1 not shown), tag" in page(pilot))
        await pilot.press("escape")
    assert decided(desk, 10, 9) == ["new", "new"]


async def test_what_was_typed_can_be_mended(desk: Services) -> None:
    async with run_app(desk).run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await press_each(pilot, "Zmon 9:75")
        await pilot.press("enter")
        assert "is not 1h" in status(pilot)
        await pilot.press("backspace", "backspace")
        await press_each(pilot, "30")
        await pilot.press("enter")
        await ready(pilot)
        until_s = archive_of(pilot).triage.of("desk", "10").snoozed_until or 0
        assert datetime.fromtimestamp(until_s, UTC) == datetime(2026, 11, 9, 9, 30, tzinfo=UTC)


async def test_a_pasted_note_that_is_too_long_is_told_of_and_kept_in_the_line(
    desk: Services,
) -> None:
    async with run_app(desk).run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("D")
        main(pilot).query_one(PromptInput).post_message(events.Paste("n" * 4010))
        await pilot.pause()
        await pilot.press("enter")
        assert "at most 4,000 characters" in status(pilot)
        await pilot.press(*["backspace"] * 10, "enter")
        await ready(pilot)
        ten = archive_of(pilot).triage.of("desk", "10")
        assert ten.state == "done" and len(ten.note or "") == 4000


async def test_an_archive_that_breaks_is_told_of_by_the_keys_that_go_on(
    desk: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with run_app(desk).run_test(size=(80, 24)) as pilot:
        await ready(pilot)

        def broken(*_: object) -> set[int]:
            raise ArchiveError("database disk image is malformed")

        monkeypatch.setattr(Archive, "matching", broken)
        for key in ("d", "n", "N"):
            await pilot.press(key)
            assert "the archive cannot be read: data" in status(pilot), key


async def test_a_marked_call_that_has_gone_is_told_of_and_marked_no_more(desk: Services) -> None:
    async with run_app(desk).run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("j", "x", "k")
        with desk.open_archive() as archive:
            archive.purge([archive.key_of("desk", "9") or 0], None)
        await pilot.press("f")
        await ready(pilot)
        assert "1 call no longer here" in status(pilot) and not table(pilot).marked
        await pilot.press("f")
        await ready(pilot)
    assert decided(desk, 10) == ["follow-up"]


async def test_all_lines_of_a_pasted_note_are_kept(desk: Services) -> None:
    async with run_app(desk).run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("D")
        pilot.app.post_message(events.Paste("wants a refund\r\n\nand a call\n"))
        await pilot.pause()
        await pilot.press("enter")
        await ready(pilot)
    with desk.open_archive() as archive:
        assert archive.triage.of("desk", "10").note == "wants a refund and a call"
