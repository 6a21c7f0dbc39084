"""The charts of the insights screen: which bars they have, and which query finds the calls behind
each. A query is what one could have typed; it narrows the one that the figures are of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

from tui.insights.figures import TALK_STEPS_S, WAIT_STEPS_S, Counts, Figures
from tui.insights.text import length_text, percent
from tui.query.dates import WEEKDAYS
from widgets.charts import Bar, Chart

MOST_DAYS = 5
"""So many days may stand for a weekday in a query."""
ENDED = ("answered", "not answered")
Piece = Callable[[str, str], str | None]
"""What of a query finds the calls with a name of a kind; None: nothing may."""
Label = Callable[[str, str], str]
"""A name of a kind as it may be shown."""


def charts(found: Figures, piece: Piece, label: Label) -> tuple[Chart, ...]:
    """The eight charts, in the order of their numbers."""
    return (
        Chart("Calls by hour", "columns", _hours(found.by_hour), ENDED),
        Chart("Weekday and hour", "heat", _weekdays(found), ENDED),
        Chart("Groups", "bars", _named(found.by_group, "group", piece, label), ENDED),
        Chart("Agents", "bars", _named(found.by_agent, "agent", piece, label), ENDED),
        Chart("Missed, and what became of them", "bars", _lost(found)),
        Chart("Wait", "bars", _steps(found.wait_steps, WAIT_STEPS_S, "wait")),
        Chart("Talk", "bars", _steps(found.talk_steps, TALK_STEPS_S, "talk")),
        Chart("Decided here, by whom", "bars", _people(found, label)),
    )


def _hours(hours: tuple[Counts, ...]) -> tuple[Bar, ...]:
    return tuple(
        Bar(f"{hour:02d}", one.calls, one.answered, _of_hour(hour))
        for hour, one in enumerate(hours)
    )


def _of_hour(hour: int) -> str:
    return f"{hour}:00..{hour}:59"


def _weekdays(found: Figures) -> tuple[Bar, ...]:
    days: list[list[str]] = [[] for _ in WEEKDAYS]
    for day in found.by_day:
        days[date.fromisoformat(day).weekday()].append(day)
    return tuple(
        Bar(
            f"{name.capitalize()} {hour:02d}:00",
            one.calls,
            one.answered,
            _of_days(days[number], hour),
        )
        for number, name in enumerate(WEEKDAYS)
        for hour, one in enumerate(found.by_weekday_hour[number])
    )


def _of_days(days: list[str], hour: int) -> str | None:
    """An hour of some days; None of none, or of too many for a line."""
    return " ".join([*days, _of_hour(hour)]) if 0 < len(days) <= MOST_DAYS else None


def _named(rows: Mapping[str, Counts], field: str, piece: Piece, label: Label) -> tuple[Bar, ...]:
    return tuple(
        Bar(
            label(field, name),
            one.calls,
            one.answered,
            piece(field, name),
            percent(one.answered, one.calls),
        )
        for name, one in rows.items()
    )


def _lost(found: Figures) -> tuple[Bar, ...]:
    one = found.summary
    after = f"after {length_text(one.called_back_median_s)} (median)" if one.called_back else ""
    rows = (
        ("did not get through", one.lost, "-out -internal outcome:missed,abandoned,voicemail", ""),
        ("called back", one.called_back, "called-back", after),
        ("decided to be done", one.decided, "open-miss state:done", ""),
        ("waiting", one.waiting, "open-miss -state:done", ""),
    )
    return tuple(
        Bar(label, number, 0, query, f"{percent(number, one.lost)} {note}".rstrip())
        for label, number, query, note in rows
    )


def _steps(counts: tuple[int, ...], steps: tuple[int, ...], field: str) -> tuple[Bar, ...]:
    bars = []
    for place, number in enumerate(counts):
        low = steps[place - 1] if place else 0
        high = steps[place] if place < len(steps) else None
        label = (
            f"{length_text(low)} to {length_text(high)}" if high else f"{length_text(low)} and more"
        )
        query = f"{field}>={low}" + (f" {field}<{high}" if high else "")
        bars.append(Bar(label, number, 0, query, percent(number, sum(counts))))
    return tuple(bars)


def _people(found: Figures, label: Label) -> tuple[Bar, ...]:
    return tuple(Bar(label("person", name), number) for name, number in found.by_person.items())
