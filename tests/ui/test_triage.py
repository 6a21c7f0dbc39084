"""Triage on the screen: keys, prompts, marks, bulk acts, undo; and what another Ringback decides."""

from __future__ import annotations

import os
import shlex
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from textual import events

from providers.model import Call, Contact
from tests.archive.calls import START, call
from tests.slow_params import few
from tests.ui.calls_page import open_page
from tui import cli
from tui.archive.errors import ArchiveError
from tui.archive.sqlite import Archive
from tui.archive.triage_events import comment, note, state, tag
from tui.config.accounts import make_account
from tui.config.paths import Paths
from tui.exit_codes import ExitCode
from tui.services import Services
from widgets.prompt_line import PromptInput

NOW = START + timedelta(hours=6)


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


def decided(services: Services, *ids: int) -> list[str]:
    with services.open_archive() as archive:
        return [archive.triage.of("desk", str(id_)).state for id_ in ids]


async def test_done_goes_on_and_undo_comes_back_step_by_step(desk: Services) -> None:
    async with open_page(desk) as page:
        await page.idle()
        assert page.call_id == "10"
        await page.press("d", "d", "j", "d")
        assert page.call_id == "6"
        await page.idle()
        assert decided(desk, 10, 9, 8, 7, 6) == ["done", "done", "new", "done", "new"]
        assert " done" in page.rows[0] and " done" not in page.rows[2]
        for at, left in (("7", ["done", "done", "new"]), ("9", ["done", "new", "new"])):
            await page.press("u")
            await page.idle()
            assert page.call_id == at and decided(desk, 10, 9, 7) == left
            assert "undone: done (1 call)" in page.status
        await page.press("u", "u")
        await page.idle()
        assert page.call_id == "10" and decided(desk, 10) == ["new"]
        assert "there is nothing to undo" in page.status


async def test_n_skips_what_is_decided_and_what_was_answered_later(desk: Services) -> None:
    caller = Contact(number="+442079460000")
    fill(desk, call(8, outcome="missed", contact=caller), call(11, contact=caller))
    with desk.open_archive() as archive:
        archive.triage.append([("desk", "10"), ("desk", "7")], [state("done")], "ben")
    async with open_page(desk) as page:
        await page.idle()
        assert " back" in page.rows[3], "answered by call 11"
        places = []
        for key in "nnnNNN":
            await page.press(key)
            places.append(page.call_id)
        assert places == ["9", "6", "5", "6", "9", "11"]
        await page.press("N")
        await page.until(lambda: "no untriaged call above" in page.status)


async def test_a_note_a_tag_a_comment_and_a_snooze_are_asked_for(desk: Services) -> None:
    with desk.open_archive() as archive:
        archive.triage.append([("desk", "1")], [tag("refund")], "ben")
    async with open_page(desk) as page:
        await page.idle()
        await page.type_text("D")
        assert "note, then done" in page.text and "enter" in page.text
        await page.type_text("dqu x")
        await page.press("escape")
        await page.idle()
        assert decided(desk, 10) == ["new"] and page.call_id == "10", "escape leaves all as it was"
        await page.type_text("Dcalled back")
        await page.press("enter")
        await page.type_text("tref")
        await page.press("tab", "enter")
        await page.type_text("c1:23 here")
        await page.press("enter")
        await page.type_text("cnothing")
        await page.press("enter")
        assert "begin with the time" in page.status and "nothing" in page.text
        await page.press("escape")
        await page.type_text("Z1h")
        await page.press("enter")
        await page.idle()
        assert page.call_id == "8"
        await page.press("k", "enter")
        await page.idle()
        with desk.open_archive() as archive:
            ten, nine = (archive.triage.of("desk", id_) for id_ in ("10", "9"))
        assert ten.note == "called back"
        assert (nine.tags, nine.by) == (("refund",), "ann")
        assert (nine.snoozed_until or 0) == (NOW + timedelta(hours=1)).timestamp()
        assert "tags: refund" in page.detail and "1:23 here (ann, " in page.detail


