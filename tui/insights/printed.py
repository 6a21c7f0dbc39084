"""Figures as ``ringback stats`` prints them: one JSON object, rows of CSV."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tui.insights.figures import AGES_S, Counts, Figures, Lengths, Summary
from tui.query.dates import WEEKDAYS


def summary_object(summary: Summary) -> dict[str, Any]:
    """The figures of all calls, by the names of ``--json``; lengths in seconds."""
    ages = zip((*AGES_S, None), summary.ageing, strict=True)
    return {
        "calls": summary.calls,
        "inbound": summary.inbound,
        "outbound": summary.outbound,
        **_without_calls(summary.outcomes),
        "lost": summary.lost,
        "called_back": summary.called_back,
        "called_back_median_s": _rounded(summary.called_back_median_s),
        "decided": summary.decided,
        "waiting": summary.waiting,
        "ageing": [{"upto_s": upto, "calls": calls} for upto, calls in ages],
        "sla": summary.sla._asdict(),
        "wait_s": _lengths(summary.wait_s),
        "talk_s": _lengths(summary.talk_s),
    }


def figures_object(figures: Figures, previous: Figures | None) -> dict[str, Any]:
    """All figures, and those of the period before."""
    summary = figures.summary
    return {
        **summary_object(summary),
        "by_hour": [{"hour": hour, **one._asdict()} for hour, one in enumerate(figures.by_hour)],
        "by_weekday_hour": [[one._asdict() for one in day] for day in figures.by_weekday_hour],
        **{
            f"by_{kind}": [{kind: name, **one._asdict()} for name, one in rows(figures, kind)]
            for kind in ("day", "agent", "group", "account")
        },
        "triage": {
            "decided": summary.triaged,
            "median_s": _rounded(summary.triaged_median_s),
            "by_person": [
                {"person": name, "decided": number} for name, number in figures.by_person.items()
            ],
        },
        "untold": {what: list(accounts) for what, accounts in figures.untold.items()},
        "previous": summary_object(previous.summary) if previous else None,
    }


def rows(figures: Figures, kind: str) -> Iterator[tuple[str, Counts]]:
    """The rows of what ``--by`` takes: what each is of, and its counts."""
    if kind == "hour":
        for hour, counts in enumerate(figures.by_hour):
            yield f"{hour:02d}", counts
    elif kind == "weekday":
        for day, hours in zip(WEEKDAYS, figures.by_weekday_hour, strict=True):
            yield day, Counts(*map(sum, zip(*hours, strict=True)))
    else:
        found = {
            "day": figures.by_day,
            "agent": figures.by_agent,
            "group": figures.by_group,
            "account": figures.by_account,
        }
        yield from found[kind].items()


def _without_calls(counts: Counts) -> dict[str, int]:
    return {name: number for name, number in counts._asdict().items() if name != "calls"}


def _lengths(lengths: Lengths) -> dict[str, Any]:
    return {name: _rounded(value) for name, value in lengths._asdict().items()}


def _rounded(value: float | None) -> float | int | None:
    """Milliseconds are told, and whole numbers as such."""
    if value is None:
        return None
    return int(value) if float(value).is_integer() else round(value, 3)
