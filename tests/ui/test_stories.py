"""The stories of a support desk, as it tells them, at 80x24, with every key counted.

A key is one press; typed text counts as none, as in "4 + text". Each story may take at most the
number of keys that stands in its test.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from providers.model import Agent, Call, Contact, Hangup
from providers.sandbox import Sandbox
from tests.archive.calls import call
from tests.ui.calls_page import CallsPage, open_page
from tests.ui.conftest import NOW
from tests.ui.test_taking_out import copied
from tui.call_links import parse
from tui.config.accounts import make_account
from tui.config.paths import Paths
from tui.config.settings import put
from tui.services import Services
from widgets.waveform import BLOCKS

__all__ = ["copied"]

Home = Callable[..., Services]


class AtTheDesk(Services):
    """Ann's services on the day of the stories."""

    def now(self) -> datetime:
        return NOW


def at_the_desk(services: Services) -> Services:
    environ = {**services.environ, "RINGBACK_USER": "ann"}
    return AtTheDesk(services.paths, environ, UTC)


class Story:
    """Presses keys and counts them."""

    def __init__(self, page: CallsPage) -> None:
        self.page, self.keys = page, 0

    async def press(self, *keys: str) -> None:
        self.keys += len(keys)
        await self.page.press(*keys)
        await self.page.idle()

    async def type(self, text: str) -> None:
        """Text costs no keys."""
        await self.page.type_text(text)

    def decided(self, name: tuple[str, str]) -> tuple[str, str | None]:
        """State and note of a call."""
        with self.page.app.services.open_archive() as archive:
            triage = archive.triage.of(*name)
        return triage.state, triage.note


async def started(page: CallsPage) -> Story:
    await page.idle()
    return Story(page)


@pytest.fixture
def desk(paths: Paths) -> Services:
    """An account that cannot be reached, and no calls yet."""
    services = AtTheDesk(paths, {**os.environ, "RINGBACK_USER": "ann"}, UTC)
    account = make_account("desk", "nectar", "http://127.0.0.1:9", {"call_ids": "1-99"})
    services.accounts.add(account)
    return services


def have(services: Services, *calls: Call) -> None:
    """Put calls into the archive, the first the oldest, a minute apart up to now."""
    first = NOW - timedelta(minutes=len(calls))
    with services.open_archive() as archive, archive.transaction():
        archive.save(
            "desk",
            [
                replace(call, started_at=first + timedelta(minutes=number))
                for number, call in enumerate(calls)
            ],
        )


async def test_1_voicemails_heard_noted_done_one_after_the_other(synced: Home) -> None:
    """Listen to each unanswered voicemail at 1.5x, done with a note, and on to the next, which
    plays by itself. 4 keys + text; for every further call 2 + text.
    """
    services = at_the_desk(synced("nectar", "cinnox"))
    with services.paths.config_file.open("a") as config:
        config.write('\n[views.support]\nkey = "3"\n')
        config.write('query = "in voicemail rec -state:done"\n')
    put(services.paths, "audio", "autoplay", True)
    put(services.paths, "audio", "speed", 1.5)
    async with open_page(services) as page:
        story = await started(page)
        await story.press("3")
        voicemails = page.count
        assert voicemails >= 2 and all("voicema" in row for row in page.rows[:voicemails])
        first = page.call_name
        await story.press("space")
        await page.until(lambda: "Playing" in page.player and "1.5x" in page.player)
        await story.press("D")
        await story.type("wants a quote")
        await story.press("enter")
        assert story.keys == 4
        assert story.decided(first) == ("done", "wants a quote")
        second = page.call_name
        assert second != first
        await page.until(lambda: page.sound.playing is not None)
        playing = page.sound.playing
        assert playing and (playing.account, playing.call.id) == second
        await page.until(lambda: "Playing" in page.player)
        await story.press("D")
        await story.type("wrong number")
        await story.press("enter")
        assert story.keys == 6
        assert story.decided(second) == ("done", "wrong number")
        left = {(row.account, row.id) for row in page.calls(100)}
        assert left and not left & {first, second}, "they have left the view"