async def test_what_is_typed_after_a_prompt_s_key_goes_into_it(desk: Services) -> None:
    async with open_page(desk) as page:
        await page.idle()
        for key in ("D", "q", "d", "enter", "d"):
            page.app.simulate_key(key)  # faster than anybody: without a pause between them
        await page.until(lambda: page.call_id == "8")
        await page.idle()
        with desk.open_archive() as archive:
            assert archive.triage.of("desk", "10").note == "qd"
        assert decided(desk, 10, 9) == ["done", "done"]


async def test_marks_are_shown_kept_and_acted_on_after_a_question(desk: Services) -> None:
    async with open_page(desk) as page:
        await page.idle()
        await page.press("x", "j", "j", "X", "j", "X", "j")
        assert [row[:1] for row in page.rows[:6]] == ["*", "*", "*", "*", ">", " "]
        assert "4 marked" in page.status_line.left
        fill(desk, call(11))
        page.look()
        await page.idle()
        assert [row[:1] for row in page.rows[:7]] == [" ", "*", "*", "*", "*", ">", " "]
        await page.press("d")
        await page.until(lambda: "Mark 4 calls done?" in page.text)
        await page.press("n")
        await page.idle()
        assert decided(desk, 10, 7) == ["new", "new"]
        await page.press("d", "y")
        await page.idle()
        assert decided(desk, 11, 10, 9, 8, 7, 6) == ["new", "done", "done", "done", "done", "new"]
        assert "4 calls: done (u undoes)" in page.status
        assert "marked" not in page.status_line.left
        await page.press("u")
        await page.idle()
        assert decided(desk, 10, 9, 8, 7) == ["new"] * 4
        await page.press("x", "ctrl+x")
        await page.pause()
        assert "1 mark taken away" in page.status


async def test_what_was_decided_is_said_with_the_way_back(desk: Services) -> None:
    async with open_page(desk, "id:9,10", size=(120, 24)) as page:
        await page.idle()
        await page.press("d")
        await page.idle()
        assert "done: Contact 10 0:10 (u takes it back)" in page.status
        await page.press("d")
        await page.idle()
        assert "done: Contact 9 0:09 (u takes it back, the last call here)" in page.status
        await page.press("f")
        await page.idle()
        assert "follow-up: Contact 9 0:09 (u takes it back)" in page.status
        await page.press("x", "k", "x", "f", "y")
        await page.idle()
        assert "2 calls: follow-up (u undoes)" in page.status


async def test_a_range_ends_with_a_mark_and_shrinks_with_the_cursor(desk: Services) -> None:
    async with open_page(desk) as page:
        await page.idle()
        await page.press("j", "X", "G")
        assert len(page.marked) == 9
        await page.press("k", "k")
        assert len(page.marked) == 7
        await page.press("g")
        assert len(page.marked) == 2
        await page.press("x", "G")
        assert len(page.marked) == 1


async def test_a_done_call_leaves_its_view_and_the_cursor_stays_on_the_next(desk: Services) -> None:
    async with open_page(desk, "-state:done") as page:
        await page.idle()
        await page.press("j", "j", "d")
        await page.idle()
        assert page.call_id == "7" and page.count == 9
        await page.press("u")
        await page.idle()
        assert page.call_id == "8" and page.count == 10


async def test_two_ringbacks_see_each_other_within_two_seconds(desk: Services) -> None:
    async with open_page(desk) as page:
        await page.idle()
        await page.press("j", "enter")
        await page.idle()
        with desk.open_archive() as other:
            other.triage.append([("desk", "9")], [state("follow-up"), note("mine")], "ben")
        # two seconds, and what a busy machine adds
        await page.until(lambda: "note: mine (ben, " in page.detail, 10)
        await page.press("escape")
        await page.idle()
        assert page.row.count("follow") == 1
        await page.until(lambda: page.table.visible_rows == (0, 9))
        assert page.call_id == "9"


async def test_the_poll_is_often_enough() -> None:
    from tui.screens.main import LOOK_S

    assert LOOK_S <= 1.0


