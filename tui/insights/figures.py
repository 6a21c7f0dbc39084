"""Counting calls: see the package for what each figure means."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from math import ceil
from typing import Any, NamedTuple

from tui.archive.records import CallFacts

OUTCOMES = ("answered", "missed", "abandoned", "voicemail")
AGES_S = (3600, 4 * 3600, 86_400, 3 * 86_400, 7 * 86_400)
"""How long calls wait, in steps; the last step has no end."""
WAIT_STEPS_S, TALK_STEPS_S = (10, 20, 30, 60, 120, 300), (30, 60, 120, 300, 600, 1800)
"""Where one step of lengths ends and the next begins; the last step has no end."""
_PLACES = {name: place for place, name in enumerate(OUTCOMES, 1)}


class Counts(NamedTuple):
    """Calls of one hour, agent, group and the like, and how many of them ended in which way."""

    calls: int = 0
    answered: int = 0
    missed: int = 0
    abandoned: int = 0
    voicemail: int = 0


COUNTED = Counts._fields


class Lengths(NamedTuple):
    """Seconds of the calls that tell them; None where none does."""

    of: int
    """How many calls tell."""
    sum: float
    avg: float | None
    p50: float | None
    p90: float | None


class Share(NamedTuple):
    """Of so many calls that tell, so many."""

    met: int
    of: int


class Summary(NamedTuple):
    """The figures of all calls that were counted."""

    calls: int
    inbound: int
    outbound: int
    outcomes: Counts
    lost: int
    called_back: int
    called_back_median_s: float | None
    decided: int
    waiting: int
    ageing: tuple[int, ...]
    """Of those that wait, for each of `AGES_S` how many wait no longer, and longer than the one
    before; the last: longer than all.
    """
    sla: Share
    wait_s: Lengths
    talk_s: Lengths
    triaged: int
    """Calls that somebody decided about."""
    triaged_median_s: float | None
    """From a call's beginning to the latest decision about it."""


class Figures(NamedTuple):
    """What `figures` counts."""

    summary: Summary
    by_hour: tuple[Counts, ...]
    """Of each of the 24 hours of a day."""
    by_day: Mapping[str, Counts]
    """By ISO date."""
    by_weekday_hour: tuple[tuple[Counts, ...], ...]
    """Seven days from Monday on, of 24 hours."""
    by_agent: Mapping[str, Counts]
    """A call counts for each of its agents."""
    by_group: Mapping[str, Counts]
    by_account: Mapping[str, Counts]
    by_person: Mapping[str, int]
    """Who decided last, and about how many calls."""
    wait_steps: tuple[int, ...]
    """Calls whose wait is in each step of `WAIT_STEPS_S`."""
    talk_steps: tuple[int, ...]
    untold: Mapping[str, tuple[str, ...]]
    """What accounts never tell: by ``wait``, ``talk``, ``sla``, ``group``, ``agent``."""


def nearest_rank(values: Sequence[float], percent: float) -> float | None:
    """The smallest of some sorted values that `percent` of them do not exceed."""
    return values[max(0, ceil(len(values) * percent / 100) - 1)] if values else None


def lengths(values: Iterable[float]) -> Lengths:
    """What some lengths come to."""
    known = sorted(values)
    total = sum(known)
    average = total / len(known) if known else None
    p50, p90 = nearest_rank(known, 50), nearest_rank(known, 90)
    return Lengths(len(known), total, average, p50, p90)


def figures(calls: Iterable[CallFacts], zone: tzinfo, now: datetime) -> Figures:
    """Count calls; `now` decides how long those wait that nobody called back."""
    tally = _Tally(zone)
    for call in calls:
        tally.add(call)
    return tally.figures(now.timestamp())


