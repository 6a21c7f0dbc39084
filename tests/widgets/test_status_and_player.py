"""The status line, the player line and the empty states."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.widgets.hosts import Host, empty_host
from widgets import player_line
from widgets.empty_state import NOTICES, EmptyState
from widgets.player_line import STATUS_WORDS, PlayerLine, PlayerView, settings_words
from widgets.status_line import StatusLine, rows_text

PLAYING = PlayerView("playing", 41.0, 254.0, title="Ada")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (((101, 140), 12_345, None, 100, True), "rows 101-140 of 12,345 · page 2 of 124"),
        (((101, 140), 1_500, 12_345, 100, False), "rows 101-140 of 12,345 · page 2 of 124"),
        (((1, 40), 1_500, None, 100, False), "rows 1-40 of 1,500 so far · page 1"),
        (((1, 40), 1_500, 9, 100, True), "rows 1-40 of 1,500 · page 1 of 15"),
        (((7, 7), 7, None, 0, True), "row 7 of 7"),
        (((1, 0), 0, None, 100, True), "no calls"),
        (((1, 0), 0, None, 100, False), "no calls yet"),
        (((200, 200), 200, None, 100, True), "row 200 of 200 · page 2 of 2"),
        (((101, 140), 20_000, 90_000, 100, False, False), "rows 101-140 of 20,000+ · page 2"),
        ((None, 20_000, None, 100, True, False), "rows ... of 20,000+"),
        ((None, 90_000, None, 100, True), "rows ... of 90,000"),
    ],
)
def test_rows_text(
    arguments: tuple[tuple[int, int] | None, int, int | None, int, bool], text: str
) -> None:
    assert rows_text(*arguments) == text


async def test_flash_says_its_level_and_goes_away() -> None:
    status = StatusLine()
    async with Host(status).run_test(size=(80, 3)):
        status.left, status.progress = "rows 1-2 of 2", "Liner: 5 of 9"
        assert " ".join(status.render_line(0).text.split()) == "rows 1-2 of 2 Liner: 5 of 9"
        status.flash("wait \x1b[31m", "warning", 0.05)
        text = status.render_line(0).text
        assert text.rstrip().endswith("Warning: wait \ufffd[31m")
        assert text.startswith(" rows 1-2 of 2") and "Liner" not in text
        await asyncio.sleep(0.2)
        assert "Liner: 5 of 9" in status.render_line(0).text


@pytest.mark.parametrize(
    ("before", "after", "stays"),
    [
        ("error", "info", True),
        ("error", "warning", True),
        ("warning", "info", True),
        ("error", "error", False),
        ("warning", "error", False),
        ("info", "info", False),
    ],
)
async def test_news_leave_a_graver_message_standing(before: str, after: str, stays: bool) -> None:
    status = StatusLine()
    async with Host(status).run_test(size=(80, 3)):
        status.flash("desk: refused", before, 60)
        status.flash("eu: 3 new calls", after, 60, news=True)
        assert status.message.endswith("desk: refused" if stays else "eu: 3 new calls")
        status.flash("muted")
        assert status.message == "muted"  # what somebody asked for is answered


async def test_a_newer_flash_stays_its_own_time() -> None:
    status = StatusLine()
    async with Host(status).run_test(size=(80, 3)):
        status.flash("first", seconds=0.1)
        status.flash("second", "error", 5)
        await asyncio.sleep(0.2)
        assert "Error: second" in status.render_line(0).text


async def test_what_somebody_waits_for_covers_older_messages_and_no_newer_ones() -> None:
    status = StatusLine()
    async with Host(status).run_test(size=(80, 3)):
        status.flash("older", "error", 60)
        status.waiting = "sorting (esc stops)"
        assert status.render_line(0).text.rstrip().endswith("sorting (esc stops)")
        status.waiting = ""
        assert "Error: older" in status.render_line(0).text
        status.waiting = "sorting (esc stops)"
        status.flash("newer", seconds=60)
        assert "newer" in status.render_line(0).text
        status.waiting = ""
        assert "newer" in status.render_line(0).text


async def test_an_idle_player_is_hidden_and_takes_no_line() -> None:
    player = PlayerLine()
    async with Host(player).run_test(size=(80, 5)) as pilot:
        assert not player.display
        for status in STATUS_WORDS:
            player.state = replace(PLAYING, status=status)
            await pilot.pause()
            assert player.size.height == 1
            assert STATUS_WORDS[status] in player.render_line(0).text
        player.state = PlayerView()
        await pilot.pause()
        assert player.size.height == 0


async def test_a_step_of_the_position_repaints_a_cell_once_a_second_and_a_seek_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [100.0]
    monkeypatch.setattr(player_line, "monotonic", lambda: now[0])
    player = PlayerLine()
    async with Host(player).run_test(size=(120, 5)) as pilot:
        player.state = PLAYING
        await pilot.pause()
        asked: list[int] = []
        player.refresh = lambda *regions, **_: asked.extend(r.width for r in regions)  # type: ignore[assignment, method-assign]
        player.state = replace(PLAYING, position_s=41.3)
        assert asked == []
        player.state = replace(PLAYING, position_s=43.0)
        assert asked == [], "at a higher speed seconds pass faster than they are shown"
        now[0] += 1
        player.state = replace(PLAYING, position_s=44.0)
        assert asked == [1]
        player.state = replace(PLAYING, position_s=84.0)
        assert asked == [1, 4]


async def test_a_failure_has_the_line_for_its_reason() -> None:
    player = PlayerLine()
    async with Host(player).run_test(size=(60, 5)) as pilot:
        player.state = replace(PLAYING, status="failed", message="deleted at the vendor" * 2)
        await pilot.pause()
        assert player.render_line(0).text.strip() == "Failed  " + "deleted at the vendor" * 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ()),
        ({"side": "right"}, ("right only",)),
        ({"loop": (12.0, None)}, ("loop 0:12-?",)),
        ({"loop": (12.0, 3671.0)}, ("loop 0:12-1:01:11",)),
        ({"skip_silence": True, "autoplay": True, "heard": True}, ("skip", "auto", "heard")),
    ],
)
def test_what_is_set_otherwise_than_usual_is_said(
    changes: dict[str, object], words: tuple[str, ...]
) -> None:
    assert settings_words(replace(PLAYING, **changes)) == words  # type: ignore[arg-type]


async def test_speed_and_volume_stand_still_and_a_long_reason_gets_their_room() -> None:
    player = PlayerLine()
    async with Host(player).run_test(size=(80, 5)) as pilot:
        starts = set()
        for speed, volume in ((1.0, 100), (1.25, 5), (3.0, 200), (0.75, 0)):
            player.state = replace(PLAYING, speed=speed, volume=volume)
            await pilot.pause()
            text = player.render_line(0).text
            assert f"{speed:g}x" in text and ("muted" if not volume else f"{volume}%") in text
            starts.add(text.index("Ada"))
        assert len(starts) == 1
        player.state = replace(PLAYING, message="no sound: there is no device on this machine")
        await pilot.pause()
        text = player.render_line(0).text
        assert "no sound: there is no device on this machine" in text and "1x" not in text
        assert "Playing" in text and "0:41 / 4:14" in text


@pytest.mark.parametrize("kind", NOTICES)
async def test_each_empty_state_says_what_and_what_to_do(kind: str) -> None:
    host = empty_host(kind)
    async with host.run_test(size=(80, 24)):
        state = host.query_one(EmptyState)
        text = " ".join(" ".join(state.render_line(y).text.split()) for y in range(24))
        notice = NOTICES[kind]
        assert notice.title in text and notice.sentence in text
        assert all(f"{key} {does}" in text for key, does in notice.keys)


@pytest.mark.parametrize("height", [9, 10, 24, 25])
async def test_an_empty_state_stands_in_the_middle(height: int) -> None:
    host = empty_host("failed")
    async with host.run_test(size=(80, height)):
        state = host.query_one(EmptyState)
        lines = [state.render_line(y).text.strip() for y in range(height)]
        written = [y for y, line in enumerate(lines) if line]
        above, below = written[0], height - 1 - written[-1]
        assert 0 <= below - above <= 1


async def test_an_empty_state_takes_a_sentence_and_keys() -> None:
    host = empty_host("failed", "CINNOX says [/nope]")
    async with host.run_test(size=(80, 24)):
        state = host.query_one(EmptyState)
        state.keys = (("ctrl+r", "once more"),)
        text = " ".join(" ".join(state.render_line(y).text.split()) for y in range(24))
        assert "CINNOX says [/nope]" in text and "ctrl+r once more" in text
        assert "try again" not in text