async def test_2_callbacks_that_nobody_answered_yet(desk: Services, copied: list[str]) -> None:
    """Callback requests: the view, two keys that copy the number to call, and one for done: 4;
    3 for every further call. Those that somebody answered meanwhile vanish by themselves.
    """
    numbers = [f"+4420794600{n:02}" for n in range(4)]
    wishes = [
        call(n, outcome="missed", callback_requested=True, contact=Contact(number=number))
        for n, number in enumerate(numbers)
    ]
    have(desk, *wishes, call(9, outcome="missed"))
    async with open_page(desk) as page:
        story = await started(page)
        await story.press("4")
        assert page.count == 4 and page.call_name == ("desk", "3")
        await story.press("y", "n")
        await page.until(lambda: copied == [numbers[3]])
        assert "number copied by" in page.status
        await story.press("d")
        assert story.keys == 4 and story.decided(("desk", "3"))[0] == "done"
        assert page.count == 3 and page.call_name == ("desk", "2")
        with desk.open_archive() as other, other.transaction():
            answered = call(20, contact=Contact(number="0044 20 7946 0001"))
            other.save("desk", [replace(answered, started_at=NOW)])
        await page.until(lambda: page.count == 2)
        assert page.call_name == ("desk", "2"), "the cursor stays where it is"
        await story.press("y", "n", "d")
        assert story.keys == 7 and page.call_name == ("desk", "0")
        await page.until(lambda: copied == [numbers[3], numbers[2]])


async def test_3_a_call_is_found_over_all_vendors_by_four_digits_and_a_day_and_played(
    home: Home, many: Sandbox
) -> None:
    """ "I called on Tuesday, my number ends 0147": `/` text `enter`, `space`. 3 keys + text."""
    services = at_the_desk(home("nectar", "liner", "cinnox", sandbox=many))
    async with open_page(services) as page:
        story = await started(page)
        await story.press("slash")
        await story.type("0147 tue rec dur>30")
        await story.press("enter")
        shown = page.calls(500)
        assert shown and all("0147" in (row.number or "") for row in shown)
        days = {datetime.fromtimestamp(row.started_at or 0, UTC).date() for row in shown}
        assert days == {NOW.date() - timedelta(days=1)}, "NOW is a Wednesday"
        await story.press("space")
        await page.until(lambda: "Playing" in page.player)
        assert story.keys == 3


async def test_5_the_place_where_the_refund_was_promised_goes_to_a_colleague(
    synced: Home, copied: list[str]
) -> None:
    """Play a long call without its silences, find the place, comment it, copy a link to the spot:
    `space`, `i`, `L` to each next turn of speech, `c` text `enter`, `y` `l`. 6 keys + n + text.
    The colleague hears it from there by one key; and so does whoever opens the comment.
    """
    services = at_the_desk(synced("nectar"))
    async with open_page(services, "rec dur>120 dur<240") as page:
        story = await started(page)
        await story.press("space")
        await page.until(lambda: "Playing" in page.player)
        await story.press("i")
        turns = 0
        while page.sound.view.position_s < 60:
            before = page.sound.view.position_s
            await page.press("L")
            turns += 1
            assert turns < 200, "each key goes on a turn"
            await page.until(lambda was=before: page.sound.view.position_s > was)  # type: ignore[misc]
        await story.press("c")
        assert re.search(r"comment at 1:[0-5]\d", page.text)
        await story.type("refund promised")
        await story.press("enter", "y", "l")
        await page.until(lambda: copied)
        assert story.keys == 6
        await page.press("0")
        await page.until(lambda: page.sound.view.position_s < 30)
        await page.press("enter")
        await page.until(lambda: re.search(r"1:[0-5]\d refund promised \(ann", page.detail))
        await page.press("enter")
        await page.until(lambda: page.sound.view.position_s >= 60)
    link = parse(copied[0])
    assert link.at_s is not None and link.at_s >= 60
    async with open_page(services, link=link) as page:
        await page.pause()
        await page.press("space")
        await page.until(lambda: page.sound.view.status == "playing")
        assert page.sound.view.position_s >= link.at_s