class _Tally:
    """Calls as they are counted, one after the other."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._all: list[CallFacts] = []
        self._rows: dict[str, defaultdict[Any, list[int]]] = {
            name: defaultdict(lambda: [0] * 5)
            for name in ("hour", "day", "weekday", "agent", "group", "account")
        }

    def add(self, call: CallFacts) -> None:
        self._all.append(call)
        rows, place = self._rows, _PLACES.get(call.outcome, 0)
        found = [rows["account"][call.account], *(rows["agent"][one] for one in call.agents)]
        if call.group:
            found.append(rows["group"][call.group])
        if call.started_at is not None:
            at = datetime.fromtimestamp(call.started_at, self._zone)
            found.append(rows["hour"][at.hour])
            found.append(rows["day"][at.date()])
            found.append(rows["weekday"][at.weekday(), at.hour])
        for row in found:
            row[0] += 1
            if place:
                row[place] += 1

    def figures(self, now: float) -> Figures:
        rows = self._rows
        days = {day.isoformat(): Counts(*rows["day"][day]) for day in sorted(rows["day"])}
        return Figures(
            summary=_summary(self._all, now),
            by_hour=tuple(Counts(*rows["hour"].get(hour, ())) for hour in range(24)),
            by_day=days,
            by_weekday_hour=tuple(
                tuple(Counts(*rows["weekday"].get((day, hour), ())) for hour in range(24))
                for day in range(7)
            ),
            by_agent=_most_first(rows["agent"]),
            by_group=_most_first(rows["group"]),
            by_account=_most_first(rows["account"]),
            by_person=_people(self._all),
            wait_steps=_stepped((call.wait_s for call in self._all), WAIT_STEPS_S),
            talk_steps=_stepped((call.talk_s for call in self._all), TALK_STEPS_S),
            untold=_untold(self._all),
        )


def _most_first(rows: Mapping[str, list[int]]) -> dict[str, Counts]:
    ordered = sorted(rows.items(), key=lambda item: (-item[1][0], item[0]))
    return {name: Counts(*row) for name, row in ordered}


def _people(calls: Iterable[CallFacts]) -> dict[str, int]:
    found: defaultdict[str, int] = defaultdict(int)
    for call in calls:
        if call.decided_by is not None:
            found[call.decided_by] += 1
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def _summary(calls: Sequence[CallFacts], now: float) -> Summary:
    lost = [call for call in calls if call.is_lost]
    back = [call for call in lost if call.closed_at is not None]
    open_ = [call for call in lost if call.closed_at is None]
    waiting = [call for call in open_ if call.state != "done"]
    triaged = [call for call in calls if call.decided_at is not None]
    told = [call.sla_met for call in calls if call.sla_met is not None]
    return Summary(
        calls=len(calls),
        inbound=sum(call.direction == "inbound" for call in calls),
        outbound=sum(call.direction == "outbound" for call in calls),
        outcomes=Counts(
            len(calls), *(sum(one.outcome == name for one in calls) for name in OUTCOMES)
        ),
        lost=len(lost),
        called_back=len(back),
        called_back_median_s=_median(back, lambda call: call.closed_at),
        decided=len(open_) - len(waiting),
        waiting=len(waiting),
        ageing=_ageing(waiting, now),
        sla=Share(sum(told), len(told)),
        wait_s=lengths(call.wait_s for call in calls if call.wait_s is not None),
        talk_s=lengths(call.talk_s for call in calls if call.talk_s is not None),
        triaged=len(triaged),
        triaged_median_s=_median(triaged, lambda call: call.decided_at),
    )


def _stepped(values: Iterable[float | None], steps: Sequence[int]) -> tuple[int, ...]:
    """How many of the values that are told each step has; it ends below the next one."""
    counts = [0] * (len(steps) + 1)
    for value in values:
        if value is not None:
            counts[bisect_right(steps, value)] += 1
    return tuple(counts)


def _median(calls: Iterable[CallFacts], end: Callable[[CallFacts], float | None]) -> float | None:
    """The median of the seconds from the beginning of calls to something, where both are known."""
    found = (
        at - call.started_at
        for call in calls
        if call.started_at is not None and (at := end(call)) is not None
    )
    return nearest_rank(sorted(found), 50)


def _ageing(waiting: Iterable[CallFacts], now: float) -> tuple[int, ...]:
    steps = [0] * (len(AGES_S) + 1)
    for call in waiting:
        age = now - call.started_at if call.started_at is not None else float("inf")
        steps[sum(age > upto for upto in AGES_S)] += 1
    return tuple(steps)


_TOLD: Mapping[str, Callable[[CallFacts], bool]] = {
    "wait": lambda call: call.wait_s is not None,
    "talk": lambda call: call.talk_s is not None,
    "sla": lambda call: call.sla_met is not None,
    "group": lambda call: bool(call.group),
    "agent": lambda call: bool(call.agents),
}


def _untold(calls: Sequence[CallFacts]) -> dict[str, tuple[str, ...]]:
    accounts = sorted({call.account for call in calls})
    return {
        what: tuple(
            name for name in accounts if not any(tells(one) for one in calls if one.account == name)
        )
        for what, tells in _TOLD.items()
    }