async def test_what_was_typed_before_the_end_is_written(desk: Services) -> None:
    async with open_page(desk) as page:
        await page.idle()
        for key in ("d", "d", "d", "ctrl+q"):
            page.app.simulate_key(key)
        await page.until(lambda: not page.app.is_running)
    assert decided(desk, 10, 9, 8, 7) == ["done", "done", "done", "new"]


async def test_what_takes_long_to_keep_is_said(desk: Services) -> None:
    with closing(sqlite3.connect(desk.paths.archive_file, isolation_level=None)) as other:
        async with open_page(desk) as page:
            await page.idle()
            page.unflash()
            for key, said in (("d", "keeping 1 call"), ("u", "undoing")):
                other.execute("BEGIN IMMEDIATE")
                await page.press(key)
                await page.until(lambda said=said: said in page.status)  # type: ignore[misc]
                other.execute("ROLLBACK")
                await page.until(lambda said=said: said not in page.status)  # type: ignore[misc]
                await page.idle()
    assert decided(desk, 10) == ["new"]


@pytest.mark.parametrize("waited", few(1, [False, True]))
async def test_what_cannot_be_written_before_the_end_is_told_after_it(
    desk: Services, monkeypatch: pytest.MonkeyPatch, waited: bool
) -> None:
    """Also what is being tried when the screen closes, and what it said a moment before."""
    monkeypatch.setattr("tui.archive.sqlite.connection.BUSY_S", 0.3)
    with closing(sqlite3.connect(desk.paths.archive_file, isolation_level=None)) as other:
        async with open_page(desk) as page:
            await page.idle()
            other.execute("BEGIN IMMEDIATE")
            await page.press("d", "D")
            await page.type_text("it's -5 %")
            for key in ("enter", "Z"):
                page.app.simulate_key(key)
            await page.type_text("2099-11-03")
            page.app.simulate_key("enter")
            await page.until(lambda: page.call_id == "7")
            if waited:
                await page.idle()
                assert "not kept: database is locked" in page.status
    told = page.app.not_kept
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
    async with open_page(desk, "nobody") as page:
        await page.idle()
        for key in ("d", "D", "f", "t", "c", "Z"):
            await page.press("slash", "escape", key)
            await page.until(lambda: "no call is chosen" in page.status)
            assert not page.is_typing
            page.screen.query_one("#status").unflash()  # type: ignore[attr-defined]


async def test_hostile_notes_and_tags_reach_no_terminal(desk: Services) -> None:
    evil = "\x1b]52;c;aGk=\x07[@click=app.quit]x[/] \u202e"
    with desk.open_archive() as archive:
        archive.triage.append(
            [("desk", "10")], [note(evil), tag(evil[:50]), comment(evil, 1)], evil
        )
    async with open_page(desk, size=(120, 30)) as page:
        await page.idle()
        await page.press("enter")
        await page.idle()
        shown = page.text
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
    async with open_page(desk) as page:
        await page.idle()
        for key in keys:
            page.app.post_message(events.Key(key, key))
        if not done:
            await page.until(lambda: "Mark 2 calls done?" in page.text)
            return
        await page.until(lambda: all(decided(desk, int(id_)) == ["done"] for id_ in done))
        others = [number for number in range(1, 11) if str(number) not in done]
        assert set(decided(desk, *others)) == {"new"}


async def test_a_step_that_cannot_be_kept_is_told_of_and_the_next_one_is_kept(
    desk: Services,
) -> None:
    async with open_page(desk) as page:
        await page.idle()
        newer = sqlite3.connect(desk.paths.archive_file)
        [known] = newer.execute("PRAGMA user_version").fetchone()
        newer.execute(f"PRAGMA user_version = {known + 1}")
        newer.commit()
        await page.press("d", "d")
        await page.until(lambda: "not kept: a later Ringback" in page.status)
        page.reload()
        await page.idle()
        assert "not kept: a later Ringback" in page.status, "it tells more than what is unread"
        newer.execute(f"PRAGMA user_version = {known}")
        newer.commit()
        await page.idle()
        await page.press("d")
        await page.idle()
        newer.close()
    assert decided(desk, 10, 9, 8) == ["new", "new", "done"]


