"""The waveform: peaks to columns, what is drawn where, what a step of the playhead costs."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from tests.widgets.hosts import MONO, STEREO, Host, Seen, sounding
from widgets import waveform
from widgets.levels import SPEECH_PEAK
from widgets.waveform import ASCII, BLOCKS, Wave, Waveform, crossed, level_text, loudest


def test_a_column_is_its_loudest_window() -> None:
    lane = bytes([1, 9, 2, 3, 200, 0, 0, 0])
    assert loudest(lane, 4, 8) == [9, 3, 200, 0]
    assert loudest(lane, 8, 8) == list(lane)
    assert loudest(lane, 1, 8) == [200]
    assert loudest(lane[:3], 4, 8) == [9, 2, None, None], "a part that is not measured is none"
    assert loudest(b"", 3, 8) == [None] * 3


@pytest.mark.parametrize("width", [1, 2, 3, 7, 16, 17, 33, 160])
def test_no_window_is_lost_and_few_windows_fill_a_wide_lane(width: int) -> None:
    for loud in range(16):
        lane = bytearray(16)
        lane[loud] = 255
        columns = loudest(lane, width, 16)
        assert len(columns) == width and 255 in columns and None not in columns


def test_levels_silence_and_what_is_unknown_differ() -> None:
    columns = [None, 0, SPEECH_PEAK - 1, SPEECH_PEAK, 120, 255]
    assert level_text(columns, BLOCKS) == "╌··▁▄█"
    assert level_text(columns, ASCII) == "?  .=@"
    assert [len(set(level_text(range(19, 256), glyphs))) for glyphs in (BLOCKS, ASCII)] == [8, 8]
    assert "".join(vars_of(ASCII)).isascii()


def vars_of(glyphs: waveform.Glyphs) -> list[str]:
    return [getattr(glyphs, name) for name in glyphs.__slots__]


def test_cross_talk_is_where_both_speak_for_a_while() -> None:
    left = bytes([200] * 8 + [0] * 8 + [200] * 8)
    right = bytes([0] * 8 + [200] * 8 + [200, *[0] * 7])
    assert crossed(left, right, 3, 24) == bytes([0, 0, 0]), "one window in eight is a click"
    assert crossed(left, left, 3, 24) == bytes([1, 0, 1])
    assert crossed(left[:4], left, 3, 24) == bytes([1, 0, 0]), "as far as both are measured"


@pytest.mark.slow
def test_an_hour_is_drawn_while_a_key_is_down() -> None:
    lanes = sounding(72_000, 400, 0.5), sounding(72_000, 400, 0.5, 200)
    began = time.process_time()
    for _ in range(10):
        texts = [level_text(loudest(lane, 160, 72_000), BLOCKS) for lane in lanes]
        crossed(*lanes, 160, 72_000)
    took = (time.process_time() - began) / 10
    assert len(texts[0]) == 160 and took < 0.05  # 4 ms on a quiet machine


async def drawn(widget: Waveform, wave: Wave, width: int = 80) -> list[str]:
    async with Host(widget).run_test(size=(width, 6)) as pilot:
        widget.wave = wave
        await pilot.pause()
        assert widget.display
        return [widget.render_line(y).text for y in range(widget.size.height)]


async def test_it_has_a_line_for_each_lane_and_none_without_a_recording() -> None:
    widget = Waveform()
    async with Host(widget).run_test(size=(80, 6)) as pilot:
        lines = []
        for wave in (None, MONO, STEREO, MONO, None):
            widget.wave = wave
            await pilot.pause()
            lines.append(widget.size.height if widget.display else 0)
        assert lines == [0, 1, 2, 1, 0]


async def test_playhead_loop_comments_and_sides_are_marked() -> None:
    upper, lower = await drawn(Waveform(), STEREO)
    assert upper.startswith(" L ") and lower.startswith(" R ")
    width = 80 - 4
    for text, at_s in (("┃", 41.2), ("[", 100.0), ("]", 180.5)):
        column = 3 + int(at_s / 254.0 * width)
        assert upper[column] == text and lower[column] == text
    assert upper.count("◆") == 2 and "◆" not in lower
    narrow = await drawn(Waveform(), STEREO, 30)
    assert not narrow[0].startswith(" L")


async def test_what_is_not_measured_yet_is_told_apart() -> None:
    half = replace(STEREO, lanes=tuple(lane[:2540] for lane in STEREO.lanes), complete=False)
    upper, lower = await drawn(Waveform(), replace(half, loop=None, comments=()))
    for line in (upper, lower):
        assert line.rstrip().endswith("╌" * 35) and "╌" not in line[:40]
    (only,) = await drawn(Waveform(), Wave((b"",), length_s=60.0))
    assert only.strip() == "┃" + "╌" * 77


async def test_a_click_seeks_to_that_part() -> None:
    hook = Seen(Waveform.SeekRequested)
    widget = Waveform()
    async with Host(widget).run_test(size=(100, 5), message_hook=hook) as pilot:
        widget.wave = STEREO
        await pilot.pause()
        start, width = widget._area()
        for x, y, fraction in ((0, 0, 0.0), (width // 2, 1, 0.5), (width - 1, 0, 95 / 96)):
            await pilot.click(Waveform, offset=(start + x, y))
            (message,) = hook.take()
            assert isinstance(message, Waveform.SeekRequested)
            assert message.fraction == pytest.approx(fraction)
        await pilot.click(Waveform, offset=(0, 0))
        widget.wave = Wave((b"",))
        await pilot.pause()
        await pilot.click(Waveform, offset=(start, 0))
        assert hook.take() == []


async def test_a_step_sends_two_cells_of_each_lane_and_seldom(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [100.0]
    monkeypatch.setattr(waveform, "monotonic", lambda: now[0])
    widget = Waveform()
    async with Host(widget).run_test(size=(100, 5)) as pilot:
        wave = replace(STEREO, playing=True)
        widget.wave = wave
        await pilot.pause()
        asked: list[int] = []
        widget.refresh = lambda *regions, **_: asked.extend(r.width for r in regions)  # type: ignore[assignment, method-assign]
        step = 254.0 / widget._area()[1]
        for _ in range(3):
            now[0] += 2 * waveform.STEP_S / 4
            wave = replace(wave, position_s=wave.position_s + step / 3)
            widget.wave = wave
        assert asked == [], "a step would come too soon"
        now[0] += 2 * waveform.STEP_S / 4
        widget.wave = wave
        assert asked == [2, 2]
        asked.clear()
        widget.wave = replace(wave, position_s=wave.position_s + 60)
        assert len(asked) == 2 and min(asked) > 10, "a seek shows at once"


async def test_peaks_that_come_are_drawn_and_another_recording_at_once() -> None:
    lane = bytearray(STEREO.lanes[0][:1000])
    widget = Waveform()
    async with Host(widget).run_test(size=(60, 5)) as pilot:
        widget.wave = wave = Wave((lane,), 1, length_s=100.0)
        await pilot.pause()
        before = widget.render_line(0).text
        lane.extend(STEREO.lanes[0][1000:2000])
        widget.wave = replace(wave, revision=2, complete=True)
        await pilot.pause()
        after = widget.render_line(0).text
        assert before.count("╌") > 20 and after.count("╌") == 0
        widget.wave = Wave((bytes(2000),), 2, True, length_s=100.0)
        await pilot.pause()
        assert set(widget.render_line(0).text.strip()) == {"┃", "·"}