async def test_5_a_comment_plays_the_call_that_is_not_playing_yet(
    synced: Home, many: Sandbox
) -> None:
    services = at_the_desk(synced("nectar"))
    async with open_page(services, "rec dur>120 dur<240") as page:
        story = await started(page)
        await story.press("c")
        await story.type("1:05 refund promised")
        await story.press("enter", "enter")
        await page.until(lambda: "1:05 refund promised (ann" in page.detail)
        await story.press("enter")
        await page.until(lambda: page.sound.view.position_s >= 64)
        wave = page.sound.waveform
        await page.until(lambda: BLOCKS.comment in wave.render_line(0).text)
        await story.press("c")
        assert re.search(r"comment at 1:\d\d", page.text)
        await story.type("0:05 greeting")  # a time of its own, while it plays
        await story.press("enter")
        await page.until(lambda: "0:05 greeting (ann" in page.detail)


async def test_6_who_dropped_this_transferred_call(desk: Services) -> None:
    """`enter` shows the timeline, `J` goes to the original call. 2 keys; `J` again comes back."""
    start = NOW - timedelta(minutes=1)
    agents = (
        Agent("1", "Anna", started_at=start + timedelta(seconds=8), answered=True),
        Agent(
            "2",
            "Ben",
            started_at=start + timedelta(seconds=72),
            answered=False,
            transfer=True,
            hangup_reason="operator hung up",
        ),
    )
    transferred = call(
        2, agents=agents, hangup=Hangup("agent", "operator hung up"), original_call_id="1"
    )
    have(desk, call(1, contact=Contact(name="Anna")), transferred)
    async with open_page(desk) as page:
        story = await started(page)
        await story.press("enter")
        assert story.keys == 1
        shown = page.detail
        assert "Ben" in shown and "transfer" in shown and "operator hung up" in shown
        assert "+0:08" in shown and "+1:12" in shown
        await story.press("J")
        assert story.keys == 2
        assert page.call_name == ("desk", "1") and "original" in page.status
        await story.press("J")
        assert page.call_name == ("desk", "2") and "back at the call" in page.status


async def test_7_sixty_robocalls_tagged_and_cleared_and_undone(desk: Services) -> None:
    """All short calls of today: tag, done. 8 keys + text; `u` undoes all sixty."""
    have(
        desk,
        *(call(n, duration_s=200) for n in range(100, 105)),
        *(call(n, duration_s=3) for n in range(60)),
        call(105, duration_s=200),
    )
    async with open_page(desk) as page:
        story = await started(page)
        await story.press("slash")
        await story.type("today in dur<6")
        await story.press("enter", "X", "G", "t")
        assert "60 calls, tag" in page.text
        await story.type("spam")
        await story.press("enter", "d")
        assert "Mark 60 calls done?" in page.text
        await story.press("y")
        assert story.keys == 8
        with desk.open_archive() as archive:
            done = [archive.triage.of("desk", str(n)) for n in range(60)]
            assert {(triage.state, triage.tags) for triage in done} == {("done", ("spam",))}
            assert archive.triage.of("desk", "100").by is None
        await story.press("u")
        assert "undone: done (60 calls)" in page.status
        with desk.open_archive() as archive:
            done = [archive.triage.of("desk", str(n)) for n in range(60)]
            assert {(triage.state, triage.tags) for triage in done} == {("new", ("spam",))}


async def test_8_the_morning_check_worst_first_two_go_to_ben(desk: Services) -> None:
    """Whom we let wait too long, by their view, the longest first; two get Ben's tag: `5`,
    `x` `j` `x`, `t` text `enter`. 6 keys + text.
    """
    waits = (30.0, 300.0, 90.0, 200.0)
    have(desk, *(call(n, sla_met=False, wait_s=wait) for n, wait in enumerate(waits)))
    have(desk, call(9, sla_met=True, wait_s=500.0))
    async with open_page(desk) as page:
        story = await started(page)
        await story.press("5")
        assert [row.id for row in page.calls(9)] == ["1", "3", "2", "0"]
        await story.press("x", "j", "x", "t")
        assert "2 calls, tag" in page.text
        await story.type("ben")
        await story.press("enter")
        assert story.keys == 6
        with desk.open_archive() as archive:
            tags = [archive.triage.of("desk", str(n)).tags for n in range(4)]
        assert tags == [(), ("ben",), (), ("ben",)]
        await page.press("escape")
        await page.idle()
        assert page.call_name == ("desk", "9"), "all calls stand in the order of before"
