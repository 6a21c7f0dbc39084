"""Charts as lines of text: pure functions from numbers to lines, readable without colour.

Columns grow in eighths of a cell, bars too; heat is four shades. What is a `part` of a value is
solid, the rest is shaded, and the label of what is chosen is in reverse video, so that neither
needs a colour. `plain` draws with ASCII alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from math import ceil, log10
from typing import Literal, NamedTuple

from rich.cells import cell_len

from widgets.cells import Line, Run, fit

PART, REST, AXIS = "chart--part", "chart--rest", "chart--axis"
CHOSEN, PICKED = "chart--chosen", "chart--picked"
STYLES = frozenset((PART, REST, CHOSEN, PICKED, AXIS))
"""Component classes: the solid part of a value, the rest of it, the axes; the label of what is
chosen, in reverse video, and its column.
"""
_EIGHTHS_UP = " ▁▂▃▄▅▆▇█"
_EIGHTHS_RIGHT = " ▏▎▍▌▋▊▉█"
_SHADES, _PLAIN_SHADES = " ░▒▓█", " .:*#"
_AXIS = 7
"""Cells left of the columns, for the numbers of the axis."""
_HOURS = 24


class Bar(NamedTuple):
    """One value of a chart."""

    label: str
    value: int
    part: int = 0
    """How much of the value is of the kind that the legend names first."""
    query: str | None = None
    """What finds the calls behind it; None: no query does."""
    note: str = ""


class Chart(NamedTuple):
    """What is drawn; of heat there are 24 bars for each of seven days."""

    title: str
    kind: Literal["columns", "bars", "heat"]
    bars: tuple[Bar, ...]
    legend: tuple[str, str] = ("", "")
    """What the solid part is, and what the rest is; empty where there are no parts."""


def draw(chart: Chart, width: int, height: int, chosen: int, plain: bool = False) -> list[Line]:
    """The chart in at most so many cells and lines."""
    if not any(bar.value for bar in chart.bars):
        return [(("  no calls", AXIS),)]
    return _DRAWN[chart.kind](chart.bars, width, height, chosen, plain)


def ceiling(value: int) -> int:
    """The top of an axis for values up to this: 1, 2 or 5 times a power of ten."""
    if value <= 1:
        return 1
    power = 10 ** int(log10(value))
    return int(next(step * power for step in (1, 2, 5, 10) if step * power >= value))


def columns(
    bars: Sequence[Bar], width: int, height: int, chosen: int, plain: bool = False
) -> list[Line]:
    """Upright columns over an axis, each with its label."""
    each = max(1, (width - _AXIS) // len(bars))
    wide, rows = max(1, each - 1), max(2, (height - 2) // 2 * 2)
    top = ceiling(max(bar.value for bar in bars))
    lines = []
    for row in range(rows - 1, -1, -1):
        cells = [
            run
            for place, bar in enumerate(bars)
            for run in (
                _column_cell(bar, row * 8, rows * 8 / top, wide, place == chosen, plain),
                (" " * (each - wide), ""),
            )
        ]
        value = top * (row + 1) / rows
        axis = _number(value) if row + 1 in (rows, rows // 2) else ""
        tick = "|" if plain else "┤"
        lines.append(_merged([(f"{axis:>{_AXIS - 2}}{tick} ", AXIS), *cells]))
    line = "-" if plain else "─"
    corner = "+" if plain else "└"
    lines.append(((f"{' ' * (_AXIS - 2)}{corner}{line * (each * len(bars) + 1)}", AXIS),))
    labels = _labels([bar.label for bar in bars], each, chosen)
    lines.append(_merged([(" " * _AXIS, ""), *labels]))
    return lines


def _number(value: float) -> str:
    """``500``, ``2.5``, ``2,000``, ``50k``, ``1M``."""
    for size, letter in ((1_000_000, "M"), (10_000, "k")):
        if value >= size:
            return f"{value / (1000 if letter == 'k' else size):g}{letter}"
    return f"{value:,.{int(value % 1 > 0)}f}"


def _labels(labels: Sequence[str], each: int, chosen: int) -> list[Run]:
    """What stands below cells; where they are narrow, below the first of some."""
    step = 1 if each > 2 else 6
    return [
        (fit(label, each * step), CHOSEN if place * step == chosen else AXIS)
        for place, label in enumerate(labels[::step])
    ]


def _column_cell(bar: Bar, below: int, scale: float, wide: int, chosen: bool, plain: bool) -> Run:
    """What of a column stands in a cell that begins `below` eighths above the axis."""
    eighths = ceil(bar.value * scale) - below  # whatever there is shows
    solid = below + 4 <= bar.part * scale
    if eighths <= 0:
        return " " * wide, ""
    if plain:
        sign = "#" if solid else ":"
    elif eighths >= 8:
        sign = "█" if solid else "▒"
    else:
        sign = _EIGHTHS_UP[eighths]
    return sign * wide, PICKED if chosen else PART if solid else REST


def bars(
    bars: Sequence[Bar], width: int, height: int, chosen: int, plain: bool = False
) -> list[Line]:
    """Bars from left to right, one a line, with label, number and note; as many as fit, the chosen
    one among them.
    """
    first = max(0, min(chosen - height + 1, len(bars) - height))
    top = max(bar.value for bar in bars)
    named = min(max(cell_len(bar.label) for bar in bars), max(8, width // 3))
    noted = max(cell_len(bar.note) for bar in bars)
    room = max(4, width - named - noted - 12)
    lines = []
    for place, bar in list(enumerate(bars))[first : first + height]:
        solid, rest = _lengths(bar, room, top, plain)
        label = (f" {fit(bar.label, named)} {bar.value:>6,} ", CHOSEN if place == chosen else "")
        gap = " " * (room - len(solid) - len(rest) + 1)
        lines.append(_merged([label, (solid, PART), (rest, REST), (gap + bar.note, AXIS)]))
    return lines


def _lengths(bar: Bar, room: int, top: int, plain: bool) -> tuple[str, str]:
    """The solid and the shaded part of a bar."""
    whole, part = (value * room * 8 / top for value in (bar.value, bar.part or bar.value))
    if plain:
        solid = "#" * ceil(part / 8)
        return solid, ":" * (ceil(whole / 8) - len(solid))
    if bar.part and bar.part < bar.value:
        solid = "█" * round(part / 8)
        return solid, "▒" * (ceil(whole / 8) - len(solid))
    full, rest = divmod(ceil(whole), 8)
    return "█" * full + (_EIGHTHS_RIGHT[rest] if rest else ""), ""


def heat(
    bars: Sequence[Bar], width: int, height: int, chosen: int, plain: bool = False
) -> list[Line]:
    """A line for each day of the week and a cell for each hour, in shades."""
    each = max(1, min(4, (width - _AXIS) // _HOURS))
    top = max(bar.value for bar in bars)
    shades = _PLAIN_SHADES if plain else _SHADES
    lines = []
    for day in range(len(bars) // _HOURS):
        some = bars[day * _HOURS : (day + 1) * _HOURS]
        cells = [
            (fit(str(bar.value), each) if each > 2 else "x" * each, CHOSEN)
            if place == chosen
            else (shades[ceil(bar.value * 4 / top)] * each, PART)
            for place, bar in enumerate(some, day * _HOURS)
        ]
        lines.append(_merged([(f" {fit(some[0].label[:3], _AXIS - 1)}", AXIS), *cells]))
    hours = _labels([f"{hour:02d}" for hour in range(_HOURS)], each, -1)
    lines.append(_merged([(" " * _AXIS, ""), *hours]))
    return lines[:height]


def _merged(runs: Sequence[Run]) -> Line:
    """Neighbours of one style as one run."""
    return tuple(
        ("".join(text for text, _ in group), style)
        for style, group in groupby(runs, key=lambda run: run[1])
    )


_DRAWN = {"columns": columns, "bars": bars, "heat": heat}