@pytest.mark.parametrize("query", few(1, ["24h", "today", "2026-11-02.."]))
async def test_what_is_asked_for_by_the_clock_goes_on_with_it(desk: Services, query: str) -> None:
    async with open_page(desk, query) as page:
        await page.idle()
        assert page.call_id == "10"
        Then.at = NOW + timedelta(hours=10)  # past midnight
        late = call(1200, started_at=Then.at - timedelta(minutes=1))
        fill(desk, late)
        await page.until(lambda: page.calls()[0].id == "1200")
        assert page.count == (1 if query == "today" else 11)


async def test_a_question_says_how_many_marked_calls_are_not_shown(desk: Services) -> None:
    async with open_page(desk) as page:
        await page.idle()
        await page.press("x", "j", "x", "slash")
        await page.type_text("id:9")
        await page.press("enter")
        await page.idle()
        await page.press("d")
        await page.until(lambda: "Mark 2 calls (1 not shown) done?" in page.text)
        await page.press("n", "t")
        await page.until(lambda: "2 calls (1 not shown), tag" in page.text)
        await page.press("escape")
    assert decided(desk, 10, 9) == ["new", "new"]


async def test_what_was_typed_can_be_mended(desk: Services) -> None:
    async with open_page(desk) as page:
        await page.idle()
        await page.type_text("Zmon 9:75")
        await page.press("enter")
        assert "is not 1h" in page.status
        await page.press("backspace", "backspace")
        await page.type_text("30")
        await page.press("enter")
        await page.idle()
        with desk.open_archive() as archive:
            until_s = archive.triage.of("desk", "10").snoozed_until or 0
        assert datetime.fromtimestamp(until_s, UTC) == datetime(2026, 11, 9, 9, 30, tzinfo=UTC)


async def test_a_pasted_note_that_is_too_long_is_told_of_and_kept_in_the_line(
    desk: Services,
) -> None:
    async with open_page(desk) as page:
        await page.idle()
        await page.press("D")
        page.screen.query_one(PromptInput).post_message(events.Paste("n" * 4010))
        await page.pause()
        await page.press("enter")
        assert "at most 4,000 characters" in page.status
        await page.press(*["backspace"] * 10, "enter")
        await page.idle()
        with desk.open_archive() as archive:
            ten = archive.triage.of("desk", "10")
        assert ten.state == "done" and len(ten.note or "") == 4000


async def test_an_archive_that_breaks_is_told_of_by_the_keys_that_go_on(
    desk: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_page(desk) as page:
        await page.idle()

        def broken(*_: object) -> set[int]:
            raise ArchiveError("database disk image is malformed")

        monkeypatch.setattr(Archive, "matching", broken)
        for key in ("d", "n", "N"):
            await page.press(key)
            assert "the archive cannot be read: data" in page.status, key


async def test_a_marked_call_that_has_gone_is_told_of_and_marked_no_more(desk: Services) -> None:
    async with open_page(desk) as page:
        await page.idle()
        await page.press("j", "x", "k")
        with desk.open_archive() as archive:
            archive.purge([archive.key_of("desk", "9") or 0], None)
        await page.press("f")
        await page.idle()
        assert "1 call no longer here" in page.status and not page.marked
        await page.press("f")
        await page.idle()
    assert decided(desk, 10) == ["follow-up"]


async def test_all_lines_of_a_pasted_note_are_kept(desk: Services) -> None:
    async with open_page(desk) as page:
        await page.idle()
        await page.press("D")
        page.app.post_message(events.Paste("wants a refund\r\n\nand a call\n"))
        await page.pause()
        await page.press("enter")
        await page.idle()
    with desk.open_archive() as archive:
        assert archive.triage.of("desk", "10").note == "wants a refund and a call"
