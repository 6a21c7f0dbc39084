"""Charts, drawn."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from widgets.cells import Line
from widgets.charts import CHOSEN, STYLES, Bar, Chart, ceiling, draw

KINDS = {"columns": 24, "bars": 9, "heat": 168}


def text(line: Line) -> str:
    return "".join(part for part, _ in line)


def chart(kind: str, values: list[tuple[int, int]]) -> Chart:
    bars = tuple(
        Bar(f"志 {place:02d}", value, min(part, value), note="7 %")
        for place, (value, part) in enumerate(values)
    )
    return Chart("T", kind, bars)  # type: ignore[arg-type]


@given(
    kind=st.sampled_from(sorted(KINDS)),
    seed=st.integers(0, 10**6),
    most=st.sampled_from([0, 1, 7, 300, 10**6]),
    width=st.integers(34, 200),
    height=st.integers(4, 40),
    plain=st.booleans(),
)
def test_any_figures_fit_and_whatever_there_is_shows(
    kind: str, seed: int, most: int, width: int, height: int, plain: bool
) -> None:
    random, count = Random(seed), KINDS[kind]
    values = [(random.randint(0, most), random.randint(0, most)) for _ in range(count)]
    chosen = random.randrange(-1, count)
    drawn = chart(kind, values)
    lines = draw(drawn, width, height, chosen, plain)
    assert len(lines) <= max(height, 4)
    assert all(cell_len(text(line)) <= width for line in lines)
    assert {style for line in lines for _, style in line} <= {*STYLES, ""}
    if not any(value for value, _ in values):
        return
    if plain:
        signs = {char for line in lines for part, _ in line for char in part} - set("志…")
        assert all(char.isascii() for char in signs)
    if kind == "bars" and chosen >= 0:
        [label] = [part for line in lines for part, style in line if style == CHOSEN]
        assert drawn.bars[chosen].label[:4] in label, "the chosen bar is among those shown"
    if kind == "columns":
        base, each = text(lines[-3])[7:], max(1, (width - 7) // 24)
        shown = [base[place * each : place * each + 1].strip() != "" for place in range(24)]
        assert shown == [value > 0 for value, _ in values]


def test_columns_stand_on_an_axis() -> None:
    values = [(0, 0), (4, 4), (8, 4), *[(0, 0)] * 21]
    bars = tuple(Bar(f"{place:02d}", *pair) for place, pair in enumerate(values))
    lines = [text(line).rstrip() for line in draw(Chart("T", "columns", bars), 79, 10, -1)]
    assert lines == [
        "   10┤",
        "     ┤       ▄▄",
        "     ┤       ▒▒",
        "     ┤       ▒▒",
        "    5┤    ▂▂ ▒▒",
        "     ┤    ██ ██",
        "     ┤    ██ ██",
        "     ┤    ██ ██",
        "     └" + "─" * 73,
        "       " + " ".join(f"{hour:02d}" for hour in range(24)),
    ]


def test_bars_are_as_long_as_their_values() -> None:
    lines = [text(line) for line in draw(chart("bars", [(80, 0), (40, 20), (0, 0)]), 60, 9, -1)]
    lengths = [sum(char in "█▒▏▎▍▌▋▊▉" for char in line) for line in lines]
    assert abs(lengths[0] - 2 * lengths[1]) <= 1 and lengths[2] == 0
    assert abs(lines[1].count("█") - lines[1].count("▒")) <= 1
    assert [line.split()[2] for line in lines] == ["80", "40", "0"]


def test_heat_has_four_shades_and_none_for_nothing() -> None:
    values = [(n, 0) for n in (0, 1, 25, 26, 50, 51, 75, 76, 100)] + [(0, 0)] * 159
    line = text(draw(chart("heat", values), 90, 9, -1)[0])
    assert [line[7 + 3 * n] for n in range(9)] == [*" ░░▒▒▓▓██"]


def test_nothing_says_so() -> None:
    assert text(draw(chart("bars", [(0, 0)]), 60, 9, 0)[0]).strip() == "no calls"


@pytest.mark.parametrize(
    ("value", "top"),
    [
        (1, 1),
        (2, 2),
        (3, 5),
        (6, 10),
        (10, 10),
        (11, 20),
        (21, 50),
        (99, 100),
        (101, 200),
        (1667, 2000),
    ],
)
def test_an_axis_ends_at_a_round_number(value: int, top: int) -> None:
    assert ceiling(value) == top
