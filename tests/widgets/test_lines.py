"""Lines as data: filling, comparing, and asking for no more than what changed."""

from __future__ import annotations

from itertools import pairwise

from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.geometry import Region

from tests.widgets.samples import hostile_text
from widgets.cells import Line
from widgets.line_view import LineView, ScrolledLines, changed_span, changed_width, filled


def width_of(line: Line) -> int:
    return sum(cell_len(text) for text, _ in line)


def test_filled_is_exactly_as_wide_as_asked() -> None:
    for seed in range(300):
        line = tuple((hostile_text(seed * 7 + part), "ab"[part % 2]) for part in range(4))
        for width in (1, 5, 20, 80):
            result = filled(line, width)
            assert width_of(result) == width, (seed, width)
            assert all(left[1] != right[1] for left, right in pairwise(result))


def test_filled_merges_equal_neighbours() -> None:
    assert filled((("a", ""), ("b", ""), ("", "x"), ("c", "x")), 5) == (
        ("ab", ""),
        ("c", "x"),
        ("  ", ""),
    )
    assert filled((), 3) == (("   ", ""),)
    assert filled((("a\x1bb", ""),), 3) == (("a\ufffdb", ""),)


def test_changed_width_ends_behind_the_last_difference() -> None:
    old = (("0:41 / 4:14", ""),)
    assert changed_width(old, old) == 0
    assert changed_width(old, (("0:42 / 4:14", ""),)) == 4
    assert changed_width(old, (("0:41", "bold"), (" / 4:14", ""))) == 4
    assert changed_width(None, old) == 11
    assert changed_width((("日本x", ""),), (("日語x", ""),)) == 4


def test_a_line_of_letters_that_terminals_measure_otherwise_is_sent_whole() -> None:
    # one terminal gives a vowel sign a cell of its own, so what stands behind it stands elsewhere
    plain, hindi = (("Jack Foster     done", ""),), (("अर्जुन शर्मा        open", ""),)
    for name, old in (("old", hindi), ("new", plain)):
        new = plain if name == "old" else hindi
        assert changed_width(old, new) == 20, name
        assert changed_span(old, new) == (0, 20), name
    later = (("अर्जुन शर्मा        done", ""),)
    assert changed_span(hindi, later) == (0, 20)
    assert changed_span(hindi, hindi) == (0, 0) and changed_width(hindi, hindi) == 0
    assert changed_span(plain, (("Jack Foster     open", ""),)) == (16, 20)


class Counter(LineView):
    """Three lines, the second of which counts."""

    count = 0

    def line(self, y: int) -> Line:
        return ((f"line {y}" + (f" {self.count}" if y == 1 else ""), ""),)


class Pages(ScrolledLines):
    lines = tuple(((f"line {number}", ""),) for number in range(50))


class Host(App[None]):
    def __init__(self, widget: LineView) -> None:
        super().__init__()
        self.widget = widget

    def compose(self) -> ComposeResult:
        yield self.widget


async def test_repaint_asks_for_the_changed_cells_alone() -> None:
    counter = Counter()
    async with Host(counter).run_test(size=(40, 3)) as pilot:
        await pilot.pause()
        asked: list[tuple[Region, ...]] = []
        counter.refresh = lambda *regions, **_: asked.append(regions)  # type: ignore[assignment, method-assign]
        counter.repaint()
        assert asked == []
        counter.count = 7
        counter.repaint()
        assert asked == [(Region(7, 1, 1, 1),)]


async def test_scrolling_keys() -> None:
    pages = Pages()
    async with Host(pages).run_test(size=(40, 10)) as pilot:
        pages.focus()
        tops = []
        for key in ("j", "down", "k", "ctrl+d", "pagedown", "G", "j", "ctrl+u", "pageup", "g", "k"):
            await pilot.press(key)
            tops.append(pages.top)
        assert tops == [1, 2, 1, 6, 16, 40, 40, 35, 25, 0, 0]
        await pilot.resize_terminal(40, 60)
        await pilot.press("G")
        assert pages.top == 0
